// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/keyed_hash.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

namespace detail {

struct IdMapProbe;  // for tests

}  // namespace detail

/// A caller's keys (user names, artist ids) and the indices that stand for them, 0, 1, 2 ... in the order in which keys were first seen.
///
/// Keys are bytes in one block; a look-up hashes once and allocates nothing. Every map hashes in its own way, drawn when it is made, so that nobody can write a
/// file of keys that collide; indices do not depend on it. const methods may be called from many threads.
class IdMap {
 public:
  IdMap() : hash_key_(detail::HashKey::make()) {}

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(ends_.size()); }
  [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }

  /// The index of `key`, which is added if it is new. Amortised O(length of the key).
  /// @throws InvalidArgument beyond 2^31 - 1 keys.
  Index intern(std::string_view key) { return intern(key, hash_of(key)); }

  /// The same with this map's hash_of(key) at hand. In a large map a key costs three visits to memory that nothing else hides: who has many keys to look up can ask for
  /// the first place of each well before it is needed, and some keys later for the second.
  Index intern(std::string_view key, std::uint32_t hash) {
    if ((ends_.size() + 1) * 2 > table_.size()) grow();
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
  void prefetch_slot(std::uint32_t hash) const noexcept {
    if (!table_.empty()) detail::prefetch(&table_[hash & (table_.size() - 1)]);
  }
  void prefetch_key(std::uint32_t hash) const noexcept {
    if (table_.empty()) return;
    const std::size_t mask = table_.size() - 1;
    std::size_t at = hash & mask;
    while (table_[at].index != absent && table_[at].hash != hash) at = (at + 1) & mask;
    const Slot& slot = table_[at];
    detail::prefetch(bytes_.data() + slot.start());
    detail::prefetch(bytes_.data() + slot.start() + slot.length());
  }

  /// The hash that this map, and no other, has for a key.
  [[nodiscard]] std::uint32_t hash_of(std::string_view key) const noexcept {
    return static_cast<std::uint32_t>(detail::keyed_hash(hash_key_, key));
  }

  /// The index of `key`, if it is known.
  [[nodiscard]] std::optional<Index> find(std::string_view key) const noexcept {
    if (table_.empty()) return std::nullopt;
    const Index index = table_[slot_of(key, hash_of(key))].index;
    return index == absent ? std::nullopt : std::optional<Index>(index);
  }

  /// The index of a whole number: its key is its decimal text, "-7", as KeyColumn writes it.
  [[nodiscard]] std::optional<Index> find(std::int64_t key) const noexcept {
    char text[20];
    return find(std::string_view(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof(text), key).ptr - text)));
  }

  /// The index of `key`. @throws InvalidArgument if it is not known.
  [[nodiscard]] Index index(std::string_view key) const {
    const std::optional<Index> found = find(key);
    if (!found) throw InvalidArgument("key", detail::printable(key), "one of the " + std::to_string(size()) + " known keys");
    return *found;
  }

  /// The key that `index` stands for; valid until the next intern. @throws InvalidArgument if there is none.
  [[nodiscard]] std::string_view key(Index index) const {
    if (index < 0 || index >= size()) throw InvalidArgument("index", index, "in [0, " + std::to_string(size()) + ")");
    const auto at = static_cast<std::size_t>(index);
    const std::size_t start = at == 0 ? 0 : ends_[at - 1];
    return {bytes_.data() + start, ends_[at] - start};
  }

  /// The whole number whose decimal text is the key of `index`. find(key_as_int64(index)) is `index`.
  /// @throws InvalidArgument if there is no such index, or its key is another text ("anna", "007", or beyond 64 bits).
  [[nodiscard]] std::int64_t key_as_int64(Index index) const {
    const std::string_view text = key(index);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || find(number) != index)
      throw InvalidArgument("key " + std::to_string(index), detail::printable(text), "the decimal text of a 64-bit number");
    return number;
  }

  /// The keys of `indices`, numbered anew in that order. @throws InvalidArgument as key() does, or if an index repeats.
  [[nodiscard]] IdMap select(std::span<const Index> indices) const {
    IdMap kept;
    for (const Index old : indices)
      if (const Index now = kept.size(); kept.intern(key(old)) != now) throw InvalidArgument("index", old, "named once");
    return kept;
  }

  /// Bytes allocated.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return bytes_.capacity() + ends_.capacity() * sizeof(std::size_t) + table_.capacity() * sizeof(Slot);
  }

  friend bool operator==(const IdMap& a, const IdMap& b) noexcept { return a.ends_ == b.ends_ && a.bytes_ == b.bytes_; }

 private:
  friend struct detail::IdMapProbe;
  static constexpr Index absent = -1;

  /// A key's hash, length and place stand beside its index, so that a wrong key is passed over without a look at its bytes, the right one is found with one,
  /// and growing does not hash again.
  struct Slot {
    static constexpr std::size_t longest = 0xFFFF;

    std::uint32_t hash = 0;
    Index index = absent;
    std::uint64_t place = 0;  // of the bytes, times 2^16, and the length, as far as it goes

    static std::uint64_t place_of(std::size_t start, std::size_t length) noexcept {
      return (static_cast<std::uint64_t>(start) << 16) | (length < longest ? length : longest);
    }
    [[nodiscard]] std::size_t start() const noexcept { return static_cast<std::size_t>(place >> 16); }
    [[nodiscard]] std::size_t length() const noexcept { return place & longest; }
  };

  /// The slot that holds `key`, or the empty one where it belongs. Linear probing; the table is never more than half full.
  [[nodiscard]] std::size_t slot_of(std::string_view key, std::uint32_t hash) const noexcept {
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

  void grow() {
    detail::AlignedVector<Slot> larger(table_.empty() ? 16 : table_.size() * 2);
    const std::size_t mask = larger.size() - 1;
    for (const Slot& old : table_) {
      if (old.index == absent) continue;
      std::size_t slot = old.hash & mask;
      while (larger[slot].index != absent) slot = (slot + 1) & mask;
      larger[slot] = old;
    }
    table_ = std::move(larger);
  }

  detail::HashKey hash_key_;
  detail::AlignedVector<char> bytes_;
  std::vector<std::size_t> ends_;      // key n is [ends_[n - 1], ends_[n]) of bytes_
  detail::AlignedVector<Slot> table_;  // a power of two
};

}  // namespace kindred::inline v0
