// SPDX-License-Identifier: MIT
// What the user asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <kindred/data/filters.hpp>
#include <kindred/models/als/options.hpp>

namespace study {

struct Arguments {
  // Data.
  std::string data;  // empty: synthetic
  std::string format;
  std::string artists;  // file of names
  std::string aliases;
  std::string users;
  std::string profiles;
  std::string model;  // where a model to serve is written
  std::string separator = "tab";
  std::vector<std::string> columns = {"0", "1", "2"};
  bool header = false;
  std::string item_key = "mbid";
  bool skip_bad_lines = false;
  kindred::Index synthetic_users = 2'000;
  kindred::Index synthetic_items = 1'500;
  double synthetic_items_per_user = 40.0;
  double synthetic_taste_strength = 0.8;

  // Preparation.
  kindred::ActivityFilter filter;
  kindred::Index top_users = 0;  // 0: all
  double test_fraction = 0.2;
  std::uint64_t seed = 42;

  // Models.
  std::optional<kindred::AlsOptions> custom;
  std::size_t search_trials = 12;
  std::size_t search_users = 1'000;
  bool tune_on_test = false;
  double popularity_penalty = 0.0;  // of all lists of ALS models

  // Whom the report is about.
  std::vector<std::string> user_keys;                        // empty: somebody in the middle
  std::vector<std::string> typed_artists;                    // a listener who names these
  std::vector<std::pair<std::string, std::string>> profile;  // of a new listener: group and value

  // The run.
  std::size_t threads = 0;
  std::string out;
  std::string checkpoint;
  bool resume = false;
  bool quiet = false;
  std::string command_line;  // as typed, without --resume
  std::string findings_of;   // the words of it that findings depend on
};

/// What the program ends with; --help lists them.
enum ExitCode { exit_done = 0, exit_bad_data = 1, exit_bad_arguments = 2, exit_unexpected = 3, exit_interrupted = 130 };

/// Nothing is left to do but to print this and to end: help, the version, or what is wrong with the command line.
struct Leave {
  ExitCode code = exit_done;
  std::string output;
  std::string error;
};

/// Reads the command line.
/// @throws Leave; kindred::InvalidArgument if a value makes no sense; kindred::IoError if --data has to be looked into and cannot be read.
[[nodiscard]] Arguments parse_arguments(int argc, char** argv);

}  // namespace study
