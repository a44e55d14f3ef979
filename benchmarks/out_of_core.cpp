// SPDX-License-Identifier: MIT
// Interactions that do not fit into memory: how long a file of them takes to build and to fit, and how much memory that needs.
//
//   out_of_core build PATH MILLIONS [LIMIT_MB]   a file of MILLIONS made-up interactions, under a memory limit (2,048 MB), which the system enforces too
//   out_of_core fit PATH FACTORS [THREADS]       one iteration from the file
//   out_of_core memory PATH FACTORS [THREADS]    the same from memory, where it fits; the factors' checksum is that of `fit`
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include <kindred/core/memory.hpp>
#include <kindred/core/random.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_writer.hpp>

namespace kd = kindred;

namespace {

/// A number of kB from /proc/self/status, in MB.
double status_mb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024.0;
  return 0.0;
}

/// The most anonymous memory seen, looked at every 5 ms.
class AnonymousPeak {
 public:
  AnonymousPeak()
      : watcher_([this] {
          while (!done_) {
            most_ = (std::max)(most_.load(), status_mb("RssAnon"));
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}
  AnonymousPeak(const AnonymousPeak&) = delete;
  AnonymousPeak& operator=(const AnonymousPeak&) = delete;
  ~AnonymousPeak() {
    done_ = true;
    watcher_.join();
  }
  [[nodiscard]] double megabytes() const { return most_; }

 private:
  std::atomic<double> most_{0.0};
  std::atomic<bool> done_{false};
  std::thread watcher_;
};

/// Interaction n: users have some 60 items each, and items are popular by a power law that a product of two uniform numbers makes.
void build(const std::string& path, std::uint64_t count, std::uint64_t limit_mb) {
  const rlimit limit{limit_mb << 20, limit_mb << 20};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) std::perror("setrlimit");
  const kd::detail::Stopwatch watch;
  const AnonymousPeak peak;
  const auto users = static_cast<std::uint32_t>(count / 60 + 1), items = static_cast<std::uint32_t>(count / 300 + 1);
  kd::CsrFileWriter writer(path, {.memory_limit = limit_mb * 9 / 10 << 20});
  for (std::uint64_t n = 0; n < count; ++n) {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, n);
    const auto user = static_cast<kd::Index>(random.below(users));
    const double popular = random.uniform() * random.uniform();
    writer.add(user, static_cast<kd::Index>(popular * static_cast<double>(items)), static_cast<float>(1 + random.below(20)));
  }
  const double added = watch.seconds();
  writer.finish(kd::MatrixShape{static_cast<kd::Index>(users), static_cast<kd::Index>(items)});
  const kd::CsrFile file(path);
  std::printf(
      "built %lld interactions of %u users and %u items in %.1f s (%.1f s adding), %.2f million a second; anonymous memory up to %.0f MB\n",
      static_cast<long long>(file.nnz()), users, items, watch.seconds(), added, static_cast<double>(count) / watch.seconds() / 1e6,
      peak.megabytes());
}

template <typename Source>
void fit(const Source& source, std::size_t factors, std::size_t threads) {
  kd::ImplicitALS<float> als({.factors = factors, .iterations = 1, .units = kd::Units::paper});
  const kd::FitReport report = als.fit(source, {.execution = {.threads = threads}});
  kd::detail::Xxh64 hash;
  for (const auto* matrix : {&als.user_factors(), &als.item_factors()})
    hash.update(std::as_bytes(std::span(matrix->data(), static_cast<std::size_t>(matrix->rows()) * matrix->stride())));
  const double factors_mb =
      static_cast<double>((static_cast<std::size_t>(als.shape().users) + static_cast<std::size_t>(als.shape().items)) *
                          als.user_factors().stride() * sizeof(float)) /
      1048576.0;
  std::printf("prepare %.1f s, iteration %.2f s (%.2f million interactions a second), all %.1f s; factors %.0f MB, checksum %s\n",
              report.prepare_seconds, report.iterations.front().seconds,
              2.0 * static_cast<double>(source.nnz()) / report.iterations.front().seconds / 1e6, report.seconds, factors_mb,
              kd::detail::digest_text(hash.digest()).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) {
    std::fprintf(stderr, "out_of_core build PATH MILLIONS [LIMIT_MB] | fit PATH FACTORS [THREADS] | memory PATH FACTORS [THREADS]\n");
    return 2;
  }
  const std::uint64_t number = std::strtoull(arguments[2].c_str(), nullptr, 10);
  const std::uint64_t more = arguments.size() > 3 ? std::strtoull(arguments[3].c_str(), nullptr, 10) : 0;
  try {
    if (arguments[0] == "build") {
      build(arguments[1], number * 1'000'000, more > 0 ? more : 2'048);
      return 0;
    }
    const AnonymousPeak peak;
    const kd::CsrFile file(arguments[1]);
    if (arguments[0] == "fit") {
      fit(file, number, more);
    } else {
      kd::detail::CsrBuilder builder(file.shape());
      builder.reserve(static_cast<std::size_t>(file.nnz()));
      for (std::size_t n = 0; n < file.block_count(); ++n) {
        const kd::RowBlock block = file.block(n);
        for (kd::Index r = 0; r < block.rows.rows(); ++r) {
          const kd::SparseRow row = block.rows.row(r);
          for (std::size_t at = 0; at < row.size(); ++at) builder.add(row.columns[at], row.values[at]);
          builder.end_row();
        }
        file.release(n);
      }
      fit(builder.finish(), number, more);
    }
    std::printf("anonymous memory up to %.0f MB\n", peak.megabytes());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
