// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/team.hpp>
#include <kindred/distributed/communicator.hpp>

namespace kindred::inline v0 {

/// The ranks of a communicator as the `team` of a fit, an evaluation, a search or a fit with checkpoints: these share their work among all ranks.
///
/// Every rank makes the same calls with the same matrices and options, and has the result of one process, to the byte. What must be the same is compared
/// before anything is computed. Where a rank fails, all throw: that one its error, the others an Error that names the rank; every model is as it was.
/// The communicator must outlive the team. For one thread at a time.
template <Communicator C>
class CommunicatorTeam final : public detail::Team {
 public:
  explicit CommunicatorTeam(C& communicator) : Team(communicator.rank(), communicator.size()), communicator_(communicator) {}

  /// @throws as all calls here if another rank has failed; what the communicator throws.
  void gather(std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t unit) const override {
    agree(nullptr);
    communicator_.all_gather_v(data, starts, unit);
  }
  void sum(std::span<double> numbers) const override {
    agree(nullptr);
    communicator_.all_reduce(numbers);
  }

  void agree(const std::exception_ptr& error) const override {
    all_throw_ = false;
    std::vector<double> failed(size(), 0.0);
    failed[rank()] = error ? 1.0 : 0.0;
    communicator_.all_reduce(failed);
    const auto first = std::find_if(failed.begin(), failed.end(), [](double flag) { return flag > 0.0; });
    if (first == failed.end()) return;
    const auto root = static_cast<std::size_t>(first - failed.begin());
    std::string text = root == rank() ? words_of(error) : std::string();
    std::uint64_t length = text.size();
    communicator_.broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
    text.resize(static_cast<std::size_t>(length));
    communicator_.broadcast(std::as_writable_bytes(std::span(text.data(), text.size())), root);
    all_throw_ = true;
    if (error) std::rethrow_exception(error);
    throw Error("rank " + std::to_string(root) + ": " + text);
  }

  void agree(const detail::Digest& digest) const override {
    const std::span<const detail::Digest::Value> values = digest.values();
    std::vector<double> halves(2 * values.size() * size(), 0.0);  // whole numbers below 2^32: sums with 0 are exact
    const auto row = [&](std::size_t rank) { return halves.data() + 2 * values.size() * rank; };
    for (std::size_t n = 0; n < values.size(); ++n) {
      row(rank())[2 * n] = static_cast<double>(values[n].bits >> 32);
      row(rank())[2 * n + 1] = static_cast<double>(values[n].bits & 0xFFFFFFFFu);
    }
    sum(halves);
    for (std::size_t r = 1; r < size(); ++r)
      for (std::size_t n = 0; n < values.size(); ++n)
        if (row(r)[2 * n] != row(0)[2 * n] || row(r)[2 * n + 1] != row(0)[2 * n + 1])
          throw InvalidArgument("'" + std::string(values[n].name) + "' on rank " + std::to_string(r), "another one", "what rank 0 has");
  }

  /// An error that cannot be agreed upon, because the network itself fails, ends all ranks.
  void together(const std::function<void()>& body) const override {
    std::exception_ptr error;
    all_throw_ = false;
    try {
      body();
      agree(nullptr);
    } catch (...) {
      if (all_throw_) throw;
      error = std::current_exception();
    }
    if (!error) return;
    try {
      agree(error);
    } catch (...) {
      if (!all_throw_) communicator_.abort(words_of(error));
      throw;
    }
  }

 private:
  [[nodiscard]] static std::string words_of(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& known) {
      return known.what();
    } catch (...) {
      return "an error of an unknown type";
    }
  }

  C& communicator_;
  mutable bool all_throw_ = false;  // an agreement has ended in an error, on its way to the caller
};

}  // namespace kindred::inline v0
