// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

/// Runs `task(worker)` once for each worker in [0, workers), at the same time if it can, and returns when all have returned.
///
/// `task` does not throw. A program with a thread pool of its own hands in an executor; without one Kindred starts threads for a call and joins them.
/// A task that starts after the executor has returned does nothing; tasks that still run then are waited for. `task` itself stays valid until it was
/// called for every worker.
using Executor = std::function<void(std::size_t workers, const std::function<void(std::size_t worker)>& task)>;

/// Which instructions the kernels use. Results of different levels differ by rounding only; one level gives the same bytes everywhere.
enum class SimdLevel {
  best,    ///< The highest one that this processor has.
  base,    ///< What the compiler may use anywhere: SSE2 on x86-64, NEON on 64-bit ARM.
  avx2,    ///< AVX2 and FMA.
  avx512,  ///< AVX-512 F, VL, BW and DQ.
};

[[nodiscard]] constexpr std::string_view name_of(SimdLevel level) noexcept {
  switch (level) {
    case SimdLevel::best: return "best";
    case SimdLevel::base: return "base";
    case SimdLevel::avx2: return "avx2";
    case SimdLevel::avx512: return "avx512";
  }
  return "unknown";
}

/// How a call runs. The result is the same for any number of threads; no model and no file holds any of this.
struct Execution {
  std::size_t threads = 0;             ///< At most 4,096; 0: as many as the process may use (affinity and quota count). 1 starts none.
  const Executor* executor = nullptr;  ///< The caller's own threads, or none.
  SimdLevel simd = SimdLevel::best;    ///< Instructions to use.
};

namespace detail {

/// More is a mistake, -1 for "all" say, which would take all memory.
inline constexpr std::size_t most_threads = 4096;

[[gnu::cold]] KINDRED_ONCE void check_threads(std::size_t threads);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/core/execution.ipp>  // IWYU pragma: export
#endif
