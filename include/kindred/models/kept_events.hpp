// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
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

  /// For KeyedRecommender::start_journal.
  struct Journal {
    Path path;
    /// When the disk has an event, beyond a killed process, which loses none in any case. None: when the system writes it. 0: before observe() returns.
    /// Otherwise at most about that many milliseconds later: a thread of the journal sees to it.
    std::optional<std::uint32_t> sync_milliseconds = {};
    /// For a model whose file does not say which events of the journal it holds, because another program made it. True: its data hold those up to the last
    /// past event, and those without a time, as replace() has it. False: it holds none.
    bool only_later_than_past = false;
  };

  /// What start_journal found in the file.
  struct Replayed {
    std::size_t events = 0;        ///< Observed again.
    std::size_t held = 0;          ///< In the model already, or left out by only_later_than_past.
    std::size_t refused = 0;       ///< Of an item or a kind that the model does not know, or otherwise not valid for it.
    std::uint64_t torn_bytes = 0;  ///< Cut off the end: an event that was not written whole, and whose observe() never returned.
  };
};

/// One event for KeyedRecommender::observe, beside its user and its item.
struct Observed {
  float value = 1.0F;                     ///< Finite; the user's history gets weight of the kind * value.
  std::optional<std::int64_t> time = {};  ///< Seconds since the Unix epoch, within 10^11 of it. None: unknown, and no part of a trend.
  std::string_view kind = {};             ///< A kind of KeyedEvents::weights; empty where there are none.
};

namespace detail {

class JournalFile;

/// An event in the numbers of a dataset.
struct KeptEvent {
  static constexpr std::int64_t no_time = (std::numeric_limits<std::int64_t>::min)();

  Index user = -1;  ///< A user of the data, or their number + a place in new_users(); -1: neither.
  Index item = -1;  ///< -1: none of the data.
  Index kind = -1;  ///< -1: none.
  float value = 1.0F;
  std::int64_t time = no_time;
  std::uint64_t number = 0;  ///< Its number in the journal, plus one; 0: none.
};

/// The records of a journal that events hold, or have left out on purpose: those below a number.
struct JournalMark {
  std::uint64_t id = 0;  ///< 0: of no journal.
  std::uint64_t next = 0;

  friend bool operator==(const JournalMark&, const JournalMark&) = default;
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
    JournalMark journal = {};
  };

  /// @throws InvalidArgument, ShapeError as Events::dataset does for the columns and weights; InvalidArgument for past events without times.
  KINDRED_ONCE KeptEvents(const KeyedEvents& events, const Dataset& data);
  /// `state` fits `data`, which must outlive this object.
  KINDRED_ONCE KeptEvents(State state, const Dataset& data);

  KINDRED_ONCE ~KeptEvents();

  /// Takes in an event; false if close() was called. With a journal the event is in it before. @throws InvalidArgument for an event that is not valid,
  /// IoError: nothing has changed.
  [[nodiscard]] KINDRED_ONCE bool observe(std::string_view user, Index item, const Observed& event);

  /// The number of a user of the data or of the observed events.
  [[nodiscard]] KINDRED_ONCE std::optional<Index> find_user(std::string_view key) const;

  /// The interactions of a user, the observed ones added to those of the data; nothing if none was observed.
  [[nodiscard]] KINDRED_ONCE std::optional<OwnedRow> row_of(Index user) const;

  /// The trend of all events, with a weight for each user of the data and then for each new one. @throws as KeyedRecommender::refresh_offsets does.
  [[nodiscard]] KINDRED_ONCE ItemOffsets trend(std::int64_t reference, TrendOptions options) const;

  /// Takes over the events of `other`, from number `first` on, whose item and kind are known here and that are not held here: of one journal by their
  /// numbers, others if they are later than all events given to the constructor; without given events with times none, or all after count_as_given(). Returns
  /// how many `other` has.
  KINDRED_ONCE std::size_t take_later(const KeptEvents& other, std::size_t first);

  /// Refuses events from now on.
  KINDRED_ONCE void close();
  /// Takes events again.
  KINDRED_ONCE void reopen();

  /// Opens the journal, takes in its events that are not held here, and writes to it what is observed from now on.
  [[nodiscard]] KINDRED_ONCE KeyedEvents::Replayed start_journal(const KeyedEvents::Journal& options);
  /// Writes on to the journal of `other`, which is closed.
  KINDRED_ONCE void take_journal(const KeptEvents& other);
  /// Before take_later: its events so far count as given to the constructor. @throws InvalidArgument if it writes a journal.
  KINDRED_ONCE void count_as_given();
  /// Removes from the journal what a file of this state() holds.
  KINDRED_ONCE void shorten_journal(const JournalMark& saved) const;

  [[nodiscard]] KINDRED_ONCE State state() const;

 private:
  /// Weight of the kind times value.
  [[nodiscard]] double counted(const KeptEvent& event) const noexcept {
    return (event.kind < 0 ? 1.0 : weights_[static_cast<std::size_t>(event.kind)]) * static_cast<double>(event.value);
  }
  /// The index of the kind of an observed event. @throws InvalidArgument.
  [[nodiscard]] Index kind_of(const Observed& event) const;
  /// The event, if it is valid. `observing_` is held.
  [[nodiscard]] KeptEvent checked(std::string_view user, Index item, const Observed& event) const;
  /// Adds a valid event.
  void take(KeptEvent event, std::string_view user);
  void add(KeptEvent event);
  void take_record(std::string_view record, std::uint64_t number, KeyedEvents::Replayed& replayed);
  [[nodiscard]] OwnedRow merged(Index user, std::vector<KeptEvent> events) const;

  const Dataset& data_;
  IdMap kinds_;  // constant, as the next three
  std::vector<double> weights_;
  std::vector<KeptEvent> past_;
  std::optional<std::int64_t> last_past_;
  std::optional<std::int64_t> last_given_;  // of the past and observed events that the constructor was given
  bool takes_all_ = false;

  // Held by one observer at a time, while an event is checked and goes to the journal; `mutex_`, which answers wait for, only while it is added.
  mutable std::mutex observing_;
  std::shared_ptr<JournalFile> journal_;
  JournalMark mark_;
  bool closed_ = false;

  mutable std::mutex mutex_;  // of the rest; taken after observing_
  IdMap new_users_;
  std::vector<KeptEvent> observed_;
  std::unordered_map<Index, std::vector<std::size_t>> of_user_;  // places in observed_
};

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/kept_events.ipp>  // IWYU pragma: export
#endif
