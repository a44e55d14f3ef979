// SPDX-License-Identifier: MIT
#include "results.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <kindred/core/error.hpp>

namespace study {

namespace {

/// A call of the system again where a signal has ended it.
template <typename Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Writes `text` into a new file. False with errno if the system refuses.
bool write_new(const std::string& path, std::string_view text) {
  const int file = uninterrupted([&] { return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); });
  if (file < 0) return false;
  bool written = true;
  while (written && !text.empty()) {
    const ssize_t some = uninterrupted([&] { return write(file, text.data(), text.size()); });
    written = some >= 0;
    if (written) text.remove_prefix(static_cast<std::size_t>(some));
  }
  written = written && fsync(file) == 0;
  const int error = errno;
  written = close(file) == 0 && written;
  errno = error;
  return written;
}

}  // namespace

void write_file_safely(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  if (write_new(beside, text) && std::rename(beside.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  unlink(beside.c_str());
  throw kindred::IoError(path, "write", error);
}

FolderLock::FolderLock(const std::string& folder) {
  handle_ = uninterrupted([&] { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (handle_ < 0) throw kindred::IoError(folder, "lock", errno);
  // Some file systems have no locks: nothing can be said there.
  if (uninterrupted([&] { return flock(handle_, LOCK_EX | LOCK_NB); }) == 0 || errno != EWOULDBLOCK) return;
  close(handle_);
  throw kindred::InvalidArgument("--out", "'" + folder + "', which another run is writing into", "a folder of its own, or that run ended");
}

FolderLock::~FolderLock() { close(handle_); }

const Table* Results::table(std::string_view name) const {
  const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const auto& entry) { return entry.first == name; });
  return found == tables_.end() ? nullptr : &found->second;
}

nlohmann::ordered_json Results::tables_json(std::size_t first) const {
  auto all = nlohmann::ordered_json::array();
  for (std::size_t t = first; t < tables_.size(); ++t) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& row : tables_[t].second) {
      rows.push_back(nlohmann::ordered_json::array());
      for (const Cell& cell : row) rows.back().push_back({cell.shown, cell.plain});
    }
    all.push_back({{"name", tables_[t].first}, {"rows", std::move(rows)}});
  }
  return all;
}

void Results::read_tables(const nlohmann::ordered_json& tables) {
  for (const auto& table : tables) {
    Table rows;
    for (const auto& row : table.at("rows")) {
      rows.emplace_back();
      for (const auto& cell : row) rows.back().push_back({cell.at(0).get<std::string>(), cell.at(1).get<std::string>()});
    }
    add_table(table.at("name"), std::move(rows));
  }
}

void Results::make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw kindred::IoError(folder, "make the folder", error.value());
  if (!std::filesystem::is_directory(folder)) throw kindred::IoError(folder, "write into", ENOTDIR);
  if (access(folder.c_str(), W_OK) != 0) throw kindred::IoError(folder, "write into", errno);
}

void Results::write(const std::string& folder) const {
  // Names come from the data, which may hold anything: what is not UTF-8 is replaced rather than refused at the very end of a study.
  write_file_safely((std::filesystem::path(folder) / "results.json").string(),
                    json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  for (const auto& [name, rows] : tables_) {
    std::string text;
    for (const auto& row : rows) {
      for (std::size_t c = 0; c < row.size(); ++c) {
        std::string cell = row[c].plain;
        std::replace_if(
            cell.begin(), cell.end(), [](char ch) { return ch == '\t' || ch == '\n' || ch == '\r'; }, ' ');
        text += (c == 0 ? "" : "\t") + cell;
      }
      text += "\n";
    }
    write_file_safely((std::filesystem::path(folder) / (name + ".tsv")).string(), text);
  }
}

}  // namespace study
