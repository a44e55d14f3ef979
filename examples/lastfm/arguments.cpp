// SPDX-License-Identifier: MIT
#include "arguments.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <initializer_list>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <kindred/core/error.hpp>
#include <kindred/split/per_user_splitter.hpp>
#include <kindred/version.hpp>

#include "recognise.hpp"
#include "suggest.hpp"

namespace study {

namespace {

#define STUDY_TEXT_OF(x) #x
#define STUDY_TEXT(x) STUDY_TEXT_OF(x)
constexpr const char* version_text =
    "lastfm_study, Kindred " STUDY_TEXT(KINDRED_VERSION_MAJOR) "." STUDY_TEXT(KINDRED_VERSION_MINOR) "." STUDY_TEXT(KINDRED_VERSION_PATCH);
#undef STUDY_TEXT
#undef STUDY_TEXT_OF

/// CLI11 turns a negative text into a huge unsigned number, and words its own check for this by the range of a double.
const CLI::Validator not_negative(
    [](const std::string& text) {
      return text.find('-') == std::string::npos ? std::string() : text + " is negative; it must be at least 0";
    },
    "", "not negative");

/// As it has to be typed in a shell.
std::string shell_word(const std::string& word) {
  const std::string plain = "-_./=,:+@%";
  if (!word.empty() && std::all_of(word.begin(), word.end(), [&](unsigned char c) {
        return std::isalnum(c) != 0 || plain.find(static_cast<char>(c)) != std::string::npos;
      }))
    return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void add_data_options(CLI::App& app, Arguments& a, std::string& count) {
  const char* group = "Data (without --data: synthetic listening data, made on the spot)";
  CLI::Option* data = app.add_option("--data", a.data, "File of interactions")->group(group);
  app.add_option("--format", a.format,
                 "Its format, where its content does not tell; lastfm-1k reads events, or dense counts from a .csv file")
      ->check(CLI::IsMember({"lastfm-360k", "hetrec2011", "lastfm-1k", "movielens", "audioscrobbler", "delimited"}))
      ->needs(data)
      ->group(group);
  app.add_option("--aliases", a.aliases, "artist_alias.txt (audioscrobbler)")->needs(data)->group(group);
  app.add_option("--users", a.users, "File of user names: row names (dense lastfm-1k)")->needs(data)->group(group);
  app.add_option("--profiles", a.profiles, "File of user profiles (lastfm-360k, lastfm-1k)")->needs(data)->group(group);
  app.add_option(
         "--separator", a.separator,
         "For delimited: tab, comma, semicolon, space, or the characters themselves; with commas or semicolons, fields may be quoted")
      ->capture_default_str()
      ->group(group);
  app.add_option("--columns", a.columns,
                 "For delimited: user,item[,value[,time]], each by number from 0 or by its name in the header; \"-\": no value")
      ->delimiter(',')
      ->expected(2, 4)
      ->group(group);
  app.add_flag("--header", a.header, "For delimited: the first line names the columns")->group(group);
  app.add_option("--item-key", a.item_key, "What an artist is in the Last.fm files")
      ->check(CLI::IsMember({"mbid", "name", "mbid-else-name"}))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--skip-bad-lines", a.skip_bad_lines,
               "Leave out and count lines that cannot be understood, instead of stopping at the first")
      ->group(group);
  app.add_option("--synthetic-users", a.synthetic_users, "Size of the synthetic data")->capture_default_str()->excludes(data)->group(group);
  app.add_option("--synthetic-items", a.synthetic_items)->capture_default_str()->excludes(data)->group(group);
  app.add_option("--synthetic-items-per-user", a.synthetic_items_per_user)->capture_default_str()->excludes(data)->group(group);
  app.add_option("--synthetic-taste-strength", a.synthetic_taste_strength, "Share of the artists that follow tastes; 0 plants none")
      ->capture_default_str()
      ->excludes(data)
      ->group(group);

  const char* preparation = "Preparation";
  app.add_option("--min-items-per-user", a.filter.min_items_per_user, "Keep users with at least this many artists")
      ->check(not_negative)
      ->capture_default_str()
      ->group(preparation);
  app.add_option("--min-users-per-item", a.filter.min_users_per_item, "Then keep artists with at least this many of these users")
      ->check(not_negative)
      ->capture_default_str()
      ->group(preparation);
  app.add_option("--count", count, "What these thresholds and --top-users count")
      ->check(CLI::IsMember({"pairs", "raw-rows"}))
      ->capture_default_str()
      ->group(preparation);
  app.add_option("--top-users", a.top_users, "Then keep this many of the most active users (0: all)")
      ->check(not_negative)
      ->capture_default_str()
      ->group(preparation);
  app.add_option("--test-fraction", a.test_fraction, "Share of each user's artists to hold out")->capture_default_str()->group(preparation);
  app.add_option("--seed", a.seed, "Of splits, first factors, samples and synthetic data")
      ->check(not_negative)
      ->capture_default_str()
      ->group(preparation);
}

/// One of several words, each of which stands for a value of an enumeration.
template <typename Enumeration, typename Field>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Field& value,
                        std::initializer_list<std::pair<const char*, Enumeration>> given, const std::string& description) {
  const std::vector<std::pair<std::string, Enumeration>> choices(given.begin(), given.end());
  std::string words;
  for (const auto& choice : choices) words += (words.empty() ? "" : "|") + choice.first;
  const auto to_number = [choices, words](std::string& word) -> std::string {
    for (const auto& [known, meaning] : choices) {
      if (known != word) continue;
      word = std::to_string(static_cast<int>(meaning));
      return "";
    }
    return word + " is none of " + words;
  };
  return app.add_option(name, value, description)->transform(CLI::Validator(to_number, words))->option_text(words);
}

/// The options of one more model, "custom": it exists as soon as one of them is given.
std::vector<CLI::Option*> add_model_options(CLI::App& app, kindred::AlsOptions& o) {
  const char* group = "One more model, \"custom\" (exists if one of these is given; the others as in \"study\")";
  using kindred::Background;
  using kindred::Confidence;
  using kindred::Solver;
  using kindred::Start;
  std::vector<CLI::Option*> options = {
      app.add_option("--factors", o.factors, "Length of the vectors")->check(not_negative),
      app.add_option("--regularization", o.regularization, "lambda"),
      app.add_option("--alpha", o.confidence.alpha, "Weight of the plays in the confidence"),
      add_choice<Confidence>(app, "--confidence", o.confidence.curve,
                             {{"linear", Confidence::linear}, {"log", Confidence::log}, {"one", Confidence::one}},
                             "Curve of the confidence over plays"),
      app.add_option("--confidence-base", o.confidence.base, "Confidence of an interaction besides its plays"),
      app.add_option("--beta", o.confidence.popularity_damping, "Exponent that lowers the confidence in popular artists"),
      app.add_option("--rho", o.background.item_exponent, "Exponent that weighs popular artists in the background"),
      add_choice<Solver>(app, "--solver", o.solver.kind, {{"cholesky", Solver::cholesky}, {"cg", Solver::conjugate_gradient}},
                         "Exact or approximate"),
      app.add_option("--iterations", o.iterations, "Sweeps over artists and users")->check(not_negative),
      add_choice<Start>(app, "--init", o.start.kind,
                        {{"spectral", Start::spectral}, {"normal", Start::normal}, {"uniform", Start::uniform}},
                        "First factors: spectral, normal, or uniform in [0, 0.01)"),
      app.add_option("--init-scale", o.start.scale, "Normal ones have standard deviation init-scale / sqrt(factors)"),
      app.add_option("--unobserved-weight", o.background.weight, "w0, weight of the background"),
      app.add_option("--background-ratio", o.background.ratio, "w0 as a multiple of the density of train, in place of --unobserved-weight"),
      app.add_option("--nu", o.regularization_exponent, "Exponent that scales lambda with a row's weight"),
      add_choice<Background>(app, "--background", o.background.pairs, {{"unobserved", Background::unobserved}, {"all", Background::all}},
                             "Which pairs pull scores towards 0"),
  };
  for (CLI::Option* option : options) option->group(group);
  return options;
}

/// An option that the format has no use for is a mistake, and better said than passed over.
void check_uses(const CLI::App& app, const Arguments& a) {
  struct Use {
    const char* option;
    std::initializer_list<const char*> formats;
  };
  const Use uses[] = {{"--artists", {"hetrec2011", "lastfm-1k", "audioscrobbler"}},
                      {"--aliases", {"audioscrobbler"}},
                      {"--users", {"lastfm-1k"}},
                      {"--profiles", {"lastfm-360k", "lastfm-1k"}},
                      {"--item-key", {"lastfm-360k", "lastfm-1k"}},
                      {"--separator", {"delimited"}},
                      {"--columns", {"delimited"}},
                      {"--header", {"delimited"}}};
  for (const Use& use : uses) {
    if (app.count(use.option) == 0 || (use.option == std::string("--artists") && a.artists.empty())) continue;
    std::string formats;
    bool used = false;
    for (const char* format : use.formats) {
      used = used || a.format == format;
      formats += (formats.empty() ? "" : " or ") + std::string(format);
    }
    if (!used) throw CLI::ValidationError(use.option, "only --format " + formats + " has a use for it");
  }
  // The events of Last.fm 1K name their users and artists themselves.
  if (a.format == "lastfm-1k" && !a.data.ends_with(".csv"))
    for (const auto& [option, file] : {std::pair("--users", a.users), std::pair("--artists", a.artists)})
      if (!file.empty())
        throw CLI::ValidationError(option, "only dense counts of lastfm-1k (a .csv file) have a use for '" + file +
                                               "': its events name users and artists themselves");
}

/// A value of --artists is a file of names if there is such a file; otherwise it is names of artists, separated by semicolons.
void sort_artists(const std::vector<std::string>& values, Arguments& a) {
  for (const std::string& value : values) {
    std::error_code ignored;
    const std::string extension = std::filesystem::path(value).extension().string();
    const bool file_name = extension == ".dat" || extension == ".txt" || extension == ".csv" || extension == ".tsv";
    if (std::filesystem::exists(value, ignored) || (file_name && value.find(';') == std::string::npos)) {
      if (a.data.empty()) throw CLI::ValidationError("--artists", "the file '" + value + "' needs a --data whose artists it names");
      if (!a.artists.empty())
        throw CLI::ValidationError("--artists", "names one file only, and was given '" + a.artists + "' and '" + value + "'");
      a.artists = value;
      continue;
    }
    for (std::size_t first = 0; first <= value.size();) {
      const std::size_t last = (std::min)(value.find(';', first), value.size());
      const std::string name = value.substr(first, last - first);
      if (name.find_first_not_of(' ') != std::string::npos) a.typed_artists.push_back(name);
      first = last + 1;
    }
    if (a.typed_artists.empty()) throw CLI::ValidationError("--artists", "'" + value + "' names no artist");
  }
}

/// "--no-such-option is not known; did you mean ...?"
std::string unknown_option(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  const std::string typed = word.substr(0, word.find('='));
  return typed + (word.starts_with("-") ? " is no option" : " belongs to no option") + did_you_mean(typed, known);
}

constexpr const char* footer =
    "Examples:\n"
    "  lastfm_study --out results                                  synthetic data, no download, some seconds; results/report.html\n"
    "  lastfm_study --data user_artists.dat --out results          HetRec 2011: the format, and artists.dat beside it, are recognised\n"
    "  lastfm_study --data user_artists.dat --user 2 --user 1007 --out results\n"
    "  lastfm_study --data user_artists.dat --artists \"Radiohead;Björk;Portishead\" --out results    and results/listener.html\n"
    "  lastfm_study --data plays.tsv --format delimited --columns user,artist,count --header\n"
    "  lastfm_study --data usersha1-artmbid-artname-plays.tsv --top-users 20000 --out results --resume\n"
    "examples/lastfm/fetch_data.sh gets the public data sets.\n\n"
    "Exit codes: 0 done, 1 data or values cannot be used or the output cannot be written, 2 the command line cannot be understood,\n"
    "3 an error in the program, 130 ended by Ctrl-C; what was found until then is kept.\n"
    "NO_COLOR in the environment turns colours off. Progress goes to a terminal only.";

void record_command(Arguments& a, int argc, char** argv) {
  for (int n = 0; n < argc; ++n) {
    const std::string word = argv[n];
    if (word == "--resume") continue;
    a.command_line += (n == 0 ? "" : " ") + shell_word(word);
    if (word == "--threads" && n + 1 < argc) a.command_line += " " + shell_word(argv[++n]);
    if (n > 0 && word != "--quiet" && !word.starts_with("--threads")) a.findings_of += " " + shell_word(word);
  }
}

/// Whom the report is about.
void add_people_options(CLI::App& app, Arguments& a, std::vector<std::string>& artists, std::string& profile) {
  const char* people = "Whom the report is about";
  app.add_option(
         "--artists", artists,
         "\"name;name;...\": somebody who likes these artists gets listener.html. Or a file of artist names: artists.dat (hetrec2011), "
         "artist_data.txt (audioscrobbler), column names (dense lastfm-1k). Both: give it twice")
      ->allow_extra_args(false)
      ->group(people);
  app.add_option("--user", a.user_keys, "A listener of the data, by key, instead of one in the middle; may be given several times")
      ->allow_extra_args(false)
      ->group(people);
  app.add_option("--profile", profile,
                 "\"gender=f;age=25;country=Japan\": write profile.html, the list for a new listener with this profile. Needs profiles")
      ->group(people);
}

/// "group=value;group=value".
void read_profile(const std::string& text, Arguments& a) {
  if (text.empty()) return;
  if (!a.data.empty() && a.profiles.empty()) throw CLI::ValidationError("--profile", "needs --profiles, from which profiles are learned");
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    const std::size_t equals = part.find('=');
    const std::string group = folded(part.substr(0, equals));
    const std::vector<std::string> known{"gender", "age", "country"};
    if (std::find(known.begin(), known.end(), group) == known.end())
      throw CLI::ValidationError("--profile", "'" + group + "' is none of gender, age and country" + did_you_mean(group, known));
    const std::size_t first = equals == std::string::npos ? equals : part.find_first_not_of(' ', equals + 1);
    if (first == std::string::npos) throw CLI::ValidationError("--profile", "has no value for " + group);
    if (std::any_of(a.profile.begin(), a.profile.end(), [&](const auto& one) { return one.first == group; }))
      throw CLI::ValidationError("--profile", "names " + group + " twice");
    a.profile.emplace_back(group, part.substr(first, part.find_last_not_of(' ') + 1 - first));
  }
}

/// The search, threads and output.
void add_run_options(CLI::App& app, Arguments& a) {
  const char* group = "Search and output";
  app.add_option("--search-trials", a.search_trials, "Settings to try (0: no search)")
      ->check(not_negative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--search-users", a.search_users, "Users that each of them is measured on (0: all)")
      ->check(not_negative)
      ->capture_default_str()
      ->group(group);
  app.add_flag("--tune-on-test", a.tune_on_test,
               "Search on the final test set, as some published studies did: its figures are then too good")
      ->group(group);
  app.add_option("--popularity-penalty", a.popularity_penalty,
                 "[0, 1]: how much popularity counts against an artist in the lists of the ALS models")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", a.threads, "0: all hardware threads; results do not depend on it")
      ->check(not_negative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--out", a.out, "Write report.html, results.json and a TSV for each figure into this folder")->group(group);
  app.add_flag("--resume", a.resume, "Take the steps that an earlier run of the same command has finished from --out")->group(group);
  app.add_option("--model", a.model, "Write a model fitted on all plays, with keys and names, to this file: for a service, or examples/web")
      ->group(group);
  app.add_option("--checkpoint", a.checkpoint, "Keep the fits of the final models in this folder, and go on from what is there")
      ->group(group);
  app.add_flag("--quiet", a.quiet, "Print nothing but errors")->group(group);
}

/// What can be known to be wrong before any work is done. @throws kindred::InvalidArgument
void check_values(const Arguments& a) {
  const kindred::PerUserSplitter splitter({.test_fraction = a.test_fraction});
  if (a.custom) kindred::validate(*a.custom);
}

}  // namespace

Arguments parse_arguments(int argc, char** argv) {
  Arguments a;
  std::string count = "pairs";
  kindred::AlsOptions custom{
      .factors = 100, .regularization = 0.1, .iterations = 15, .units = kindred::Units::paper, .confidence = {.alpha = 0.5}};

  CLI::App app{
      "A whole music-recommendation study: reads listening data, explores, filters and splits it, compares popularity with implicit ALS, "
      "searches\n"
      "for good settings on an inner validation split, evaluates the final models on held-out artists, and tells it all in report.html."};
  app.footer(footer);
  app.set_version_flag("--version", version_text);
  add_data_options(app, a, count);
  std::vector<std::string> artists;
  std::string profile;
  add_people_options(app, a, artists, profile);
  const std::vector<CLI::Option*> model_options = add_model_options(app, custom);
  add_run_options(app, a);

  const auto wrong = [](const std::string& what) {
    return Leave{exit_bad_arguments, "", "lastfm_study: " + what + " (--help lists all options)\n"};
  };
  try {
    app.parse(argc, argv);
    if (a.resume && a.out.empty()) throw CLI::ValidationError("--resume", "needs --out, where the finished steps are");
    sort_artists(artists, a);
    read_profile(profile, a);
    if (!a.data.empty() && a.format.empty()) a.format = recognise_format(a.data);
    check_uses(app, a);
  } catch (const CLI::ExtrasError&) {
    throw wrong(unknown_option(app, app.remaining().front()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) throw wrong(error.what());
    std::ostringstream output, ignored;
    (void)app.exit(error, output, ignored);
    throw Leave{exit_done, output.str(), ""};
  }
  if (!a.data.empty() && a.artists.empty()) a.artists = names_beside(a.data, a.format);
  if (count == "raw-rows") a.filter.count = kindred::ActivityFilter::Count::raw_rows;
  for (const CLI::Option* option : model_options)
    if (option->count() > 0) a.custom = custom;
  check_values(a);
  record_command(a, argc, argv);
  return a;
}

}  // namespace study
