// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>

namespace kindred::inline v0::detail {

/// How a parallel loop runs.
struct ParallelOptions {
  std::size_t threads = 0;             ///< At most 4,096. 0: as many as the process may use. 1 starts none.
  std::size_t grain = 1;               ///< Iterations dealt out at a time.
  const Executor* executor = nullptr;  ///< The caller's own threads, or none.
};

/// A loop of a call that runs as `execution` says. @throws InvalidArgument if there are too many threads.
[[nodiscard]] KINDRED_ONCE ParallelOptions loop_of(const Execution& execution, std::size_t grain);

/// The number of threads that `threads` stands for: itself, or for 0 as many as the process may use at once: hardware threads, those of its affinity or
/// its container's quota, whichever are fewest. @throws InvalidArgument if it is above 4,096.
[[nodiscard]] KINDRED_ONCE std::size_t resolve_threads(std::size_t threads);

/// Workers that parallel_for uses for `count` iterations; worker numbers are below it, so it sizes per-worker storage.
/// @throws InvalidArgument if options.threads is above 4,096.
[[nodiscard]] KINDRED_ONCE std::size_t worker_count(std::size_t count, const ParallelOptions& options);

/// parallel_for for any body: compiled once, however many loops a program has.
KINDRED_ONCE void run_pieces(std::size_t count, const ParallelOptions& options, void* body,
                             void (*call)(void* body, std::size_t first, std::size_t last, std::size_t worker));

/// Calls `body(first, last, worker)` for consecutive pieces [first, last) of [0, count), in rising order of dealing, over several threads.
///
/// Pieces are `grain` long and start at multiples of `grain`, whatever the number of threads. Where threads cannot be started, those that could do the work.
/// An exception in a body stops the dealing and is rethrown here once every worker has stopped; of several, one is kept.
/// @throws InvalidArgument if options.threads is above 4,096, or the caller's executor returned before the work was done; what the executor throws.
template <typename Body>
void parallel_for(std::size_t count, const ParallelOptions& options, Body&& body) {
  if (count == 0) return;
  using Called = std::remove_reference_t<Body>;
  run_pieces(
      count, options, const_cast<void*>(static_cast<const void*>(std::addressof(body))),
      [](void* called, std::size_t first, std::size_t last, std::size_t worker) { (*static_cast<Called*>(called))(first, last, worker); });
}

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/core/parallel.ipp>  // IWYU pragma: export
#endif
