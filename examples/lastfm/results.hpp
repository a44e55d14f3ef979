// SPDX-License-Identifier: MIT
// What the study found: results.json and one table for each figure, numbers in full.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "console.hpp"

namespace study {

class Results {
 public:
  /// Everything that a machine may want to read; steps add to it.
  nlohmann::ordered_json json;

  /// A figure's data: rows[0] is the header.
  void add_table(std::string name, Table rows) { tables_.emplace_back(std::move(name), std::move(rows)); }
  /// The table of that name, or nothing if no step has come to it.
  [[nodiscard]] const Table* table(std::string_view name) const;

  /// For a later run: the tables from the `first` on, as they are shown and as they are written.
  [[nodiscard]] nlohmann::ordered_json tables_json(std::size_t first) const;
  void read_tables(const nlohmann::ordered_json& tables);
  [[nodiscard]] std::size_t table_count() const noexcept { return tables_.size(); }

  /// Makes the folder, so that a wrong --out is said before the study and not after it. @throws kindred::IoError
  static void make_folder(const std::string& folder);

  /// Writes results.json and <name>.tsv for every table into `folder`. @throws kindred::IoError
  void write(const std::string& folder) const;

 private:
  std::vector<std::pair<std::string, Table>> tables_;
};

/// Writes a file beside its place and moves it there: whoever ends the program leaves the old one or the new one. @throws kindred::IoError
void write_file_safely(const std::string& path, const std::string& text);

/// Keeps other runs out of a folder of results, for as long as it lives. @throws kindred::InvalidArgument if another run is in it.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int handle_ = -1;
};

}  // namespace study
