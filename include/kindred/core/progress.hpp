// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

/// How far a long call has come.
struct Progress {
  std::string_view what;         ///< The work, for people: "fit", "evaluate", "random search".
  std::size_t done = 0;          ///< Steps finished.
  std::size_t total = 0;         ///< Steps in all.
  double elapsed_seconds = 0.0;  ///< Since the call began.
};

/// What the caller of a long call wants next.
enum class ProgressAnswer {
  keep_going,
  stop_and_keep,  ///< End here and keep what is done.
  cancel,         ///< Throw Cancelled and change nothing.
};

/// Called on the calling thread after every step of a long call. May be empty.
using ProgressCallback = std::function<ProgressAnswer(const Progress&)>;

namespace detail {

/// Seconds since it was made.
class Stopwatch {
 public:
  Stopwatch() noexcept : start_(now()) {}
  /// Since the construction.
  [[nodiscard]] double seconds() const noexcept { return static_cast<double>(now() - start_) * 1e-9; }

 private:
  /// Nanoseconds of a clock that never goes back.
  [[nodiscard]] static std::int64_t now() noexcept;

  std::int64_t start_;
};

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/core/progress.ipp>  // IWYU pragma: export
#endif
