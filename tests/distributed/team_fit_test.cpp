// SPDX-License-Identifier: MIT
#include <kindred/distributed/team.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/models/als/memory_estimate.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/by_ranks.hpp"
#include "../support/same.hpp"
#include "../support/temporary_file.hpp"
#include "../support/thread_communicator.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

const kd::CsrMatrix& plays() {
  static const kd::CsrMatrix matrix = kd::synthetic_listening({.users = 1'100, .items = 500, .items_per_user = 25}).matrix;
  return matrix;
}

kd::AlsOptions small() { return {.factors = 10, .iterations = 2, .units = kd::Units::paper}; }

}  // namespace

TEST_SUITE("distributed/team_fit") {
  TEST_CASE("the bytes and losses of one process, for any number of ranks, every solver and kind of weight") {
    std::vector<kd::AlsOptions> settings(10, small());
    settings[1].solver.kind = kd::Solver::conjugate_gradient;
    settings[1].confidence.cap_quantile = 0.8;
    settings[2].confidence.curve = kd::Confidence::log;
    settings[3].background.item_exponent = 0.4;
    settings[3].background.user_exponent = 0.3;
    settings[3].confidence.popularity_damping = 0.3;
    settings[4].loss_tolerance = 0.5;
    settings[4].iterations = 5;
    settings[5].start.kind = kd::Start::spectral;
    settings[6].start.kind = kd::Start::spectral;
    settings[6].solver.kind = kd::Solver::conjugate_gradient;
    settings[7] = {.factors = 10, .iterations = 2};  // Units::data: confidence, penalty, background and start from the data
    settings[8] = {.iterations = 1, .solver = {.kind = kd::Solver::conjugate_gradient}};
    settings[9].item_bias = 0.7;
    for (const kd::AlsOptions& options : settings) {
      kd::ImplicitALS<float> one(options);
      const kd::FitReport wanted = one.fit(plays(), {.record_loss = true});
      for (const std::size_t ranks : {1u, 2u, 3u, 4u, 7u}) {
        std::atomic<int> same{0};
        kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
          kd::ImplicitALS<float> als(options);
          const kd::FitReport report = kindred_test::fit_by_ranks(communicator, als, plays(), {.record_loss = true});
          same += kindred_test::same_model(als, one) && report.iterations.size() == wanted.iterations.size() &&
                          report.iterations.back().loss->total == wanted.iterations.back().loss->total &&
                          report.iterations.back().loss->loss_per_total_weight == wanted.iterations.back().loss->loss_per_total_weight
                      ? 1
                      : 0;
        });
        CHECK(same == static_cast<int>(ranks));
      }
    }
  }

  TEST_CASE("a spectral start of a file, in double, cancelled within, and with another number of power steps on a rank") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    kd::CsrFileWriter writer(path);
    for (kd::Index u = 0; u < plays().rows(); ++u)
      for (std::size_t n = 0; n < plays().row(u).size(); ++n) writer.add(u, plays().row(u).columns[n], plays().row(u).values[n]);
    writer.finish(plays().shape());
    kd::AlsOptions options = small();
    options.start.kind = kd::Start::spectral;
    kd::ImplicitALS<double> one(options);
    one.fit(plays());
    for (const std::size_t ranks : {1u, 2u, 3u, 4u}) {
      std::atomic<int> same{0}, cancelled{0};
      kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
        const kd::CsrFile file(path, 2'000);
        kd::ImplicitALS<double> als(options);
        try {
          kindred_test::fit_by_ranks(communicator, als, file, {.progress = [](const kd::Progress& progress) {
                                       return progress.done == 3 ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going;
                                     }});
        } catch (const kd::Error&) {  // rank 0 was asked, the others hear of it
          cancelled += als.fitted() ? 0 : 1;
        }
        kindred_test::fit_by_ranks(communicator, als, file);
        same += kindred_test::same_model(als, one) ? 1 : 0;
      });
      CHECK(cancelled == static_cast<int>(ranks));
      CHECK(same == static_cast<int>(ranks));
    }
    std::atomic<int> refused{0};
    kd::test::ThreadCommunicator::run(2, [&](kd::test::ThreadCommunicator& communicator) {
      kd::AlsOptions own = options;
      own.start.power_steps = communicator.rank() + 1;
      kd::ImplicitALS<float> als(own);
      try {
        kindred_test::fit_by_ranks(communicator, als, plays());
      } catch (const kd::Error& error) {
        refused += std::string(error.what()).find("start.power_steps") != std::string::npos ? 1 : 0;
      }
    });
    CHECK(refused == 2);
  }

  TEST_CASE("more ranks than blocks of a Gram matrix") {
    const kd::CsrMatrix few = kd::synthetic_listening({.users = 90, .items = 40, .items_per_user = 8}).matrix;
    kd::ImplicitALS<float> one(small());
    one.fit(few);
    std::atomic<int> same{0};
    kd::test::ThreadCommunicator::run(5, [&](kd::test::ThreadCommunicator& communicator) {
      kd::ImplicitALS<float> als(small());
      kindred_test::fit_by_ranks(communicator, als, few);
      same += kindred_test::same_model(als, one) ? 1 : 0;
    });
    CHECK(same == 5);
  }

#if defined(KINDRED_TEST_DATA_DIR)
  TEST_CASE("public data: HetRec's Last.fm") {
    const kd::CsrMatrix listened = kd::read_hetrec2011_lastfm(KINDRED_TEST_DATA_DIR "/hetrec2011-lastfm-2k/user_artists.dat").matrix;
    kd::AlsOptions options = kindred_test::play_counts();
    options.iterations = 2;
    kd::ImplicitALS<float> one(options);
    one.fit(listened, {.execution = {.threads = 1}});
    for (const std::size_t ranks : {1u, 2u, 3u, 4u}) {
      std::atomic<int> same{0};
      kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
        kd::ImplicitALS<float> als(options);
        kindred_test::fit_by_ranks(communicator, als, listened, {.execution = {.threads = 1}});
        same += kindred_test::same_model(als, one) ? 1 : 0;
      });
      CHECK(same == static_cast<int>(ranks));
    }
  }
#endif

  TEST_CASE("from a file, of which each rank reads its own rows; in double; and from given factors") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    kd::CsrFileWriter writer(path);
    for (kd::Index u = 0; u < plays().rows(); ++u)
      for (std::size_t n = 0; n < plays().row(u).size(); ++n) writer.add(u, plays().row(u).columns[n], plays().row(u).values[n]);
    writer.finish(plays().shape());
    kd::ImplicitALS<double> before(small());
    before.fit(plays());
    const kd::ImplicitALS<double>::FitOptions going_on{.initial_users = before.user_factors()};
    kd::ImplicitALS<double> one(small());
    one.fit(plays(), going_on);
    std::atomic<int> same{0};
    kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
      const kd::CsrFile file(path, 2'000);
      kd::ImplicitALS<double> als(small());
      kindred_test::fit_by_ranks(communicator, als, file, going_on);
      same += kindred_test::same_model(als, one) ? 1 : 0;
    });
    CHECK(same == 3);
  }

  TEST_CASE("a rank receives its part of the factors and of the Gram matrices, within a tenth") {
    // Of all that is gathered in an iteration: the factors of both sides, and the blocks of a Gram matrix a side.
    std::uint64_t gathered = kd::estimate_memory<float>(1'100, 500, plays().nnz(), small()).factors;
    for (const std::size_t rows : {1'100u, 500u})
      gathered += kd::detail::gram_blocks(rows, *small().factors) * kd::detail::gram_block_bytes(*small().factors);
    for (const std::size_t ranks : {2u, 3u, 4u}) {
      std::uint64_t received = 0;
      std::mutex mutex;
      kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
        kd::ImplicitALS<float> als(small());
        std::uint64_t before = 0, own = 0;
        kindred_test::fit_by_ranks(communicator, als, plays(), {.after_iteration = [&](const auto&, const auto&) {
                                     own = communicator.bytes_received() - before;  // in the end, of the last iteration
                                     before = communicator.bytes_received();
                                   }});
        const std::lock_guard lock(mutex);
        received += own;
      });
      // Each of `ranks` ranks receives (ranks - 1) / ranks of it.
      const double ratio = static_cast<double>(received) / static_cast<double>(gathered) / static_cast<double>(ranks - 1);
      CHECK(ratio > 0.9);
      CHECK(ratio < 1.1);
    }
  }

  TEST_CASE("an error of one rank ends all, by name; models stay as they were") {
    kd::AlsOptions options = small();
    options.confidence.curve = kd::Confidence::custom;
    for (const std::size_t failing : {0u, 2u}) {
      std::vector<std::string> errors(3);
      std::atomic<int> fitted{0};
      kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
        kd::AlsOptions own = options;
        own.confidence.function = [&, bad = communicator.rank() == failing](double r, kd::Offset, kd::Offset) {
          if (bad) throw std::runtime_error("no such confidence");
          return r;
        };
        kd::ImplicitALS<float> als(own);
        try {
          kindred_test::fit_by_ranks(communicator, als, plays());
        } catch (const std::exception& error) {
          errors[communicator.rank()] = error.what();
        }
        fitted += als.fitted() ? 1 : 0;
      });
      for (std::size_t rank = 0; rank < 3; ++rank)
        CHECK(errors[rank] == (rank == failing ? "no such confidence" : "rank " + std::to_string(failing) + ": no such confidence"));
      CHECK(fitted == 0);
    }
  }

  TEST_CASE("what fit refuses is refused on all ranks, each with its own error") {
    const auto refused = [](const kd::ImplicitALS<float>::FitOptions& fit, const kd::CsrMatrix& matrix) {
      std::atomic<int> errors{0};
      kd::test::ThreadCommunicator::run(2, [&](kd::test::ThreadCommunicator& communicator) {
        kd::ImplicitALS<float> als(small());
        try {
          kindred_test::fit_by_ranks(communicator, als, matrix, fit);
        } catch (const kd::InvalidArgument&) {
          ++errors;
        } catch (const kd::ShapeError&) {
          ++errors;
        }
      });
      return errors == 2;
    };
    CHECK(refused({.memory_limit = 1'000}, plays()));
    CHECK(refused({.snapshot_every = 0}, plays()));
    CHECK(refused({.initial_users = kd::FactorMatrix<float>(3, 3)}, plays()));
    const kd::FitSnapshot<float> done{2, std::nullopt, {}, {}};
    CHECK(refused({.resume_from = &done}, plays()));
    CHECK(refused({}, kd::CsrMatrix({3, 4}, {0, 0, 0, 0}, {}, {})));
    kd::SerialCommunicator alone;
    kd::ImplicitALS<float> als(small());
    kindred_test::fit_by_ranks(alone, als, plays());
  }

  TEST_CASE("ranks that do not belong together are told so") {
    const auto error_of = [](auto&& change) {
      std::vector<std::string> errors(2);
      kd::test::ThreadCommunicator::run(2, [&](kd::test::ThreadCommunicator& communicator) {
        kd::AlsOptions options = small();
        kd::CsrMatrix matrix = plays();
        if (communicator.rank() == 1) change(options, matrix);
        kd::ImplicitALS<float> als(options);
        try {
          kindred_test::fit_by_ranks(communicator, als, matrix);
        } catch (const kd::Error& error) {
          errors[communicator.rank()] = error.what();
        }
      });
      CHECK(errors[0].empty() == errors[1].empty());
      return errors[1];
    };
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.factors = 11; }) ==
          "'factors' on rank 1 is another one; it must be what rank 0 has");
    // Every option counts: a silent mixture of two objectives would converge to neither.
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.confidence.alpha = 11; }) ==
          "'confidence.alpha' on rank 1 is another one; it must be what rank 0 has");
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.regularization = 11; }).find("'regularization'") == 0);
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.solver.kind = kd::Solver::conjugate_gradient; }).find("'solver.kind'") == 0);
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.loss_tolerance = 0.1; }).find("'loss_tolerance'") == 0);
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.confidence.cap = 3.0; }).find("'confidence.cap'") == 0);
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.seed += std::uint64_t{1} << 40; }).find("'seed'") == 0);
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.seed = 5; }) != "");
    CHECK(error_of([](kd::AlsOptions& o, kd::CsrMatrix&) { o.iterations = 3; }) != "");
    CHECK(error_of([](kd::AlsOptions&, kd::CsrMatrix& m) { m = kd::transpose(m); }) != "");
    CHECK(error_of([](kd::AlsOptions&, kd::CsrMatrix& m) { m = kd::select_rows(m, std::vector<kd::Index>{0}); }) != "");
  }

  TEST_CASE("progress of rank 0 decides for all; a callback that throws on one rank ends all") {
    std::atomic<int> asked{0}, iterations{0};
    kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
      kd::AlsOptions options = small();
      options.iterations = 9;
      kd::ImplicitALS<float> als(options);
      kd::ImplicitALS<float>::FitOptions fit;
      if (communicator.rank() == 0)
        fit.progress = [&](const kd::Progress& progress) {
          ++asked;
          return progress.done == 3 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
        };
      iterations += static_cast<int>(kindred_test::fit_by_ranks(communicator, als, plays(), fit).iterations.size());
    });
    CHECK(asked == 3);
    CHECK(iterations == 9);

    std::atomic<int> ended{0};
    kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
      kd::ImplicitALS<float> als(small());
      kd::ImplicitALS<float>::FitOptions fit;
      if (communicator.rank() == 1) fit.after_iteration = [](const auto&, const auto&) { throw std::runtime_error("enough"); };
      try {
        kindred_test::fit_by_ranks(communicator, als, plays(), fit);
      } catch (const std::exception& error) {
        ended += std::string(error.what()) == (communicator.rank() == 1 ? "enough" : "rank 1: enough") ? 1 : 0;
      }
    });
    CHECK(ended == 3);
  }
}
