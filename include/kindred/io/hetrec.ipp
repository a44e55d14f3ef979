// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/hetrec.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <string>
#include <utility>

#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/io/item_names.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE Dataset read_hetrec2011_lastfm(const Path& user_artists_path, const HetrecOptions& options) {
  Dataset data = read_delimited(user_artists_path,
                                {.header = detail::Header::first_line, .user = "userID", .item = "artistID", .value = "weight", .time = {}},
                                options.read);
  if (options.artists_path.empty()) return data;
  return join_item_names(std::move(data), options.artists_path, {.header = detail::Header::first_line, .field_count = 4}, options.read);
}

}  // namespace kindred::inline v0
