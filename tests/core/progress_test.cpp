// SPDX-License-Identifier: MIT
#include <kindred/core/progress.hpp>

#include <cstddef>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("core/progress") {
  TEST_CASE("a callback sees how far the work is, and answers") {
    std::size_t last = 0;
    const kd::ProgressCallback callback = [&](const kd::Progress& progress) {
      last = progress.done;
      return progress.done == progress.total ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    CHECK(callback({.what = "fit", .done = 1, .total = 2}) == kd::ProgressAnswer::keep_going);
    CHECK(callback({.what = "fit", .done = 2, .total = 2}) == kd::ProgressAnswer::stop_and_keep);
    CHECK(last == 2);
    CHECK_FALSE(static_cast<bool>(kd::ProgressCallback{}));
  }

  TEST_CASE("a stopwatch never runs back") {
    const kd::detail::Stopwatch watch;
    double last = 0.0;
    for (int n = 0; n < 100; ++n) {
      const double now = watch.seconds();
      CHECK(now >= last);
      last = now;
    }
  }
}
