// SPDX-License-Identifier: MIT
// Step 1: the interactions, from a file or made up, and an account of what was read and what was left out.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <system_error>

#include <kindred/data/synthetic.hpp>
#include <kindred/io/audioscrobbler.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/hetrec.hpp>
#include <kindred/io/lastfm.hpp>
#include <kindred/io/lastfm_1k.hpp>
#include <kindred/io/movielens.hpp>

#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

/// "-": none.
kd::DelimitedFormat::Column column_of(const std::string& text) {
  if (text == "-") return {};
  const bool number =
      !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return number ? kd::DelimitedFormat::Column(std::stoi(text)) : kd::DelimitedFormat::Column(text);
}

kd::DelimitedFormat delimited_format(const Arguments& a) {
  kd::DelimitedFormat format;
  format.separator = a.separator == "tab"         ? "\t"
                     : a.separator == "comma"     ? ","
                     : a.separator == "semicolon" ? ";"
                     : a.separator == "space"     ? " "
                                                  : a.separator;
  if (a.header) format.header = kd::DelimitedFormat::Header::first_line;
  // Where a comma is the decimal point, tables are saved with semicolons, and quotes mean the same.
  if (format.separator == "," || format.separator == ";") format.quoting = kd::DelimitedFormat::Quoting::rfc_4180;
  format.user = column_of(a.columns[0]);
  format.item = column_of(a.columns[1]);
  format.value = a.columns.size() > 2 ? column_of(a.columns[2]) : kd::DelimitedFormat::Column{};
  format.time = a.columns.size() > 3 ? column_of(a.columns[3]) : kd::DelimitedFormat::Column{};
  return format;
}

kd::ReadOptions read_options(const Arguments& a, const Console& console) {
  kd::ReadOptions read;
  read.progress = console.whole("reading", bytes_text);
  if (a.skip_bad_lines) read.on_bad_line = kd::ReadOptions::BadLinePolicy::skip;
  return read;
}

kd::Dataset read_file(const Arguments& a, const Console& console) {
  const kd::ReadOptions read = read_options(a, console);
  const kd::LastfmOptions::ItemKey key = a.item_key == "name"             ? kd::LastfmOptions::ItemKey::name
                                         : a.item_key == "mbid-else-name" ? kd::LastfmOptions::ItemKey::mbid_else_name
                                                                          : kd::LastfmOptions::ItemKey::mbid;

  if (a.format == "lastfm-360k") {
    kd::Dataset data = kd::read_lastfm_360k(a.data, {.item_key = key, .read = read});
    return a.profiles.empty() ? data : kd::join_profiles(std::move(data), kd::read_lastfm_360k_profiles(a.profiles, read));
  }
  if (a.format == "lastfm-1k") {
    kd::Dataset data = a.data.ends_with(".csv")
                           ? kd::read_dense_counts(a.data, {.user_names_path = a.users, .item_names_path = a.artists, .read = read})
                           : kd::read_lastfm_1k_events(a.data, {.item_key = key, .read = read});
    return a.profiles.empty() ? data : kd::join_profiles(std::move(data), kd::read_lastfm_1k_profiles(a.profiles, read));
  }
  if (a.format == "hetrec2011") return kd::read_hetrec2011_lastfm(a.data, {.artists_path = a.artists, .read = read});
  if (a.format == "movielens") return kd::read_movielens(a.data, {.read = read});
  if (a.format == "audioscrobbler")
    return kd::read_audioscrobbler(a.data, {.artist_data_path = a.artists, .artist_alias_path = a.aliases, .read = read});
  return kd::read_delimited(a.data, delimited_format(a), read);
}

/// What was read from one file and from those beside it, and what was dropped and why.
void report_load(const Study& s, const kd::LoadReport& load) {
  s.console.line("Read " + load.source + ": " + grouped(static_cast<double>(load.lines)) + " lines, " +
                 bytes_text(static_cast<double>(load.bytes)) + ", " + grouped(static_cast<double>(load.rows)) + " rows kept.");
  if (load.merged > 0)
    s.console.line(grouped(static_cast<double>(load.merged)) + " rows repeat a user and artist: their plays were added up.");
  for (const auto& [reason, count] : load.dropped)
    s.console.line("Dropped " + grouped(static_cast<double>(count)) + " rows: " + reason + ".");
  if (load.bad_lines > 0) {
    s.console.line("Skipped " + grouped(static_cast<double>(load.bad_lines)) + " lines that cannot be understood, the first of them:");
    for (const kd::LoadReport::BadLine& bad : load.first_bad) s.console.line("  line " + std::to_string(bad.line) + ": " + bad.reason);
  }
  for (const auto& [what, count] : load.noted) s.console.line("Noted " + grouped(static_cast<double>(count)) + " times: " + what + ".");
  for (const kd::LoadReport& companion : load.companions) report_load(s, companion);
}

/// How much is known about the listeners.
void report_profiles(const Study& s) {
  const std::vector<kd::UserProfile>& profiles = s.data.profiles;
  if (profiles.empty()) return;
  const auto known = [&](const char* what, auto&& is_known) {
    const auto count = static_cast<double>(std::count_if(profiles.begin(), profiles.end(), is_known));
    return std::string(what) + " of " + fixed(100.0 * count / static_cast<double>(profiles.size()), 0) + " %";
  };
  s.console.line("Profiles tell " + known("the gender", [](const kd::UserProfile& p) { return !p.gender.empty(); }) + ", " +
                 known("the age", [](const kd::UserProfile& p) { return p.age.has_value(); }) + ", " +
                 known("the country", [](const kd::UserProfile& p) { return !p.country.empty(); }) + " and " +
                 known("the signup date", [](const kd::UserProfile& p) { return p.signup.has_value(); }) + " of the users.");
}

}  // namespace

std::optional<kd::EventLog> read_events(const Study& s) {
  const Arguments& a = s.arguments;
  std::error_code ignored;
  const bool plays = a.format == "lastfm-1k" && !a.data.ends_with(".csv");
  const bool table = a.format == "delimited" && a.columns.size() > 3;
  if (!(plays || table) || !std::filesystem::is_regular_file(a.data, ignored)) return std::nullopt;
  kd::DelimitedFormat format = delimited_format(a);
  if (plays) {
    format = {.field_count = 6, .item = a.item_key == "name" ? 3 : 2, .value = {}, .time = 1};
    format.time_format = kd::DelimitedFormat::TimeFormat::iso_8601;
    if (a.item_key == "mbid-else-name") format.item_fallback = 3;
    format.empty_item = kd::DelimitedFormat::EmptyItem::drop;
  }
  return kd::read_events(a.data, format, {}, read_options(a, s.console));
}

void read_data(Study& s) {
  s.console.section("The data");
  const Arguments& a = s.arguments;
  if (a.data.empty()) {
    s.data = kd::synthetic_listening({.users = a.synthetic_users,
                                      .items = a.synthetic_items,
                                      .items_per_user = a.synthetic_items_per_user,
                                      .taste_strength = a.synthetic_taste_strength,
                                      .seed = a.seed,
                                      .execution = {.threads = a.threads}});
    s.console.line(std::string("Synthetic listening data ") + (a.synthetic_taste_strength > 0.0 ? "with planted" : "without") +
                   " tastes (use --data for real files).");
  } else {
    s.data = read_file(a, s.console);
    s.console.line("Format: " + a.format + (a.artists.empty() ? "." : ", names of artists from " + a.artists + "."));
    report_load(s, s.data.load);
  }
  const std::vector<double> plays = kd::statistics::row_sums(s.data.matrix);
  double total = 0.0;
  for (const double user_plays : plays) total += user_plays;
  s.console.line(grouped(s.data.matrix.rows()) + " users, " + grouped(s.data.matrix.cols()) + " artists, " +
                 grouped(static_cast<double>(s.data.matrix.nnz())) + " user-artist pairs, " + grouped(total) + " plays.");
  report_profiles(s);
  if (s.data.matrix.nnz() == 0) throw kd::InvalidArgument("the number of interactions read", 0, "at least 1");

  auto& json = s.results.json["dataset"];
  json["source"] = a.data.empty() ? "synthetic" : a.data;
  json["format"] = a.data.empty() ? "synthetic" : a.format;
  json["raw_users"] = s.data.matrix.rows();
  json["raw_items"] = s.data.matrix.cols();
  json["raw_interactions"] = s.data.matrix.nnz();
  json["raw_plays"] = total;
  json["has_times"] = !s.data.times.empty();
  json["has_profiles"] = !s.data.profiles.empty();
  json["raw_rows"] = a.data.empty() ? static_cast<std::uint64_t>(s.data.matrix.nnz()) : s.data.load.rows + s.data.load.dropped_total();
  json["merged"] = s.data.load.merged;
  json["dropped"] = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : s.data.load.dropped) json["dropped"][reason] = count;
  if (s.data.load.bad_lines > 0) json["dropped"]["bad line"] = s.data.load.bad_lines;
}

}  // namespace study
