// SPDX-License-Identifier: MIT
// The command line of lastfm_study, parsed and no more: arguments that make sense, a message, or a kindred::Error. And what was recorded of it reads the same.
//
// An input is the words, with NUL between them.
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/models/als/options.hpp>

#include "../support/temporary_file.hpp"
#include "arguments.hpp"
#include "input.hpp"

namespace kindred_fuzz {

namespace {

/// A folder without files of any name, so that what is read is what the words say.
void enter_empty_folder() {
  static const kindred::test::TemporaryDirectory directory;
  static const bool entered = [] {
    std::filesystem::current_path(directory.path());
    return true;
  }();
  (void)entered;
}

/// False where there are none.
bool parse(std::vector<std::string> words, study::Arguments& arguments) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  try {
    arguments = study::parse_arguments(static_cast<int>(words.size()), argv.data());
    return true;
  } catch (const study::Leave& leave) {
    check((leave.code == study::exit_done) == leave.error.empty(), "an error without a word, or the other way round");
    check(leave.code == study::exit_done || leave.code == study::exit_bad_arguments, "an exit code of its own");
    check(leave.output.empty() != leave.error.empty(), "something to print");
  } catch (const kindred::Error&) {
  }
  return false;
}

/// The words that a shell makes of what shell_word makes.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (std::size_t n = 0; n < line.size(); ++n) {
    if (line[n] == '\'') {
      quoted = !quoted;
    } else if (!quoted && line[n] == '\\') {
      words.back() += line.at(++n);
    } else if (!quoted && line[n] == ' ') {
      words.emplace_back();
    } else {
      words.back() += line[n];
    }
  }
  return words;
}

}  // namespace

void command_line(Bytes bytes) {
  enter_empty_folder();
  const std::string text = "lastfm_study" + std::string(bytes.empty() ? "" : std::string(1, '\0')) + std::string(Input(bytes).rest());
  std::vector<std::string> words;
  for (std::size_t first = 0; first <= text.size();) {
    const std::size_t last = (std::min)(text.find('\0', first), text.size());
    words.push_back(text.substr(first, last - first));
    for (char& one : words.back())
      if (one == '/') one = '_';  // no file of this machine
    first = last + 1;
  }
  study::Arguments a;
  if (!parse(words, a)) return;
  check(a.test_fraction > 0.0 && a.test_fraction < 1.0, "test fraction");
  check(a.top_users >= 0 && a.filter.min_items_per_user >= 0 && a.filter.min_users_per_item >= 0, "thresholds");
  check(a.out.empty() <= !a.resume, "nothing to resume from");
  if (a.custom) kindred::validate(*a.custom);
  for (const std::string& word : a.typed_artists) check(word.find_first_not_of(' ') != std::string::npos, "an artist without a name");

  // The command that is recorded is the same command.
  study::Arguments again;
  check(parse(shell_words(a.command_line), again), "the recorded command is no command");
  check(again.command_line == a.command_line && again.findings_of == a.findings_of, "another command is recorded of it");
  check(again.data == a.data && again.out == a.out && again.seed == a.seed && again.user_keys == a.user_keys, "other arguments");
  check(again.typed_artists == a.typed_artists && again.custom.has_value() == a.custom.has_value(), "other artists or models");
}

}  // namespace kindred_fuzz
