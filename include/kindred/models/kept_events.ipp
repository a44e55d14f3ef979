// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/kept_events.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/events.ipp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/pair_sum.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/models/trend.hpp>
#include <kindred/models/trend.ipp>
#include <kindred/storage/journal_file.hpp>

namespace kindred::inline v0::detail {

/// An event in a journal, by keys: what stands in it has to outlive the model that was served.
struct JournaledEvent {
  struct Head {
    std::int64_t time = KeptEvent::no_time;
    float value = 1.0F;
    std::uint32_t user = 0, item = 0, kind = 0;  // lengths of the texts that follow
  };
  static_assert(sizeof(Head) == 24);

  Head head;
  std::string_view user, item, kind;

  [[nodiscard]] static std::string bytes(std::string_view user, std::string_view item, const Observed& event) {
    const auto length = [](std::string_view text) { return static_cast<std::uint32_t>(text.size()); };
    const Head head{event.time.value_or(KeptEvent::no_time), event.value, length(user), length(item), length(event.kind)};
    std::string bytes(sizeof(Head), '\0');
    std::memcpy(bytes.data(), &head, sizeof(Head));
    return bytes.append(user).append(item).append(event.kind);
  }
  [[nodiscard]] static std::optional<JournaledEvent> of(std::string_view bytes) {
    JournaledEvent event;
    if (bytes.size() < sizeof(Head)) return std::nullopt;
    std::memcpy(&event.head, bytes.data(), sizeof(Head));
    bytes.remove_prefix(sizeof(Head));
    if (std::uint64_t{event.head.user} + event.head.item + event.head.kind != bytes.size()) return std::nullopt;
    event.user = bytes.substr(0, event.head.user);
    event.item = bytes.substr(event.head.user, event.head.item);
    event.kind = bytes.substr(bytes.size() - event.head.kind);
    return event;
  }
  [[nodiscard]] Observed observed() const {
    return {
        .value = head.value, .time = head.time == KeptEvent::no_time ? std::nullopt : std::optional<std::int64_t>(head.time), .kind = kind};
  }
};

KINDRED_ONCE KeptEvents::~KeptEvents() = default;

KINDRED_ONCE KeptEvents::KeptEvents(const KeyedEvents& events, const Dataset& data) : data_(data) {
  check_kind_weights(events.weights);
  for (const EventOptions::KindWeight& one : events.weights) {
    (void)kinds_.intern(one.kind);
    weights_.push_back(one.weight);
  }
  if (!events.past) return;
  const Events& past = *events.past;
  if (past.times.empty() && past.users.size() > 0)
    throw InvalidArgument("number of times of past events", 0, "one for each event: offsets follow times");
  const EventPlaces places = places_of(past, data, {}, {});
  IdMap past_kinds;
  std::vector<Index> kind_of = intern_kinds(past_kinds, past.kinds);
  std::vector<Index> kept;
  kept.reserve(static_cast<std::size_t>(past_kinds.size()));
  for (Index kind = 0; kind < past_kinds.size(); ++kind) kept.push_back(kinds_.intern(past_kinds.key(kind)));
  for (Index& kind : kind_of) kind = kept[static_cast<std::size_t>(kind)];
  past_.reserve(places.users.size());
  for (std::size_t n = 0; n < places.users.size(); ++n)
    past_.push_back(
        {places.users[n], places.items[n], kind_of.empty() ? -1 : kind_of[n], past.values.empty() ? 1.0F : past.values[n], past.times[n]});
  last_given_ = last_past_ = places.last;
}

KINDRED_ONCE KeptEvents::KeptEvents(State state, const Dataset& data)
    : data_(data),
      kinds_(std::move(state.kinds)),
      weights_(std::move(state.weights)),
      past_(std::move(state.past)),
      mark_(state.journal),
      new_users_(std::move(state.new_users)) {
  for (const KeptEvent& event : past_) last_past_ = last_past_ ? (std::max)(*last_past_, event.time) : event.time;
  last_given_ = last_past_;
  for (const KeptEvent& event : state.observed) {
    add(event);
    if (event.time != KeptEvent::no_time) last_given_ = last_given_ ? (std::max)(*last_given_, event.time) : event.time;
  }
}

KINDRED_ONCE void KeptEvents::add(KeptEvent event) {
  std::vector<std::size_t>& places = of_user_[event.user];
  places.reserve(places.size() + 1);
  observed_.push_back(event);
  places.push_back(observed_.size() - 1);
}

KINDRED_ONCE Index KeptEvents::kind_of(const Observed& event) const {
  if (weights_.empty()) {
    if (!event.kind.empty())
      throw InvalidArgument("the kind of an observed event", printable(event.kind), "empty: the recommender was given no weights of kinds");
    return -1;
  }
  const std::optional<Index> kind = kinds_.find(event.kind);
  if (!kind || static_cast<std::size_t>(*kind) >= weights_.size())
    throw InvalidArgument("the kind of an observed event", printable(event.kind),
                          "one of the " + std::to_string(weights_.size()) + " kinds with a weight");
  return *kind;
}

KINDRED_ONCE KeptEvent KeptEvents::checked(std::string_view user, Index item, const Observed& event) const {
  if (user.empty()) throw InvalidArgument("the user of an observed event", "''", "a key that is not empty");
  if (!is_finite(event.value)) throw InvalidArgument("the value of an observed event", event.value, "finite");
  check_time_option("the time of an observed event", event.time);
  KeptEvent kept{-1, item, kind_of(event), event.value, event.time.value_or(KeptEvent::no_time)};
  const std::optional<Index> known = data_.users.find(user);
  PairSum sum;
  sum.add(counted(kept));
  if (known) {
    const SparseRow row = data_.matrix.row(*known);
    const auto found = std::lower_bound(row.columns.begin(), row.columns.end(), item);
    if (found != row.columns.end() && *found == item)
      sum.add(static_cast<double>(row.values[static_cast<std::size_t>(found - row.columns.begin())]));
  }
  const std::lock_guard lock(mutex_);
  kept.user = known ? *known : data_.users.size() + new_users_.find(user).value_or(new_users_.size());
  if (const auto found = of_user_.find(kept.user); found != of_user_.end())
    for (const std::size_t place : found->second)
      if (observed_[place].item == item) sum.add(counted(observed_[place]));
  if (sum.exceeds_float())
    throw InvalidArgument(
        "the sum of user " + printable(user) + " and item " + printable(data_.items.key(item)) + ", with the value observed,", sum.value(),
        "within the range of a float");
  return kept;
}

KINDRED_ONCE void KeptEvents::take(KeptEvent event, std::string_view user) {
  const std::lock_guard lock(mutex_);
  if (event.user >= data_.users.size()) (void)new_users_.intern(user);
  add(event);
}

KINDRED_ONCE bool KeptEvents::observe(std::string_view user, Index item, const Observed& event) {
  std::shared_ptr<JournalFile> journal;
  std::uint64_t number = 0;
  {
    const std::lock_guard one(observing_);
    if (closed_) return false;
    KeptEvent kept = checked(user, item, event);
    journal = journal_;
    if (journal) {
      number = journal->append(JournaledEvent::bytes(user, data_.items.key(item), event));
      mark_.next = kept.number = number + 1;
    }
    take(kept, user);
    if (!journal) return true;
  }
  journal->flush(number);
  return true;
}

KINDRED_ONCE std::optional<Index> KeptEvents::find_user(std::string_view key) const {
  if (const std::optional<Index> known = data_.users.find(key)) return known;
  const std::lock_guard lock(mutex_);
  if (const std::optional<Index> known = new_users_.find(key)) return data_.users.size() + *known;
  return std::nullopt;
}

KINDRED_ONCE std::optional<OwnedRow> KeptEvents::row_of(Index user) const {
  std::vector<KeptEvent> events;
  {
    const std::lock_guard lock(mutex_);
    const auto found = of_user_.find(user);
    if (found == of_user_.end()) return std::nullopt;
    for (const std::size_t place : found->second) events.push_back(observed_[place]);
  }
  return merged(user, std::move(events));
}

/// The row of the data with `events` of the user added: a sum that is zero within rounding is no interaction.
KINDRED_ONCE OwnedRow KeptEvents::merged(Index user, std::vector<KeptEvent> events) const {
  std::erase_if(events, [&](const KeptEvent& event) { return !(std::abs(counted(event)) > 0.0); });
  std::stable_sort(events.begin(), events.end(), [](const KeptEvent& a, const KeptEvent& b) { return a.item < b.item; });
  const SparseRow row = user < data_.users.size() ? data_.matrix.row(user) : SparseRow{};
  OwnedRow sums;
  std::size_t at = 0;
  for (std::size_t n = 0; n < row.size() || at < events.size();) {
    const bool both_left = n < row.size() && at < events.size();
    const Index item = both_left ? (std::min)(row.columns[n], events[at].item) : n < row.size() ? row.columns[n] : events[at].item;
    PairSum sum;
    if (n < row.size() && row.columns[n] == item) sum.add(static_cast<double>(row.values[n++]));
    for (; at < events.size() && events[at].item == item; ++at) sum.add(counted(events[at]));
    if (sum.exceeds_float())  // of events that came with other data
      throw InvalidArgument("the sum of a user and item " + printable(data_.items.key(item)) + ", observed events included,", sum.value(),
                            "within the range of a float");
    const auto value = static_cast<float>(sum.value());
    if (value == 0.0F || sum.cancels()) continue;
    sums.columns.push_back(item);
    sums.values.push_back(value);
  }
  return sums;
}

KINDRED_ONCE ItemOffsets KeptEvents::trend(std::int64_t reference, TrendOptions options) const {
  check_time_option("reference", reference);
  if (options.until && *options.until > reference + 1)
    throw InvalidArgument("until", *options.until,
                          "at most one second after the reference, " + whole_text(static_cast<long long>(reference)));
  check_trend(options);
  std::vector<char> wanted(static_cast<std::size_t>(kinds_.size()), options.kinds.empty() ? 1 : 0);
  for (std::size_t n = 0; n < options.kinds.size(); ++n) {
    const std::optional<Index> kind = kinds_.find(options.kinds[n]);
    if (!kind) throw InvalidArgument("kinds[" + std::to_string(n) + "]", printable(options.kinds[n]), "a kind of the events");
    wanted[static_cast<std::size_t>(*kind)] = 1;
  }
  std::vector<KeptEvent> observed;
  std::size_t n_users = static_cast<std::size_t>(data_.users.size());
  {
    const std::lock_guard lock(mutex_);
    observed = observed_;
    n_users += static_cast<std::size_t>(new_users_.size());
  }
  const std::int64_t now = options.until.value_or(reference + 1);
  TrendCount count(n_users, static_cast<std::size_t>(data_.items.size()), now, options);
  std::optional<std::int64_t> last;
  for (const std::vector<KeptEvent>* events : {&past_, static_cast<const std::vector<KeptEvent>*>(&observed)}) {
    for (const KeptEvent& event : *events) {
      if (event.time == KeptEvent::no_time) continue;
      if (!options.until && event.time > reference)
        throw InvalidArgument("the time of an event", event.time,
                              "at or before the reference, " + whole_text(static_cast<long long>(reference)) + ", or left out by until");
      if (event.time >= now || (event.kind >= 0 && wanted[static_cast<std::size_t>(event.kind)] == 0)) continue;
      count.add(event.user, event.item, event.time);
      last = last ? (std::max)(*last, event.time) : event.time;
    }
  }
  if (!last) throw InvalidArgument("number of events that count", 0, "at least 1");
  return count.offsets(last);
}

KINDRED_ONCE std::size_t KeptEvents::take_later(const KeptEvents& other, std::size_t first) {
  const std::scoped_lock lock(other.mutex_, mutex_);
  const Index others_users = other.data_.users.size();
  const bool same_journal = mark_.id != 0 && mark_.id == other.mark_.id;
  for (std::size_t n = first; n < other.observed_.size(); ++n) {
    KeptEvent event = other.observed_[n];
    const bool by_number = same_journal && event.number > 0;
    const bool held = by_number     ? event.number <= mark_.next
                      : last_given_ ? event.time <= *last_given_
                                    : !takes_all_;  // without a time: held
    if (held) continue;
    const std::optional<Index> item = data_.items.find(other.data_.items.key(event.item));
    const std::optional<Index> kind = event.kind < 0 ? std::optional<Index>(-1) : kinds_.find(other.kinds_.key(event.kind));
    if (!item || !kind || (*kind < 0) != weights_.empty() || *kind >= static_cast<Index>(weights_.size())) continue;
    const std::string_view user =
        event.user < others_users ? other.data_.users.key(event.user) : other.new_users_.key(event.user - others_users);
    const std::optional<Index> known = data_.users.find(user);
    event.user = known ? *known : data_.users.size() + new_users_.intern(user);
    event.item = *item;
    event.kind = *kind;
    add(event);
  }
  return other.observed_.size();
}

KINDRED_ONCE void KeptEvents::close() {
  const std::lock_guard one(observing_);
  closed_ = true;
}

KINDRED_ONCE void KeptEvents::reopen() {
  const std::lock_guard one(observing_);
  closed_ = false;
}

KINDRED_ONCE void KeptEvents::take_record(std::string_view record, std::uint64_t number, KeyedEvents::Replayed& replayed) {
  const std::optional<JournaledEvent> event = JournaledEvent::of(record);
  const std::optional<Index> item = event ? data_.items.find(event->item) : std::nullopt;
  if (!item) {
    ++replayed.refused;
    return;
  }
  try {
    KeptEvent kept = checked(event->user, *item, event->observed());
    kept.number = number + 1;
    take(kept, event->user);
    ++replayed.events;
  } catch (const InvalidArgument&) {
    ++replayed.refused;
  }
}

KINDRED_ONCE KeyedEvents::Replayed KeptEvents::start_journal(const KeyedEvents::Journal& options) {
  const std::lock_guard one(observing_);
  if (journal_) throw InvalidArgument("the journal", printable(options.path.string()), "started once: events go to another file already");
  const auto journal = std::make_shared<JournalFile>(options.path, options.sync_milliseconds);
  const bool held_by_number = mark_.id == journal->id();
  if (held_by_number && mark_.next < journal->first())
    throw FormatError(options.path.string() + ": it begins with event " + std::to_string(journal->first()) +
                      ", and the model holds those below " + std::to_string(mark_.next) +
                      ": the events between are in a model file that was saved later");
  KeyedEvents::Replayed replayed;
  replayed.torn_bytes = journal->replay([&](std::uint64_t number, std::string_view record) {
    bool held = held_by_number && number < mark_.next;
    if (!held_by_number && options.only_later_than_past && last_past_) {
      const std::optional<JournaledEvent> event = JournaledEvent::of(record);
      held = event && event->head.time <= *last_past_;
    }
    if (held)
      ++replayed.held;
    else
      take_record(record, number, replayed);
  });
  // A machine that stopped may have lost the end of the journal, but not of the model file: numbers are not used again.
  if (held_by_number && journal->next() < mark_.next) journal->shorten(mark_.next);
  mark_ = {journal->id(), journal->next()};
  journal_ = journal;
  return replayed;
}

KINDRED_ONCE void KeptEvents::take_journal(const KeptEvents& other) {
  const std::scoped_lock both(other.observing_, observing_);
  if (!other.journal_) return;
  journal_ = other.journal_;
  mark_ = other.mark_;
}

KINDRED_ONCE void KeptEvents::count_as_given() {
  const std::lock_guard one(observing_);
  if (journal_) throw InvalidArgument("the other recommender", "one with a journal", "one that writes none");
  for (const KeptEvent& event : observed_)
    if (event.time != KeptEvent::no_time) last_given_ = last_given_ ? (std::max)(*last_given_, event.time) : event.time;
  takes_all_ = !last_given_;
}

KINDRED_ONCE void KeptEvents::shorten_journal(const JournalMark& saved) const {
  std::shared_ptr<JournalFile> journal;
  {
    const std::lock_guard one(observing_);
    if (journal_ && journal_->id() == saved.id) journal = journal_;
  }
  if (journal) journal->shorten(saved.next);
}

KINDRED_ONCE KeptEvents::State KeptEvents::state() const {
  const std::lock_guard one(observing_);
  const std::lock_guard lock(mutex_);
  return {kinds_, weights_, new_users_, past_, observed_, mark_};
}

}  // namespace kindred::inline v0::detail
