// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Values that all processes of a team must have in common, each by its name and 64 bits of its bytes.
class Digest {
 public:
  struct Value {
    std::string_view name;  // of static storage
    std::uint64_t bits = 0;
  };

  void add(std::string_view name, std::span<const std::byte> bytes);
  template <typename T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void add(std::string_view name, const T& value) {
    add(name, std::as_bytes(std::span(&value, 1)));
  }
  template <typename T>
  void add(std::string_view name, const std::optional<T>& value) {
    add(name, value ? std::as_bytes(std::span(&*value, 1)) : std::span<const std::byte>());
  }
  template <typename T>
  void add(std::string_view name, std::span<const T> values) {
    add(name, std::as_bytes(values));
  }

  [[nodiscard]] std::span<const Value> values() const noexcept { return values_; }

 private:
  std::vector<Value> values_;
};

/// The processes that share a piece of work: this one is `rank()` of `size()`. A team of one, in which every exchange does nothing;
/// distributed/team.hpp makes others.
///
/// All members make the same calls in the same order. An exchange between them is a meeting: where one member has failed before it, all throw there.
class Team {
 public:
  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  virtual ~Team() = default;

  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Where the run of each member begins if `units` are dealt evenly: length size + 1.
  [[nodiscard]] std::vector<std::uint64_t> even_shares(std::size_t units) const;

  /// All-gathers an array with entries of `unit` bytes, of which this member has filled [starts[rank], starts[rank + 1]).
  virtual void gather(std::span<std::byte>, std::span<const std::uint64_t> /*starts*/, std::size_t /*unit*/) const {}
  /// Makes each number the sum over all members, in no promised order.
  virtual void sum(std::span<double>) const {}
  /// Throws in all members if there is an error in one: its own error there, an Error with its rank and words elsewhere.
  virtual void agree(const std::exception_ptr& error) const {
    if (error) std::rethrow_exception(error);
  }
  /// @throws InvalidArgument in all members, naming the first value that differs between two.
  virtual void agree(const Digest&) const {}
  /// Calls `body`, which meets the others, and agrees on what it throws anywhere in between.
  virtual void together(const std::function<void()>& body) const { body(); }

  /// Calls `body`, which must not communicate, then agrees on what it throws.
  template <typename Body>
  void on(Body&& body) const {
    std::exception_ptr error;
    try {
      body();
    } catch (...) {
      error = std::current_exception();
    }
    agree(error);
  }

  /// The answer of rank 0 for all. `ask` is called there alone.
  template <typename Answer, typename Ask>
  [[nodiscard]] Answer answer_of_first(Ask&& ask) const {
    double answer = 0.0;
    on([&] {
      if (rank_ == 0) answer = static_cast<double>(ask());
    });
    sum(std::span(&answer, 1));
    return static_cast<Answer>(static_cast<int>(answer));
  }

  /// The numbers of all members, in the order of ranks.
  [[nodiscard]] std::vector<double> all_of(double own) const;

 protected:
  Team(std::size_t rank, std::size_t size) : rank_(rank), size_(size) {}

 private:
  std::size_t rank_ = 0;
  std::size_t size_ = 1;
};

/// Calls `body` within an agreement of `team`, if there is one.
template <typename Body>
void together(const Team* team, Body&& body) {
  if (team != nullptr)
    team->together(body);
  else
    body();
}

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/core/team.ipp>  // IWYU pragma: export
#endif
