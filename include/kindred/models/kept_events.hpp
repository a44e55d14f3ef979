// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0 {

/// What a KeyedRecommender is told of events: the kinds that observe() takes, and the events behind its data.
struct KeyedEvents {
  std::vector<EventOptions::KindWeight> weights = {};  ///< As EventOptions::weights. Empty: observed events have no kind.
  std::optional<Events> past = {};  ///< With times. They are copied: 24 bytes an event. None: offsets follow observed events alone.
};

/// One event for KeyedRecommender::observe, beside its user and its item.
struct Observed {
  float value = 1.0F;                     ///< Finite; the user's history gets weight of the kind * value.
  std::optional<std::int64_t> time = {};  ///< Seconds since the Unix epoch, within 10^11 of it. None: unknown, and no part of a trend.
  std::string_view kind = {};             ///< A kind of KeyedEvents::weights; empty where there are none.
};

namespace detail {

/// An event in the numbers of a dataset.
struct KeptEvent {
  static constexpr std::int64_t no_time = (std::numeric_limits<std::int64_t>::min)();

  Index user = -1;  ///< A user of the data, or their number + a place in new_users(); -1: neither.
  Index item = -1;  ///< -1: none of the data.
  Index kind = -1;  ///< -1: none.
  float value = 1.0F;
  std::int64_t time = no_time;
};

/// An interaction list that owns its numbers.
struct OwnedRow {
  std::vector<Index> columns;
  std::vector<float> values;
  [[nodiscard]] SparseRow row() const noexcept { return {columns, values}; }
};

/// The past and the observed events of one dataset. Methods may be called from many threads; what they observed is there when they return.
class KeptEvents {
 public:
  /// All of it, as a file has it.
  struct State {
    IdMap kinds = {};  ///< Those with a weight first, in the order of `weights`.
    std::vector<double> weights = {};
    IdMap new_users = {};
    std::vector<KeptEvent> past = {};
    std::vector<KeptEvent> observed = {};
  };

  /// @throws InvalidArgument, ShapeError as Events::dataset does for the columns and weights; InvalidArgument for past events without times.
  KINDRED_ONCE KeptEvents(const KeyedEvents& events, const Dataset& data);
  /// `state` fits `data`, which must outlive this object.
  KINDRED_ONCE KeptEvents(State state, const Dataset& data);

  /// Takes in an event; false if close() was called. @throws InvalidArgument for an event that is not valid: nothing has changed.
  [[nodiscard]] KINDRED_ONCE bool observe(std::string_view user, Index item, const Observed& event);

  /// The number of a user of the data or of the observed events.
  [[nodiscard]] KINDRED_ONCE std::optional<Index> find_user(std::string_view key) const;

  /// The interactions of a user, the observed ones added to those of the data; nothing if none was observed.
  [[nodiscard]] KINDRED_ONCE std::optional<OwnedRow> row_of(Index user) const;

  /// The trend of all events, with a weight for each user of the data and then for each new one. @throws as KeyedRecommender::refresh_offsets does.
  [[nodiscard]] KINDRED_ONCE ItemOffsets trend(std::int64_t reference, TrendOptions options) const;

  /// Takes over the events of `other`, from number `first` on, that are later than all past events here and whose item and kind are known here. Returns
  /// how many `other` has.
  KINDRED_ONCE std::size_t take_later(const KeptEvents& other, std::size_t first);

  /// Refuses events from now on.
  KINDRED_ONCE void close();

  [[nodiscard]] KINDRED_ONCE State state() const;

 private:
  [[nodiscard]] double weight_of(Index kind) const noexcept { return kind < 0 ? 1.0 : weights_[static_cast<std::size_t>(kind)]; }
  /// The index of the kind of an observed event. @throws InvalidArgument.
  [[nodiscard]] Index kind_of(const Observed& event) const;
  void add(KeptEvent event);
  [[nodiscard]] OwnedRow merged(Index user, std::vector<KeptEvent> events) const;

  const Dataset& data_;
  IdMap kinds_;  // constant, as the next three
  std::vector<double> weights_;
  std::vector<KeptEvent> past_;
  std::optional<std::int64_t> last_past_;

  mutable std::mutex mutex_;  // of the rest
  IdMap new_users_;
  std::vector<KeptEvent> observed_;
  std::unordered_map<Index, std::vector<std::size_t>> of_user_;  // places in observed_
  bool closed_ = false;
};

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/kept_events.ipp>  // IWYU pragma: export
#endif
