// SPDX-License-Identifier: MIT
// The study as its users run it: a program with arguments, an exit code, two streams and a folder of results.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <nlohmann/json.hpp>

#include "support/temporary_file.hpp"

namespace study_test {

using kindred::test::TemporaryDirectory;
using nlohmann::json;
using Words = std::vector<std::string>;

struct Run {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A table of the results: the cells of each line, the header first.
inline std::vector<Words> table_of(const std::string& folder, const std::string& name) {
  std::istringstream file(content_of(folder + "/" + name + ".tsv"));
  std::vector<Words> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line + "\t");
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, '\t');) rows.back().push_back(cell);
  }
  REQUIRE(rows.size() > 1);
  return rows;
}

inline bool is_number(const std::string& text) {
  char* end = nullptr;
  (void)std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

inline json json_of(const std::string& folder) { return json::parse(content_of(folder + "/results.json")); }

inline std::string shell_word(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// `environment`: words before the program, as a shell takes them: "PATH=/nowhere".
inline Run run_study(const Words& words, const std::string& environment = "") {
  const TemporaryDirectory streams;
  std::string command = environment + " " + shell_word(LASTFM_STUDY);
  for (const std::string& word : words) command += " " + shell_word(word);
  command += " > " + shell_word(streams.path("out")) + " 2> " + shell_word(streams.path("err"));
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(streams.path("out")), content_of(streams.path("err"))};
}

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline const Words small_data = {"--synthetic-users", "200", "--synthetic-items", "300", "--synthetic-items-per-user", "20"};
inline const Words no_search = {"--search-trials", "0"};

/// The program says what is wrong in one line on the standard error, of which `words` are a part, and fails.
inline void check_refused(const Words& arguments, std::string_view words) {
  const Run run = run_study(arguments);
  CAPTURE(run.err);
  CAPTURE(words);
  CHECK(run.exit_code != 0);
  CHECK(run.err.starts_with("lastfm_study: "));
  CHECK(run.err.find(words) != std::string::npos);
  CHECK(run.err.find('\n') == run.err.size() - 1);
}

/// The same, before any work is done.
inline void check_refused_at_once(const Words& arguments, std::string_view words) {
  check_refused(arguments, words);
  CHECK(run_study(arguments).out.empty());
}

/// Results without what may differ between two runs: times and the command line.
inline json without_times(json value) {
  if (value.is_object())
    for (const char* name : {"seconds", "fit_seconds", "command"}) value.erase(name);
  if (value.is_structured())
    for (json& part : value) part = without_times(part);
  return value;
}

inline const json& model_of(const json& results, std::string_view name) {
  for (const json& model : results.at("models"))
    if (model.at("name") == name) return model;
  FAIL("no model " << std::string(name));
  return results;
}

}  // namespace study_test
