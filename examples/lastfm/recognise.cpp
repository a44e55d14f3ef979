// SPDX-License-Identifier: MIT
#include "recognise.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <regex>
#include <utility>

#include <kindred/core/error.hpp>

namespace fs = std::filesystem;

namespace study {

namespace {

/// The first line that says something; a dense table of counts has lines of thousands of characters, of which the beginning is enough. What is no text may
/// have no line at all.
std::string first_line(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) throw kindred::IoError(path, "read", EISDIR);
  if (path == "-" || (fs::exists(status) && !fs::is_regular_file(status)))
    throw kindred::InvalidArgument("--data", "'" + path + "', a pipe or device, which cannot be read twice: once to recognise its format",
                                   "a file, or described by --format");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw kindred::IoError(path, "open", errno == 0 ? ENOENT : errno);
  std::string start(std::size_t{1} << 16, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  if (start.starts_with("\xEF\xBB\xBF")) start.erase(0, 3);
  start.erase(0, start.find_first_not_of("\r\n"));
  std::string line = start.substr(0, start.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  return line.substr(0, 400);
}

}  // namespace

std::string recognise_format(const std::string& path) {
  static const std::pair<const char*, const char*> formats[] = {
      {"hetrec2011", "userID\tartistID\tweight"},
      {"lastfm-1k", "[^\t]+\t\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ\t[^\t]*\t[^\t]+\t[^\t]*\t.*"},
      {"lastfm-360k", "[0-9a-f]{40}\t[^\t]*\t[^\t]*\t *\\d+"},
      {"movielens", "\\d+::\\d+::[0-9.]+::\\d+"},
      {"movielens", "userId,movieId,rating,timestamp"},
      {"movielens", "\\d+\t\\d+\t[1-5]\t\\d{9}"},
      {"audioscrobbler", "\\d+ \\d+ \\d+"},
      {"lastfm-1k", "(\\d+,){20}.*"},
  };
  const std::string line = first_line(path);
  for (const auto& [format, pattern] : formats)
    if (std::regex_match(line, std::regex(pattern))) return format;
  // A broken first line of a file with a known name: its reader says what is wrong with it.
  const std::string name = fs::path(path).filename().string();
  if (name == "user_artists.dat") return "hetrec2011";
  if (name.starts_with("usersha1-artmbid-artname-plays")) return "lastfm-360k";
  if (name.starts_with("userid-timestamp-artid")) return "lastfm-1k";
  if (name == "u.data" || name == "ratings.dat" || name == "ratings.csv") return "movielens";
  if (name == "user_artist_data.txt") return "audioscrobbler";
  throw kindred::InvalidArgument("--data", "'" + path + "', which is none of the known files",
                                 "described by --format: lastfm-360k, hetrec2011, lastfm-1k, movielens, audioscrobbler, or delimited with "
                                 "--columns");
}

std::string names_beside(const std::string& path, const std::string& format) {
  const char* usual = format == "hetrec2011" ? "artists.dat" : format == "audioscrobbler" ? "artist_data.txt" : nullptr;
  if (usual == nullptr) return {};
  const fs::path beside = fs::path(path).parent_path() / usual;
  std::error_code ignored;
  return fs::is_regular_file(beside, ignored) ? beside.string() : std::string();
}

}  // namespace study
