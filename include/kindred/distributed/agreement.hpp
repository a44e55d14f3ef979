// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0::detail {

/// Errors that all ranks hear of. Where one rank fails, all throw: it its own error, the others an Error with its rank and words.
///
/// What ranks do together is agreed upon before each exchange: then a rank that fails anywhere in between meets the others at their next agreement.
template <Communicator C>
class Agreement {
 public:
  explicit Agreement(C& communicator) : communicator_(communicator) {}

  void operator()(const std::exception_ptr& error) {
    std::vector<double> failed(communicator_.size(), 0.0);
    failed[communicator_.rank()] = error ? 1.0 : 0.0;
    communicator_.all_reduce(failed);
    const auto first = std::find_if(failed.begin(), failed.end(), [](double flag) { return flag > 0.0; });
    if (first == failed.end()) return;
    const auto root = static_cast<std::size_t>(first - failed.begin());
    std::string text = root == communicator_.rank() ? words_of(error) : std::string();
    std::uint64_t length = text.size();
    communicator_.broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
    text.resize(static_cast<std::size_t>(length));
    communicator_.broadcast(std::as_writable_bytes(std::span(text.data(), text.size())), root);
    reached_ = true;
    if (error) std::rethrow_exception(error);
    throw Error("rank " + std::to_string(root) + ": " + text);
  }

  /// Calls `body`, which agrees before every exchange, and agrees on what it throws. An error that cannot be agreed upon, because the network itself
  /// fails, ends all ranks.
  template <typename Body>
  void together(Body&& body) {
    std::exception_ptr error;
    try {
      body();
      (*this)(nullptr);
    } catch (...) {
      if (reached_) throw;
      error = std::current_exception();
    }
    if (!error) return;
    try {
      (*this)(error);
    } catch (...) {
      if (!reached_) communicator_.abort(words_of(error));
      throw;
    }
  }

  /// Calls `body` and agrees on what it throws.
  template <typename Body>
  void on(Body&& body) {
    std::exception_ptr error;
    try {
      body();
    } catch (...) {
      error = std::current_exception();
    }
    (*this)(error);
  }

  /// All ranks are throwing.
  [[nodiscard]] bool reached() const noexcept { return reached_; }

  [[nodiscard]] static std::string words_of(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& known) {
      return known.what();
    } catch (...) {
      return "an error of an unknown type";
    }
  }

 private:
  C& communicator_;
  bool reached_ = false;
};

/// Values that all ranks of a job must have in common, each by its name: a difference is an error before anything is computed from it.
class CommonValues {
 public:
  void add(std::string_view name, std::span<const std::byte> bytes) {
    Xxh64 hash;
    hash.update(bytes);
    values_.emplace_back(name, hash.digest());
  }
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
  void add(MatrixShape shape) {
    add("users", shape.users);
    add("items", shape.items);
  }
  /// All options of a fit.
  void add(const AlsOptions& options) {
    visit_fields(options, [&](std::string_view name, const auto& field, const auto&...) { add(name, field); });
  }

  /// Every rank calls it with values of the same names. @throws InvalidArgument naming the first value that differs on another rank.
  template <Communicator C>
  void check(C& communicator) const {
    std::vector<double> halves(2 * values_.size() * communicator.size(), 0.0);  // whole numbers below 2^32: sums with 0 are exact
    const auto row = [&](std::size_t rank) { return halves.data() + 2 * values_.size() * rank; };
    for (std::size_t n = 0; n < values_.size(); ++n) {
      row(communicator.rank())[2 * n] = static_cast<double>(values_[n].second >> 32);
      row(communicator.rank())[2 * n + 1] = static_cast<double>(values_[n].second & 0xFFFFFFFFu);
    }
    communicator.all_reduce(halves);
    for (std::size_t r = 1; r < communicator.size(); ++r)
      for (std::size_t n = 0; n < values_.size(); ++n)
        if (row(r)[2 * n] != row(0)[2 * n] || row(r)[2 * n + 1] != row(0)[2 * n + 1])
          throw InvalidArgument("'" + std::string(values_[n].first) + "' on rank " + std::to_string(r), "another one", "what rank 0 has");
  }

 private:
  std::vector<std::pair<std::string_view, std::uint64_t>> values_;
};

/// The numbers of all ranks, one row each.
template <Communicator C, std::size_t N>
[[nodiscard]] std::vector<std::array<double, N>> gathered(C& communicator, const std::array<double, N>& own) {
  std::vector<double> numbers(communicator.size() * N, 0.0);
  std::copy(own.begin(), own.end(), numbers.begin() + static_cast<std::ptrdiff_t>(communicator.rank() * N));
  communicator.all_reduce(numbers);
  std::vector<std::array<double, N>> rows(communicator.size());
  for (std::size_t n = 0; n < numbers.size(); ++n) rows[n / N][n % N] = numbers[n];
  return rows;
}

}  // namespace kindred::inline v0::detail
