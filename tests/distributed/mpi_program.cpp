// SPDX-License-Identifier: MIT
// What a rank of an MPI job does in the tests; mpi.sh starts it.
//   mpi_program same FILE [USERS ITEMS]     fits with all ranks and alone: equal bytes
//   mpi_program fail FILE RANK              a confidence function of RANK throws: all must end, with its words
//   mpi_program go_on FILE [RANK AFTER]     fits with checkpoints in FILE; RANK kills itself after AFTER solved systems. Prints a checksum of the factors
//   mpi_program speed THREADS [HETREC]      seconds of an iteration of the study's size, or of a user_artists.dat; and a checksum of the factors
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <kindred/data/synthetic.hpp>
#include <kindred/distributed/mpi_communicator.hpp>
#include <kindred/distributed/team.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/checkpoint.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "support/als_instances.hpp"

namespace kd = kindred;

namespace {

std::string digest(const kd::ImplicitALS<float>& als) {
  kd::detail::Xxh64 hash;
  for (const auto* factors : {&als.user_factors(), &als.item_factors()})
    hash.update(std::as_bytes(std::span(factors->data(), static_cast<std::size_t>(factors->rows()) * factors->stride())));
  return kd::detail::digest_text(hash.digest());
}

/// The calls by themselves: pieces, sums, root's bytes.
bool calls_work(kd::MpiCommunicator& communicator) {
  const std::size_t ranks = communicator.size(), own = communicator.rank();
  std::vector<std::uint64_t> starts = {0};
  for (std::size_t r = 0; r < ranks; ++r) starts.push_back(starts.back() + r + 1);
  std::vector<std::int32_t> pieces(starts.back(), -1), wanted;
  for (std::size_t r = 0; r < ranks; ++r) wanted.insert(wanted.end(), r + 1, static_cast<std::int32_t>(r));
  for (std::uint64_t n = starts[own]; n < starts[own + 1]; ++n) pieces[n] = static_cast<std::int32_t>(own);
  communicator.all_gather_v(std::as_writable_bytes(std::span(pieces)), starts, 4);
  std::vector<double> numbers = {1.0};
  communicator.all_reduce(numbers);
  std::vector<std::byte> bytes(3, static_cast<std::byte>(own));
  communicator.broadcast(bytes, ranks - 1);
  communicator.barrier();
  return pieces == wanted && numbers[0] == static_cast<double>(ranks) && bytes[2] == static_cast<std::byte>(ranks - 1);
}

int same(kd::MpiCommunicator& communicator, const std::string& path, kd::Index users, kd::Index items) {
  const kd::CsrMatrix plays = kd::synthetic_listening({.users = users, .items = items, .items_per_user = 40}).matrix;
  const kd::AlsOptions options{.factors = 24, .iterations = 2, .units = kd::Units::paper};
  if (communicator.rank() == 0) {
    kd::CsrFileWriter writer(path);
    for (kd::Index u = 0; u < plays.rows(); ++u)
      for (std::size_t n = 0; n < plays.row(u).size(); ++n) writer.add(u, plays.row(u).columns[n], plays.row(u).values[n]);
    writer.finish(plays.shape());
  }
  communicator.barrier();
  kd::ImplicitALS<float> alone(options);
  const double loss = alone.fit(plays, {.record_loss = true}).iterations.back().loss->total;
  const kd::CsrFile file(path);
  const kd::CommunicatorTeam team(communicator);
  kd::ImplicitALS<float> from_memory(options), from_file(options);
  const kd::FitReport report = from_memory.fit(plays, {.record_loss = true, .team = &team});
  from_file.fit(file, {.team = &team});
  const bool equal = calls_work(communicator) && digest(from_memory) == digest(alone) && digest(from_file) == digest(alone) &&
                     report.iterations.back().loss->total == loss;
  std::vector<double> all = {equal ? 0.0 : 1.0};
  communicator.all_reduce(all);
  if (communicator.rank() == 0) std::printf("%zu ranks: %s\n", communicator.size(), all[0] == 0.0 ? "the same bytes" : "OTHER BYTES");
  return all[0] == 0.0 ? 0 : 1;
}

int fail(kd::MpiCommunicator& communicator, std::size_t failing) {
  const kd::CsrMatrix plays = kd::synthetic_listening({.users = 600, .items = 300, .items_per_user = 20}).matrix;
  kd::AlsOptions options{.factors = 8, .iterations = 2, .units = kd::Units::paper};
  options.confidence.curve = kd::Confidence::custom;
  options.confidence.function = [&](double r, kd::Offset, kd::Offset) {
    if (communicator.rank() == failing) throw std::runtime_error("no such confidence");
    return r;
  };
  kd::ImplicitALS<float> als(options);
  const kd::CommunicatorTeam team(communicator);
  als.fit(plays, {.team = &team});
  return 0;
}

int go_on(kd::MpiCommunicator& communicator, const std::string& path, std::size_t killed, long after) {
  const kd::CsrMatrix plays = kd::synthetic_listening({.users = 2'000, .items = 900, .items_per_user = 40}).matrix;
  kd::AlsOptions options{.factors = 24, .iterations = 8, .units = kd::Units::paper};
  std::atomic<long> left{after};
  options.confidence.curve = kd::Confidence::custom;
  options.confidence.function = [&](double r, kd::Offset, kd::Offset) {
    if (communicator.rank() == killed && left-- == 0) (void)std::raise(SIGKILL);
    return r;
  };
  kd::ImplicitALS<float> als(options);
  const kd::CommunicatorTeam team(communicator);
  kd::fit_with_checkpoints(als, plays, path, {}, {.team = &team});
  if (communicator.rank() == 0) std::printf("%s\n", digest(als).c_str());
  return 0;
}

int speed(kd::MpiCommunicator& communicator, std::size_t threads, const std::string& hetrec) {
  const kd::CsrMatrix plays = hetrec.empty() ? kd::synthetic_listening({.users = 20'000, .items = 67'000, .items_per_user = 70}).matrix
                                             : kd::read_hetrec2011_lastfm(hetrec).matrix;
  kd::ImplicitALS<float> als({.factors = 64, .iterations = 6, .units = kd::Units::paper});
  const kd::CommunicatorTeam team(communicator);
  const kd::FitReport report = als.fit(plays, {.team = &team});
  double best = report.iterations.front().seconds;
  for (const kd::FitReport::Iteration& iteration : report.iterations) best = (std::min)(best, iteration.seconds);
  if (communicator.rank() == 0)
    std::printf(
        "%zu ranks of %zu threads: %.4f s an iteration, %s; of all: gram %.3f, eigenbasis %.3f, turning %.3f, items %.3f, users %.3f s\n",
        communicator.size(), threads, best, digest(als).c_str(), report.gram_seconds, report.eigen_seconds, report.rotate_seconds,
        report.item_seconds, report.user_seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int answer = 2;
  {
    kd::MpiCommunicator communicator;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto number = [&](std::size_t n, long otherwise) {
      return n < arguments.size() ? std::strtol(arguments[n].c_str(), nullptr, 10) : otherwise;
    };
    try {
      const std::string what = arguments.empty() ? "" : arguments[0];
      if (what == "same")
        answer = same(communicator, arguments.at(1), static_cast<kd::Index>(number(2, 1'500)), static_cast<kd::Index>(number(3, 700)));
      if (what == "fail") answer = fail(communicator, static_cast<std::size_t>(number(2, 0)));
      if (what == "go_on") answer = go_on(communicator, arguments.at(1), static_cast<std::size_t>(number(2, -1)), number(3, -1));
      if (what == "speed") answer = speed(communicator, static_cast<std::size_t>(number(1, 1)), arguments.size() > 2 ? arguments[2] : "");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "rank %zu: %s\n", communicator.rank(), error.what());
      answer = 3;
    }
  }
  MPI_Finalize();
  return answer;
}
