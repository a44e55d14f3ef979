// SPDX-License-Identifier: MIT
#include "results.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <unistd.h>

#include <kindred/core/error.hpp>

namespace study {

namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (!file) throw kindred::IoError(path.string(), "write", errno);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() || std::fflush(file.get()) != 0)
    throw kindred::IoError(path.string(), "write", errno);
}

}  // namespace

void Results::make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw kindred::IoError(folder, "make the folder", error.value());
  if (!std::filesystem::is_directory(folder)) throw kindred::IoError(folder, "write into", ENOTDIR);
  if (access(folder.c_str(), W_OK) != 0) throw kindred::IoError(folder, "write into", errno);
}

void Results::write(const std::string& folder) const {
  // Names come from the data, which may hold anything: what is not UTF-8 is replaced rather than refused at the very end of a study.
  write_file(std::filesystem::path(folder) / "results.json",
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
    write_file(std::filesystem::path(folder) / (name + ".tsv"), text);
  }
}

}  // namespace study
