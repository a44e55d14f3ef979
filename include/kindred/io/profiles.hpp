// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// What a file says about users, whether or not they have interactions.
struct ProfileTable {
  IdMap users;                        ///< The users of the file, in its order.
  std::vector<UserProfile> profiles;  ///< Length users.size().
  LoadReport load;                    ///< `noted["implausible age"]` counts ages outside 1 to 120, which are read as missing.
};

/// The dataset with a profile for each of its users, an empty one where `table` has none; `load.noted["user without a profile"]` counts these.
///
/// Replaces profiles that the dataset had; `table.load` joins `load.companions`. O(users).
[[nodiscard]] KINDRED_ONCE Dataset join_profiles(Dataset data, const ProfileTable& table);

namespace detail {

/// Reads the profile files of Last.fm 360K and 1K, which differ in the header alone.
[[nodiscard]] KINDRED_ONCE ProfileTable read_lastfm_profiles(const std::string& path, Header header, const ReadOptions& options);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/profiles.ipp>  // IWYU pragma: export
#endif
