// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/distributed/communicator.hpp>

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
