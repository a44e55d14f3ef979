// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/key_column.hpp>

namespace kindred::inline v0 {

/// How events become interactions. The defaults sum all events.
struct EventOptions {
  /// What one event of a kind counts.
  struct KindWeight {
    std::string kind;     ///< As in Events::kinds; a number is its decimal text.
    double weight = 1.0;  ///< Finite; negative for a dislike; 0 leaves the kind out.
  };

  /// What happens to an event whose kind has no weight.
  enum class Unlisted {
    refuse,  ///< An error that names the kind and its first row.
    drop,    ///< Left out and counted as "kind without a weight".
  };

  /// How the events of a (user, item) pair add up.
  enum class Repeats {
    summed,  ///< Each event counts.
    latest,  ///< The latest event of each kind counts once; at equal times, or without times, the one given last.
  };

  std::vector<KindWeight> weights = {};  ///< One for each kind. Required where events have kinds, and an error where they have none.
  Unlisted unlisted = Unlisted::refuse;  ///< Has an effect only where events have kinds.
  Repeats repeats = Repeats::summed;
  std::optional<std::int64_t> from = {};         ///< Seconds since the Unix epoch; earlier events are left out.
  std::optional<std::int64_t> until = {};        ///< Seconds since the Unix epoch; events at this time or later are left out. Above `from`.
  std::optional<double> half_life_seconds = {};  ///< Above 0: an event of this age counts half. None: age does not matter.
  std::optional<std::int64_t> reference = {};    ///< The time of age 0, for half_life_seconds. None: the last event that counts.
};

/// Events in memory, in columns that the caller keeps: event n is of kind `kinds[n]`, by user `users[n]`, on item `items[n]`, at `times[n]`, of value
/// `values[n]`. Rows in any order. const methods may be called from many threads.
///
/// The columns must outlive this object.
struct Events {
  KeyColumn users;                                        ///< Keys as Dataset::from_columns takes them; none an empty text.
  KeyColumn items;                                        ///< As long as `users`.
  std::span<const float> values = {};                     ///< As long, finite; empty: 1 each.
  std::span<const std::int64_t> times = {};               ///< As long, seconds since the Unix epoch, within 10^11 of it; empty: unknown.
  KeyColumn kinds = std::span<const std::string_view>();  ///< As long, text or whole numbers, none an empty text; empty: one kind.

  /// Builds a dataset whose matrix has one value for each (user, item) pair: the sum over its events of weight of the kind * value.
  ///
  /// Users and items are numbered in the order in which they first come with an event that counts. `times` has the first time of each pair among the
  /// events that count, `raw_rows` how many they are (empty if each pair has one).
  ///
  /// Kinds that cancel are no interaction: a pair of m events with |sum| <= m * 2^-52 * (sum of magnitudes), which is zero within rounding, is dropped.
  /// `load` has the rows given as `lines` and the events left out by reason in `dropped`: "outside the window", "kind without a weight", "weight of zero",
  /// "zero value", "sum of zero", "value decayed to zero"; `noted` counts the pairs of the last two.
  ///
  /// With half_life_seconds H the value is (sum of weight * value * 2^(-age / H)) / m, where m is the mean over pairs of |sum of weight * value|, WITHOUT
  /// decay, over the pairs that do not cancel: fresh pairs keep a mean near 1 and the confidence of old ones fades. Whether a pair cancels does not depend on
  /// age. `undecayed` has sum of weight * value / m of each pair: hand it to fit() as FitOptions::undecayed, or a model with Units::data divides by the mean
  /// of the decayed values. One with Units::paper takes the values as they are.
  ///
  /// Sums are in double, in the order given: the same rows in the same order give the same bytes; another order may change the last bit and the numbering.
  /// O(events + bytes of the keys); memory 36 bytes an event, 12 where users come one after the other, and 28 a pair, beside the keys.
  /// @throws ShapeError if the lengths differ; InvalidArgument for an empty key, a value that is not finite, a time beyond 10^11 seconds, a kind without a
  /// weight or an event after the reference, naming the first with its column and row; for an option that is out of range (times in milliseconds too) or has no effect; for a sum beyond
  /// the range of a float; beyond 2^31 - 1 users or items or 2^32 - 1 events.
  [[nodiscard]] Dataset dataset(const EventOptions& options = {}) const;

  /// Counts the events of some kinds in the shape of `data`, for `.exclude`: items that were bought, but not those merely viewed.
  ///
  /// `data`: the keys and the shape; events of users and items that it lacks are left out. `of_kinds`: kinds that occur in the events; empty: all.
  /// `before`: seconds since the Unix epoch; only earlier events count. The result is n_users x n_items; its values are numbers of events, of any value.
  /// O(events + bytes of the keys).
  /// @throws ShapeError, InvalidArgument as dataset() does for the columns; InvalidArgument for a kind that no event has, or `before` without times;
  /// ShapeError if the parts of `data` do not belong together.
  [[nodiscard]] CsrMatrix pairs(const Dataset& data, const std::vector<std::string>& of_kinds = {},
                                std::optional<std::int64_t> before = {}) const;
};

namespace detail {

/// Times are below this in magnitude: milliseconds of our days are not.
inline constexpr std::int64_t time_bound = 100'000'000'000;

/// The row and the column that each event has in a dataset; -1 where the dataset lacks the key, or the event does not count.
struct EventPlaces {
  std::vector<Index> users;
  std::vector<Index> items;
  std::optional<std::int64_t> last = {};  ///< The latest time of an event that counts, whether the dataset has its keys or not.
};

/// Finds the events of `of_kinds` (empty: of all) before a time. O(events + bytes of the keys). @throws as Events::pairs does.
[[nodiscard]] KINDRED_ONCE EventPlaces places_of(const Events& events, const Dataset& data, const std::vector<std::string>& of_kinds,
                                                 std::optional<std::int64_t> before);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/events.ipp>  // IWYU pragma: export
#endif
