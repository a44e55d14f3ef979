// SPDX-License-Identifier: MIT
// The readers of public data sets on any bytes: a dataset that is whole, or a kindred::Error; the same for any number of threads and any size of blocks.
//
// An input is one byte for threads and blocks, one or two for the options of reading, one for those of the reader, then the text of its files.
#include <cstddef>
#include <string>
#include <string_view>

#include <kindred/io/audioscrobbler.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/io/lastfm.hpp>
#include <kindred/io/lastfm_1k.hpp>
#include <kindred/io/movielens.hpp>
#include <kindred/io/profiles.hpp>

#include "../support/read_outcome.hpp"
#include "input.hpp"
#include "memory_files.hpp"

namespace kd = kindred;

namespace kindred_fuzz {

namespace {

/// `read(files, options, choice)` twice: by one thread at once, and as the input says.
template <typename Read>
void read_twice(Bytes bytes, Read&& read) {
  Input input(bytes);
  const std::uint8_t blocks = input.byte();
  kd::ReadOptions options = read_options(input);
  const std::uint8_t choice = input.byte();
  const MemoryFiles files(input.rest(), blocks % 3 == 0 ? 1 + blocks / 3 : 0);
  options.open = files.open();
  const std::string wanted = kindred_test::outcome([&] { return read(files, options, choice); });
  options.execution.threads = 1 + blocks % 3;
  options.block_bytes = std::size_t{1} + blocks / 3;
  const std::string found = kindred_test::outcome([&] { return read(files, options, choice); });
  if (found != wanted) fail("other blocks, other result:\n" + wanted + "\n--- and\n" + found);
}

kd::LastfmOptions::ItemKey item_key(std::uint8_t choice) { return static_cast<kd::LastfmOptions::ItemKey>(choice % 3); }

}  // namespace

void read_lastfm_360k(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t choice) {
    return kd::read_lastfm_360k(files.name(0), {.item_key = item_key(choice), .read = options});
  });
}

void read_profiles(Bytes bytes) {
  // A dataset with users that the profiles may name.
  static const kd::Dataset plays = [] {
    const MemoryFiles files("a\tx\nb\ty\n00\tx\nuser_000001\tx\n");
    return kd::read_delimited(files.name(0), {}, {.execution = {.threads = 1}, .open = files.open()});
  }();
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t choice) {
    const kd::ProfileTable profiles =
        choice % 2 == 0 ? kd::read_lastfm_360k_profiles(files.name(0), options) : kd::read_lastfm_1k_profiles(files.name(0), options);
    check(profiles.profiles.size() == static_cast<std::size_t>(profiles.users.size()), "a profile for each user");
    check(profiles.load.rows == profiles.profiles.size(), "a row for each profile");
    for (const kd::UserProfile& profile : profiles.profiles) {
      check(!profile.age || (*profile.age >= 1 && *profile.age <= 120), "ages");
      check(profile.gender.empty() || profile.gender == "m" || profile.gender == "f", "genders");
      check(!profile.signup || *profile.signup % 86'400 == 0, "days");
    }
    return kd::join_profiles(plays, profiles);
  });
}

void read_hetrec(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t) {
    return kd::read_hetrec2011_lastfm(files.name(0), {.artists_path = files.name(1), .read = options});
  });
}

void read_lastfm_1k(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t choice) {
    return kd::read_lastfm_1k_events(files.name(0), {.item_key = item_key(choice), .read = options});
  });
}

void read_dense_counts(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t choice) {
    return kd::read_dense_counts(files.name(0), {.user_names_path = (choice & 1) != 0 ? files.name(1) : "",
                                                 .item_names_path = (choice & 2) != 0 ? files.name(2) : "",
                                                 .separator = (choice & 4) != 0 ? "::" : ",",
                                                 .read = options});
  });
}

void read_audioscrobbler(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t) {
    return kd::read_audioscrobbler(files.name(0), {.artist_data_path = files.name(1), .artist_alias_path = files.name(2), .read = options});
  });
}

void read_movielens(Bytes bytes) {
  read_twice(bytes, [](const MemoryFiles& files, const kd::ReadOptions& options, std::uint8_t choice) {
    return kd::read_movielens(files.name(0), {.min_rating = static_cast<float>(choice % 6), .read = options});
  });
}

}  // namespace kindred_fuzz
