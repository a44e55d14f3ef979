// SPDX-License-Identifier: MIT
#include <kindred/persistence/checkpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/child_process.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same.hpp"
#include "../support/simd_levels.hpp"
#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES
#include <signal.h>
#endif

namespace kd = kindred;
using doctest::Contains;
using kindred_test::random_matrix;
using kindred_test::small_als;

namespace {

/// Fits with checkpoints until `stop_after` iterations are done, then fails.
template <typename T>
void interrupted(kd::ImplicitALS<T>& model, const kd::CsrView& train, const std::string& path, std::size_t stop_after,
                 kd::SimdLevel simd = kd::SimdLevel::best, const kd::CheckpointOptions& checkpoints = {}) {
  typename kd::ImplicitALS<T>::FitOptions fit;
  fit.execution.simd = simd;
  fit.after_iteration = [&](const kd::ImplicitALS<T>&, const kd::FitReport::Iteration& done) {
    if (done.iteration > stop_after) throw std::runtime_error("power cut");
  };
  CHECK_THROWS_WITH(kd::fit_with_checkpoints(model, train, path, checkpoints, fit), "power cut");
}

}  // namespace

TEST_SUITE("fit_with_checkpoints") {
  TEST_CASE_TEMPLATE("a resumed fit ends in the bytes of one that was not interrupted, whatever the options", T, float, double) {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.15, 8);
    std::vector<std::pair<std::string, kd::AlsOptions>> settings = kindred_test::all_settings();
    kd::AlsOptions by_loss = small_als();
    by_loss.loss_tolerance = 0.02;
    by_loss.iterations = 50;
    settings.emplace_back("tolerance", by_loss);
    for (auto& setting : settings) {
      const std::string& name = setting.first;
      kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      options.iterations = (std::max)(*options.iterations, std::size_t{6});
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        const kd::Execution run{.threads = 1, .simd = level};
        kd::ImplicitALS<T> whole(options), pieces(options);
        const kd::FitReport report = whole.fit(train, {.execution = {.simd = level}});
        const kd::test::TemporaryDirectory directory;
        const std::string path = directory.path("fit");
        interrupted(pieces, train, path, 2, level);
        CHECK(!pieces.fitted());
        interrupted(pieces, train, path, 3, level);
        kd::ImplicitALS<T> resumed(options);
        const kd::FitReport rest = kd::fit_with_checkpoints(resumed, train, path, {}, {.execution = run});
        CHECK(rest.iterations.front().iteration == 4);
        CHECK(rest.iterations.back().iteration == report.iterations.back().iteration);
        CHECK(rest.stop == report.stop);
        CHECK(kindred_test::same_model(whole, resumed));
      }
    }
  }

  TEST_CASE("every N iterations, and further than was planned") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.15, 8);
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("fit");
    kd::AlsOptions options = small_als();
    options.iterations = 8;
    kd::ImplicitALS<float> model(options);
    interrupted(model, train, path, 2, kd::SimdLevel::best, {.every = 3});
    CHECK(!std::filesystem::exists(path));
    interrupted(model, train, path, 5, kd::SimdLevel::best, {.every = 3});
    CHECK(kd::fit_with_checkpoints(model, train, path).iterations.front().iteration == 4);
    // The last one written is that of iteration 7, and it goes on from there.
    CHECK(kd::fit_with_checkpoints(model, train, path).iterations.size() == 1);
    options.iterations = 12;
    kd::ImplicitALS<float> longer(options), whole(options);
    CHECK(kd::fit_with_checkpoints(longer, train, path).iterations.size() == 5);
    whole.fit(train);
    CHECK(kindred_test::same_model(longer, whole));
    CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(model, train, path),
                         "iterations is 8; it must be above the 11 of the fit that is resumed", kd::InvalidArgument);
  }

  TEST_CASE("a checkpoint of another matrix, other options, another build or level, or damaged") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.15, 8);
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("fit");
    kd::AlsOptions options = small_als();
    options.iterations = 5;
    kd::ImplicitALS<float> model(options);
    interrupted(model, train, path, 2);
    CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(model, random_matrix(60, 40, 0.15, 9), path), Contains("of another fit: its train is"),
                         kd::FormatError);
    kd::AlsOptions other = options;
    other.confidence.alpha = 0.8;
    kd::ImplicitALS<float> changed(other);
    CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(changed, train, path), Contains("\"confidence.alpha\":0.7"), kd::FormatError);
    kd::ImplicitALS<double> wider(options);
    CHECK_THROWS_AS(kd::fit_with_checkpoints(wider, train, path), kd::FormatError);
    CHECK_THROWS_WITH_AS((void)kd::load<kd::ImplicitALS<float>>(path), Contains("it holds a model of kind checkpoint of ImplicitALS"),
                         kd::FormatError);

    if (kd::highest_simd_level() != kd::SimdLevel::base) {
      const kd::Execution base{.simd = kd::SimdLevel::base};
      kd::ImplicitALS<float> elsewhere(options);
      CHECK_THROWS_WITH_AS(kd::fit_with_checkpoints(elsewhere, train, path, {}, {.execution = base}), Contains("is of another build"),
                           kd::FormatError);
      CHECK(!elsewhere.fitted());
      CHECK(kd::fit_with_checkpoints(elsewhere, train, path, {.other_build = kd::OtherBuild::accept}, {.execution = base})
                .iterations.front()
                .iteration == 3);
      CHECK(elsewhere.fitted());
    }
    const std::string damaged = directory.file("not a checkpoint", "damaged");
    CHECK_THROWS_AS(kd::fit_with_checkpoints(model, train, damaged), kd::FormatError);
    CHECK_THROWS_AS(kd::fit_with_checkpoints(model, train, directory.path("no/folder")), kd::IoError);
    CHECK_THROWS_AS(kd::fit_with_checkpoints(model, train, path, {.every = 0}), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::fit_with_checkpoints(model, train, path, {}, {.initial_users = kd::FactorMatrix<float>(60, 6)}),
                    kd::InvalidArgument);
    CHECK(!model.fitted());
  }

#if KINDRED_POSIX_FILES
  // KINDRED_KILL_ROUNDS in the environment: how many times, 10 if it is not set.
  TEST_CASE("killed at any time: the checkpoint is whole, and resuming ends in the same bytes") {
    const char* const asked = std::getenv("KINDRED_KILL_ROUNDS");
    const int rounds = asked != nullptr ? std::atoi(asked) : 10;
    const kd::CsrMatrix train = random_matrix(3000, 2000, 0.002, 12);
    kd::AlsOptions options = small_als();
    options.factors = 40;
    options.iterations = 12;
    kd::ImplicitALS<float> whole(options);
    whole.fit(train);
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("fit");
    const kd::detail::Stopwatch watch;
    kd::ImplicitALS<float> uninterrupted(options);
    kd::fit_with_checkpoints(uninterrupted, train, path);
    CHECK(kindred_test::same_model(uninterrupted, whole));
    const double longest = watch.seconds();

    kd::detail::Random random(17, kd::detail::RandomStream::sample, 0);
    int kills = 0, found = 0, in_writing = 0;
    std::vector<int> reached(*options.iterations + 1, 0);
    for (int round = 0; round < rounds; ++round) {
      std::filesystem::remove(path);
      const int times = 1 + static_cast<int>(random.below(3));
      for (int time = 0; time < times; ++time) {
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
          kd::ImplicitALS<float> model(options);
          try {
            (void)kd::fit_with_checkpoints(model, train, path);
          } catch (...) {
            _exit(1);
          }
          _exit(kindred_test::same_model(model, whole) ? 0 : 2);
        }
        const double share = random.uniform();
        usleep(static_cast<useconds_t>(1e6 * longest * share * share));  // the disk is often faster than it was when `longest` was taken
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        if (WIFEXITED(status)) CHECK(WEXITSTATUS(status) == 0);
        if (WIFSIGNALED(status)) ++kills;
        for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
          if (entry.path().extension() == ".part") ++in_writing;
        if (!std::filesystem::exists(path)) continue;
        ++found;
        const auto snapshot = kd::detail::read_checkpoint<float>(path, options, {}, kd::detail::fingerprint(train), kd::OtherBuild::refuse);
        ++reached[snapshot.iteration];
      }
      kd::ImplicitALS<float> resumed(options);
      kd::fit_with_checkpoints(resumed, train, path);
      CHECK(kindred_test::same_model(resumed, whole));
    }
    std::string spread;
    for (std::size_t n = 1; n < options.iterations; ++n) spread += " " + std::to_string(reached[n]);
    MESSAGE(rounds << " rounds, " << kills << " kills, " << found << " checkpoints found (by iteration:" << spread << "), " << in_writing
                   << " times in the middle of writing");
    CHECK(kills >= rounds / 2);
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), std::filesystem::directory_iterator()) == 1);
  }
#endif
}
