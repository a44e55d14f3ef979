// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/keyed_hash.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

namespace detail {

struct IdMapProbe;  // for tests
class KeyMerge;
struct ParallelOptions;

}  // namespace detail

/// A caller's keys (user names, artist ids) and the indices that stand for them, 0, 1, 2 ... in the order in which keys were first seen.
///
/// Keys are bytes in one block; a look-up hashes once and allocates nothing. Every map hashes in its own way, drawn when it is made, so that nobody can write a
/// file of keys that collide; indices do not depend on it. const methods may be called from many threads.
class IdMap {
 public:
  IdMap();

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(ends_.size()); }
  [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }

  /// The index of `key`, which is added if it is new. Amortised O(length of the key).
  /// @throws InvalidArgument beyond 2^31 - 1 keys.
  Index intern(std::string_view key);

  /// The same with this map's hash_of(key) at hand. In a large map a key costs three visits to memory that nothing else hides: who has many keys to look up can ask for
  /// the first place of each well before it is needed, and some keys later for the second.
  Index intern(std::string_view key, std::uint32_t hash);
  void prefetch_slot(std::uint32_t hash) const noexcept;
  void prefetch_key(std::uint32_t hash) const noexcept;

  /// Allocates memory for `keys` keys of `bytes` bytes in total, so that adding them moves nothing. O(keys).
  void reserve(std::size_t keys, std::size_t bytes);

  /// The hash that this map, and no other, has for a key.
  [[nodiscard]] std::uint32_t hash_of(std::string_view key) const noexcept;

  /// The index of `key`, if it is known.
  [[nodiscard]] std::optional<Index> find(std::string_view key) const noexcept;

  /// The index of a whole number: its key is its decimal text, "-7", as KeyColumn writes it.
  [[nodiscard]] std::optional<Index> find(std::int64_t key) const noexcept;

  /// The index of `key`. @throws InvalidArgument if it is not known.
  [[nodiscard]] Index index(std::string_view key) const;

  /// The key that `index` stands for; valid until the next intern. @throws InvalidArgument if there is none.
  [[nodiscard]] std::string_view key(Index index) const;

  /// The whole number whose decimal text is the key of `index`. find(key_as_int64(index)) is `index`.
  /// @throws InvalidArgument if there is no such index, or its key is another text ("anna", "007", or beyond 64 bits).
  [[nodiscard]] std::int64_t key_as_int64(Index index) const;

  /// The keys of `indices`, numbered anew in that order. @throws InvalidArgument as key() does, or if an index repeats.
  [[nodiscard]] IdMap select(std::span<const Index> indices) const;

  /// Bytes allocated.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  friend bool operator==(const IdMap& a, const IdMap& b) noexcept { return a.ends_ == b.ends_ && a.bytes_ == b.bytes_; }

 private:
  friend struct detail::IdMapProbe;
  friend class detail::KeyMerge;
  static constexpr Index absent = -1;

  /// A key's hash, length and place stand beside its index, so that a wrong key is passed over without a look at its bytes, the right one is found with one,
  /// and growing does not hash again.
  struct Slot {
    static constexpr std::size_t longest = 0xFFFF;

    std::uint32_t hash;
    Index index;
    std::uint64_t place;  // of the bytes, times 2^16, and the length, as far as it goes

    static std::uint64_t place_of(std::size_t start, std::size_t length) noexcept {
      return (static_cast<std::uint64_t>(start) << 16) | (length < longest ? length : longest);
    }
    [[nodiscard]] std::size_t start() const noexcept { return static_cast<std::size_t>(place >> 16); }
    [[nodiscard]] std::size_t length() const noexcept { return place & longest; }
  };

  /// The slot that holds `key`, or the empty one where it belongs. Linear probing; the table is never more than half full.
  [[nodiscard]] std::size_t slot_of(std::string_view key, std::uint32_t hash) const noexcept;

  void grow(std::size_t slots);  // a power of two
  /// Of each key, for this map and its copies.
  [[nodiscard]] std::vector<std::uint32_t> hashes() const;
  /// Adds keys to a map without any, of which no two are equal: key_of(n), called from many threads, is that of index n, and hashes[n] its hash. One thread
  /// alone adds their lengths. @throws InvalidArgument beyond 2^31 - 1 keys.
  void add_distinct(std::span<const std::uint32_t> hashes, const std::function<std::string_view(std::size_t)>& key_of,
                    const detail::ParallelOptions& parallel);
  /// The table for all keys, which are not in it yet.
  void fill_table(std::span<const std::uint32_t> hashes, const detail::ParallelOptions& parallel);

  detail::HashKey hash_key_;
  std::vector<char, detail::UnclearedAllocator<char>> bytes_;
  std::vector<std::size_t> ends_;                              // key n is [ends_[n - 1], ends_[n]) of bytes_
  std::vector<Slot, detail::UnclearedAllocator<Slot>> table_;  // a power of two
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/id_map.ipp>  // IWYU pragma: export
#endif
