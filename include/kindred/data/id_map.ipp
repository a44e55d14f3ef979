// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/id_map.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/text.hpp>
#include <kindred/data/id_map.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE IdMap::IdMap() : hash_key_(detail::HashKey::make()) {}

KINDRED_ONCE Index IdMap::intern(std::string_view key) { return intern(key, hash_of(key)); }

KINDRED_ONCE Index IdMap::intern(std::string_view key, std::uint32_t hash) {
  if ((ends_.size() + 1) * 2 > table_.size()) grow(table_.empty() ? 16 : table_.size() * 2);
  const std::size_t slot = slot_of(key, hash);
  if (table_[slot].index != absent) return table_[slot].index;
  if (ends_.size() >= static_cast<std::size_t>((std::numeric_limits<Index>::max)()))
    throw InvalidArgument("number of keys", ends_.size() + 1, "below 2^31");
  const auto index = static_cast<Index>(ends_.size());
  const std::size_t start = bytes_.size();
  ends_.push_back(start + key.size());
  try {
    bytes_.insert(bytes_.end(), key.begin(), key.end());
  } catch (...) {  // no memory: the map is as it was
    ends_.pop_back();
    throw;
  }
  table_[slot] = {hash, index, Slot::place_of(start, key.size())};
  return index;
}

KINDRED_ONCE void IdMap::prefetch_slot(std::uint32_t hash) const noexcept {
  if (!table_.empty()) detail::prefetch(&table_[hash & (table_.size() - 1)]);
}

KINDRED_ONCE void IdMap::prefetch_key(std::uint32_t hash) const noexcept {
  if (table_.empty()) return;
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash & mask;
  while (table_[at].index != absent && table_[at].hash != hash) at = (at + 1) & mask;
  const Slot& slot = table_[at];
  detail::prefetch(bytes_.data() + slot.start());
  detail::prefetch(bytes_.data() + slot.start() + slot.length());
}

KINDRED_ONCE std::uint32_t IdMap::hash_of(std::string_view key) const noexcept {
  return static_cast<std::uint32_t>(detail::keyed_hash(hash_key_, key));
}

KINDRED_ONCE std::optional<Index> IdMap::find(std::string_view key) const noexcept {
  if (table_.empty()) return std::nullopt;
  const Index index = table_[slot_of(key, hash_of(key))].index;
  return index == absent ? std::nullopt : std::optional<Index>(index);
}

KINDRED_ONCE std::optional<Index> IdMap::find(std::int64_t key) const noexcept {
  char text[20];
  return find(std::string_view(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof(text), key).ptr - text)));
}

KINDRED_ONCE Index IdMap::index(std::string_view key) const {
  const std::optional<Index> found = find(key);
  if (!found) throw InvalidArgument("key", detail::printable(key), "one of the " + std::to_string(size()) + " known keys");
  return *found;
}

KINDRED_ONCE std::string_view IdMap::key(Index index) const {
  if (index < 0 || index >= size()) throw InvalidArgument("index", index, "in [0, " + std::to_string(size()) + ")");
  const auto at = static_cast<std::size_t>(index);
  const std::size_t start = at == 0 ? 0 : ends_[at - 1];
  return {bytes_.data() + start, ends_[at] - start};
}

KINDRED_ONCE std::int64_t IdMap::key_as_int64(Index index) const {
  const std::string_view text = key(index);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || find(number) != index)
    throw InvalidArgument("key " + std::to_string(index), detail::printable(text), "the decimal text of a 64-bit number");
  return number;
}

KINDRED_ONCE IdMap IdMap::select(std::span<const Index> indices) const {
  IdMap kept;
  for (const Index old : indices)
    if (const Index now = kept.size(); kept.intern(key(old)) != now) throw InvalidArgument("index", old, "named once");
  return kept;
}

KINDRED_ONCE std::size_t IdMap::memory_bytes() const noexcept {
  return bytes_.capacity() + ends_.capacity() * sizeof(std::size_t) + table_.capacity() * sizeof(Slot);
}

KINDRED_ONCE std::size_t IdMap::slot_of(std::string_view key, std::uint32_t hash) const noexcept {
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = hash & mask;
  for (; table_[slot].index != absent; slot = (slot + 1) & mask) {
    if (table_[slot].hash != hash) continue;
    const std::size_t start = table_[slot].start();
    std::size_t length = table_[slot].length();
    if (length == Slot::longest) length = ends_[static_cast<std::size_t>(table_[slot].index)] - start;
    if (std::string_view(bytes_.data() + start, length) == key) break;
  }
  return slot;
}

KINDRED_ONCE void IdMap::reserve(std::size_t keys, std::size_t bytes) {
  std::size_t slots = 16;
  while (slots < 2 * keys) slots *= 2;
  if (slots > table_.size()) grow(slots);
  ends_.reserve(keys);
  bytes_.reserve(bytes);
}

KINDRED_ONCE std::vector<std::uint32_t> IdMap::hashes() const {
  std::vector<std::uint32_t> all(ends_.size());
  for (const Slot& slot : table_)
    if (slot.index != absent) all[static_cast<std::size_t>(slot.index)] = slot.hash;
  return all;
}

KINDRED_ONCE void IdMap::add_distinct(std::span<const std::uint32_t> hashes, const std::function<std::string_view(std::size_t)>& key_of,
                                      const detail::ParallelOptions& parallel) {
  const std::size_t count = hashes.size();
  if (count == 0) return;
  if (count > static_cast<std::size_t>((std::numeric_limits<Index>::max)())) throw InvalidArgument("number of keys", count, "below 2^31");
  const detail::ParallelOptions by_key{.threads = parallel.threads, .grain = 4096, .executor = parallel.executor};
  ends_.resize(count);
  detail::parallel_for(count, by_key, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t n = first; n < last; ++n) ends_[n] = key_of(n).size();
  });
  std::size_t bytes = 0;
  for (std::size_t& end : ends_) end = bytes += end;
  bytes_.resize(bytes);
  detail::parallel_for(count, by_key, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t n = first; n < last; ++n) {
      const std::string_view key = key_of(n);
      std::copy(key.begin(), key.end(), bytes_.data() + (ends_[n] - key.size()));
    }
  });
  fill_table(hashes, parallel);
}

// Threads fill regions of the table of their own, each with the keys that belong there; what would run over the end of a region is put in at last.
KINDRED_ONCE void IdMap::fill_table(std::span<const std::uint32_t> hashes, const detail::ParallelOptions& parallel) {
  std::size_t slots = 16;
  while (slots < 2 * hashes.size()) slots *= 2;
  table_.resize(slots);
  const std::size_t mask = slots - 1;
  const auto put = [&](std::size_t n, std::size_t slot) {
    const std::size_t start = n == 0 ? 0 : ends_[n - 1];
    table_[slot] = {hashes[n], static_cast<Index>(n), Slot::place_of(start, ends_[n] - start)};
  };
  const std::size_t regions = (std::min)(detail::resolve_threads(parallel.threads), slots);
  std::vector<std::vector<std::size_t>> left(regions);
  detail::parallel_for(regions, {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
                       [&](std::size_t first, std::size_t last, std::size_t) {
                         for (std::size_t region = first; region < last; ++region) {
                           const std::size_t from = slots * region / regions, to = slots * (region + 1) / regions;
                           std::fill(table_.data() + from, table_.data() + to, Slot{0, absent, 0});
                           for (std::size_t n = 0; n < hashes.size(); ++n) {
                             std::size_t slot = hashes[n] & mask;
                             if (slot < from || slot >= to) continue;
                             while (slot < to && table_[slot].index != absent) ++slot;
                             slot < to ? put(n, slot) : left[region].push_back(n);
                           }
                         }
                       });
  for (const std::vector<std::size_t>& region : left)
    for (const std::size_t n : region) {
      std::size_t slot = hashes[n] & mask;
      while (table_[slot].index != absent) slot = (slot + 1) & mask;
      put(n, slot);
    }
}

KINDRED_ONCE void IdMap::grow(std::size_t slots) {
  decltype(table_) larger(slots, Slot{0, absent, 0});
  const std::size_t mask = larger.size() - 1;
  for (const Slot& old : table_) {
    if (old.index == absent) continue;
    std::size_t slot = old.hash & mask;
    while (larger[slot].index != absent) slot = (slot + 1) & mask;
    larger[slot] = old;
  }
  table_ = std::move(larger);
}

}  // namespace kindred::inline v0
