// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/lastfm.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <string>

#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/lastfm.hpp>
#include <kindred/io/profiles.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Sets the item columns of a Last.fm file. Item names are the artist names as first seen.
inline void set_item_key(DelimitedFormat& format, LastfmOptions::ItemKey key, const Column& mbid, const Column& name) {
  format.item = key == LastfmOptions::ItemKey::name ? name : mbid;
  if (key == LastfmOptions::ItemKey::mbid_else_name) format.item_fallback = name;
  format.item_name = name;
  format.empty_item = EmptyItem::drop;
}

}  // namespace detail

KINDRED_ONCE Dataset read_lastfm_360k(const Path& path, const LastfmOptions& options) {
  DelimitedFormat format{.field_count = 4, .value = 3, .time = {}};
  detail::set_item_key(format, options.item_key, 1, 2);
  return read_delimited(path, format, options.read);
}

KINDRED_ONCE ProfileTable read_lastfm_360k_profiles(const Path& path, const ReadOptions& options) {
  return detail::read_lastfm_profiles(path, detail::Header::none, options);
}

}  // namespace kindred::inline v0
