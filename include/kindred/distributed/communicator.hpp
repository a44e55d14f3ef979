// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <kindred/core/error.hpp>

namespace kindred::inline v0 {

/// Processes, or threads that stand for them, that work on one model: `rank()` of `size()`. Every call but rank(), size(), bytes_received() and abort() is made
/// by all of them, in the same order.
///
/// all_gather_v(data, starts, unit): rank r has filled in units [starts[r], starts[r + 1]) of `unit` bytes; afterwards everybody has all.
/// all_reduce(numbers): each becomes the sum over all ranks; in no promised order. broadcast(data, root): everybody gets root's bytes.
/// abort(why): ends all ranks, those that wait for this one too; it does not return.
/// bytes_received(): from other ranks so far, by a count of what had to come, whatever the network made of it.
template <typename C>
concept Communicator = requires(C& c, const C& seen, std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t number,
                                std::span<double> numbers, std::string_view why) {
  { seen.rank() } -> std::same_as<std::size_t>;
  { seen.size() } -> std::same_as<std::size_t>;
  { seen.bytes_received() } -> std::same_as<std::uint64_t>;
  c.all_gather_v(data, starts, number);
  c.all_reduce(numbers);
  c.broadcast(data, number);
  c.barrier();
  c.abort(why);
};

/// One process by itself.
class SerialCommunicator {
 public:
  [[nodiscard]] std::size_t rank() const noexcept { return 0; }
  [[nodiscard]] std::size_t size() const noexcept { return 1; }
  [[nodiscard]] std::uint64_t bytes_received() const noexcept { return 0; }
  void all_gather_v(std::span<std::byte>, std::span<const std::uint64_t>, std::size_t) noexcept {}
  void all_reduce(std::span<double>) noexcept {}
  void broadcast(std::span<std::byte>, std::size_t) noexcept {}
  void barrier() noexcept {}
  /// @throws Error with `why`.
  [[noreturn]] void abort(std::string_view why) { throw Error(std::string(why)); }
};

static_assert(Communicator<SerialCommunicator>);

namespace detail {

/// What a rank has received once all_gather_v is done: everything but its own.
[[nodiscard]] inline std::uint64_t gathered_bytes(std::span<const std::uint64_t> starts, std::size_t rank, std::size_t unit) noexcept {
  return (starts.back() - starts.front() - (starts[rank + 1] - starts[rank])) * unit;
}

}  // namespace detail

}  // namespace kindred::inline v0
