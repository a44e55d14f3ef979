// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/models/als/memory_estimate.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

/// Where interactions are while they are fitted.
enum class Interactions { in_file, in_memory };

/// What connects ranks.
struct Network {
  double bytes_per_second = 1.25e9;  ///< Into one rank, > 0: 10 Gbit/s.
  double latency_seconds = 50e-6;    ///< Of one message, >= 0.
};

/// What a distributed fit takes of each rank.
struct DistributedPlan {
  std::uint64_t memory = 0;               ///< Bytes that fit allocates, as estimate_memory has them, less what is not held.
  std::uint64_t bytes_per_iteration = 0;  ///< Received by a rank.
  double seconds_per_iteration = 0.0;     ///< Of communication alone, at the network's speed.
};

/// Before a cluster is asked for: memory of a rank, and what an iteration moves. Every rank holds all factors; of `interactions` in memory, all of them too, as
/// each process that holds a CsrMatrix does. @throws InvalidArgument if a size, option or the network is out of range.
template <Real Scalar = float>
[[nodiscard]] DistributedPlan estimate_distributed(Index users, Index items, Offset nnz, const AlsOptions& asked, std::size_t ranks,
                                                   Interactions interactions = Interactions::in_file, const Network& network = {}) {
  if (ranks < 1) throw InvalidArgument("ranks", ranks, "at least 1");
  if (!(network.bytes_per_second > 0.0)) throw InvalidArgument("bytes_per_second", network.bytes_per_second, "above 0");
  if (!(network.latency_seconds >= 0.0)) throw InvalidArgument("latency_seconds", network.latency_seconds, "at least 0");
  const MemoryEstimate one = estimate_memory<Scalar>(users, items, nnz, asked);
  const detail::AlsSettings options = detail::settings_of(asked);
  DistributedPlan plan;
  plan.memory = one.total() - one.strengths - (interactions == Interactions::in_file ? one.transposed : 0);
  // Runs of rows are of equal cost, not length: a rank receives what it did not solve, on average this much.
  std::uint64_t moved = one.factors;
  for (const Index rows : {users, items})  // and its share of the blocks of both Gram matrices
    moved += detail::gram_blocks(static_cast<std::size_t>(rows), options.factors) * detail::gram_block_bytes(options.factors);
  plan.bytes_per_iteration = moved / ranks * (ranks - 1);
  const double messages = 4.0 * std::ceil(std::log2(static_cast<double>(ranks)));
  plan.seconds_per_iteration =
      static_cast<double>(plan.bytes_per_iteration) / network.bytes_per_second + messages * network.latency_seconds;
  return plan;
}

}  // namespace kindred::inline v0
