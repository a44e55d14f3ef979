// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>
#include <kindred/persistence/texts.hpp>

namespace kindred::inline v0::detail {

inline void write_event_tensors(TensorWriter& writer, const std::string& name, const std::vector<KeptEvent>& events) {
  std::vector<Index> users, items, kinds;
  std::vector<float> values;
  std::vector<std::int64_t> times;
  for (const KeptEvent& event : events) {
    users.push_back(event.user);
    items.push_back(event.item);
    kinds.push_back(event.kind);
    values.push_back(event.value);
    times.push_back(event.time);
  }
  writer.add(name + ".users", writer.keep(std::move(users)));
  writer.add(name + ".items", writer.keep(std::move(items)));
  writer.add(name + ".kinds", writer.keep(std::move(kinds)));
  writer.add(name + ".values", writer.keep(std::move(values)));
  writer.add(name + ".times", writer.keep(std::move(times)));
}

/// Nothing where there are no events, no kinds and no journal. `new_user_weights` must stay until the file is written. Returns the part of the journal that the
/// file holds.
inline JournalMark write_kept_events(TensorWriter& writer, const KeptEvents& events, const std::vector<float>& new_user_weights) {
  KeptEvents::State state = events.state();
  const JournalMark mark = state.journal;
  if (state.weights.empty() && state.past.empty() && state.observed.empty() && mark.id == 0) return mark;
  const auto texts = [&](const IdMap& keys, const std::string& name) {
    Texts all;
    for (Index n = 0; n < keys.size(); ++n) all.add(keys.key(n));
    writer.keep(std::move(all)).write(writer, name);
  };
  texts(state.kinds, "event_kinds");
  texts(state.new_users, "new_user_keys");
  writer.add("event_kinds.weights", writer.keep(std::move(state.weights)));
  writer.add("new_user_weights", new_user_weights);
  write_event_tensors(writer, "past_events", state.past);
  write_event_tensors(writer, "observed_events", state.observed);
  if (mark.id == 0) return mark;
  std::vector<std::int64_t> numbers;
  for (const KeptEvent& event : state.observed) numbers.push_back(static_cast<std::int64_t>(event.number));
  writer.add("observed_events.numbers", writer.keep(std::move(numbers)));
  writer.add("events_journal",
             writer.keep(std::vector<std::int64_t>{bit_cast<std::int64_t>(mark.id), static_cast<std::int64_t>(mark.next)}));
  return mark;
}

/// Keys of a file, all different.
[[nodiscard]] inline IdMap read_keys(TensorReader& reader, const std::string& name, std::uint64_t count) {
  const Texts texts = Texts::read(reader, name, count);
  IdMap map;
  for (std::size_t n = 0; n < texts.ends.size(); ++n)
    if (map.intern(texts[n]) != static_cast<Index>(n))
      reader.fail("tensor '" + name + "' holds one key twice, as number " + std::to_string(n));
  return map;
}

/// `limits`: one above the largest numbers of users, items and kinds. `observed`: every event has a user, an item, and a kind if there are any.
[[nodiscard]] inline std::vector<KeptEvent> read_event_tensors(TensorReader& reader, const std::string& name, const KeptEvent& limits,
                                                               bool observed) {
  const std::vector<Index> users = reader.values<Index>(name + ".users");
  const auto items = reader.values<Index>(name + ".items", users.size()), kinds = reader.values<Index>(name + ".kinds", users.size());
  const std::vector<float> values = reader.values<float>(name + ".values", users.size());
  const std::vector<std::int64_t> times = reader.values<std::int64_t>(name + ".times", users.size());
  const auto check = [&](Index number, Index limit, bool required, const char* part) {
    if (number < (required ? 0 : -1) || number >= limit)
      reader.fail("tensor '" + name + part + "' holds " + std::to_string(number) + "; it must be below " + std::to_string(limit));
  };
  std::vector<KeptEvent> events;
  events.reserve(users.size());
  for (std::size_t n = 0; n < users.size(); ++n) {
    check(users[n], limits.user, observed, ".users");
    check(items[n], limits.item, observed, ".items");
    check(kinds[n], limits.kind, observed && limits.kind > 0, ".kinds");
    if (!std::isfinite(values[n])) reader.fail("tensor '" + name + ".values' holds a number that is not finite");
    const bool known = times[n] > -time_bound && times[n] < time_bound;
    if (!known && !(observed && times[n] == KeptEvent::no_time))
      reader.fail("tensor '" + name + ".times' holds " + std::to_string(times[n]) + "; it must be below 10^11 in magnitude");
    events.push_back({users[n], items[n], kinds[n], values[n], times[n]});
  }
  return events;
}

/// Events of a file, and the offset weights of new users; nothing in a file without events.
[[nodiscard]] inline KeptEvents::State read_kept_events(TensorReader& reader, MatrixShape shape, std::vector<float>& new_user_weights) {
  KeptEvents::State state;
  if (reader.find("event_kinds.weights") == nullptr) return state;
  state.weights = reader.values<double>("event_kinds.weights");
  state.kinds = read_keys(reader, "event_kinds", reader.tensor("event_kinds.ends", 1).shape[0]);
  if (state.weights.size() > static_cast<std::size_t>(state.kinds.size())) reader.fail("it has more weights than kinds of events");
  for (const double weight : state.weights)
    if (!std::isfinite(weight)) reader.fail("tensor 'event_kinds.weights' holds a number that is not finite");
  state.new_users = read_keys(reader, "new_user_keys", reader.tensor("new_user_keys.ends", 1).shape[0]);
  new_user_weights = reader.values<float>("new_user_weights");
  for (const float weight : new_user_weights)
    if (!(weight >= 0.0F && weight <= 1.0F)) reader.fail("tensor 'new_user_weights' holds a number that is not in [0, 1]");
  if (new_user_weights.size() > static_cast<std::size_t>(state.new_users.size())) reader.fail("it has more weights than new users");
  state.past = read_event_tensors(reader, "past_events", {shape.users, shape.items, state.kinds.size()}, false);
  state.observed = read_event_tensors(reader, "observed_events",
                                      {shape.users + state.new_users.size(), shape.items, static_cast<Index>(state.weights.size())}, true);
  if (reader.find("events_journal") == nullptr) return state;
  const auto journal = reader.values<std::int64_t>("events_journal", 2);
  const auto numbers = reader.values<std::int64_t>("observed_events.numbers", state.observed.size());
  if (journal[0] == 0 || journal[1] < 0) reader.fail("tensor 'events_journal' holds no id and number of a journal");
  state.journal = {bit_cast<std::uint64_t>(journal[0]), static_cast<std::uint64_t>(journal[1])};
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    if (numbers[n] < 0 || numbers[n] > journal[1])
      reader.fail("tensor 'observed_events.numbers' holds " + std::to_string(numbers[n]) + "; it must be at most " +
                  std::to_string(journal[1]));
    state.observed[n].number = static_cast<std::uint64_t>(numbers[n]);
  }
  return state;
}

}  // namespace kindred::inline v0::detail
