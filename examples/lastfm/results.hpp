// SPDX-License-Identifier: MIT
// What the study found: results.json and one table for each figure, numbers in full.
#pragma once

#include <string>
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

  /// Makes the folder, so that a wrong --out is said before the study and not after it. @throws kindred::IoError
  static void make_folder(const std::string& folder);

  /// Writes results.json and <name>.tsv for every table into `folder`. @throws kindred::IoError
  void write(const std::string& folder) const;

 private:
  std::vector<std::pair<std::string, Table>> tables_;
};

}  // namespace study
