// SPDX-License-Identifier: MIT
// How the study behaves on a command line: on a terminal, when it is interrupted and goes on, with data it knows, with people and names.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <pty.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/real_data.hpp"
#include "study_runner.hpp"

using namespace study_test;

namespace {

/// A run on a terminal of its own, both streams on it.
struct TerminalRun {
  int exit_code = -1;
  std::string screen;
};

/// Sends Ctrl-C (as SIGINT) as soon as the screen shows `until`; never if that is empty.
TerminalRun run_on_terminal(const Words& words, const std::string& until = "", const char* no_colour = nullptr) {
  TerminalRun run;
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(child >= 0);
  if (child == 0) {
    setenv("TERM", "xterm", 1);
    if (no_colour != nullptr) setenv("NO_COLOR", no_colour, 1);
    if (no_colour == nullptr) unsetenv("NO_COLOR");
    std::vector<std::string> all = {LASTFM_STUDY};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : all) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(LASTFM_STUDY, arguments.data());
    _exit(127);
  }
  bool sent = until.empty();
  char buffer[4096];
  for (ssize_t n = 0; (n = read(terminal, buffer, sizeof(buffer))) > 0;) {
    run.screen.append(buffer, static_cast<std::size_t>(n));
    if (!sent && run.screen.find(until) != std::string::npos) {
      kill(child, SIGINT);
      sent = true;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(terminal);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  CHECK(sent);
  return run;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// 40 listeners of 20 artists, in two halves that like different ones, as lines of "user<separator>artist<separator>plays".
std::string two_tastes(const std::string& separator) {
  std::string text;
  for (int user = 1; user <= 40; ++user)
    for (int n = 0; n < 8; ++n)
      text += std::to_string(user) + separator + std::to_string((user % 2) * 10 + (user + n * (1 + user / 10)) % 10 + 1) + separator +
              std::to_string(1 + (user * n) % 90) + "\n";
  return text;
}

}  // namespace

TEST_CASE("on a terminal there are colours and, for long work, a bar with rate and remaining time; NO_COLOR is honoured") {
  const TemporaryDirectory folder;
  const Words long_search = {"--search-trials", "30", "--synthetic-users", "4000", "--threads", "1", "--out", folder.path("out")};
  const TerminalRun run = run_on_terminal(long_search, "random search [");
  CAPTURE(run.screen);
  CHECK(has(run.screen, "\033[1;36m=="));
  const std::size_t bar = run.screen.find("random search [");
  REQUIRE(bar != std::string::npos);
  CHECK(has(run.screen.substr(bar, 120), " of 30, "));
  CHECK(has(run.screen.substr(bar, 120), "/s, "));
  CHECK(has(run.screen.substr(bar, 120), " s left"));

  // The same run was interrupted there: it ended after the iteration, kept what it had, and said so.
  CHECK(run.exit_code == 130);
  CHECK(has(run.screen, "ended by Ctrl-C in the step 'search'; what was found until then is in"));
  const json results = json_of(folder.path("out"));
  CHECK(results.at("interrupted") == "search");
  CHECK(results.at("search").at("trials").size() > 0);
  CHECK(results.at("search").at("trials").size() < 30);
  CHECK(results.at("models").size() == 3);
  CHECK(has(content_of(folder.path("out/report.html")), "This run was ended by Ctrl-C"));

  const TerminalRun plain = run_on_terminal({"--search-trials", "30", "--synthetic-users", "4000", "--threads", "1"}, "== Popularity", "1");
  CHECK_FALSE(has(plain.screen, "\033[1;"));
  CHECK(plain.exit_code == 130);
  CHECK(has(plain.screen, "nothing is kept without --out"));
}

TEST_CASE("resume takes the steps that were finished and does the others") {
  const TemporaryDirectory folder;
  const std::string out = folder.path("out");
  const Words words = small_data + Words{"--search-trials", "2", "--artists", "artist_0000001", "--out", out};
  REQUIRE(run_study(words).exit_code == 0);
  const json whole = json_of(out);
  const std::string table = content_of(out + "/precision_at_k.tsv");

  auto state = nlohmann::ordered_json::parse(content_of(out + "/steps.json"));
  auto& steps = state.at("steps");
  while (steps.back().at("name") != "convergence") steps.erase(steps.size() - 1);
  (void)folder.file(state.dump(), "out/steps.json");
  std::filesystem::remove(out + "/results.json");
  const Run again = run_study(words + Words{"--resume", "--threads", "1"});
  REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  CHECK(has(again.out, "(search: finished by an earlier run"));
  CHECK_FALSE(has(again.out, "(final models: finished"));
  json resumed = json_of(out);
  CHECK(without_times(resumed) == without_times(whole));
  CHECK(content_of(out + "/precision_at_k.tsv") == table);

  // All of it, then: only reading and preparing is done again.
  const Run all = run_study(words + Words{"--resume"});
  CHECK(has(all.out, "(new listener: finished by an earlier run"));
  CHECK(without_times(json_of(out)) == without_times(whole));

  check_refused(small_data + Words{"--search-trials", "3", "--out", out, "--resume"}, "used with another command or other data");
  (void)folder.file("{\"of\": ", "out/steps.json");
  check_refused(words + Words{"--resume"}, "which is damaged");
  check_refused_at_once(small_data + Words{"--resume"}, "--resume: needs --out");
}

TEST_CASE("resume is refused once any of the files that were read has changed") {
  const TemporaryDirectory folder;
  std::string plays;
  for (int user = 0; user < 60; ++user)
    for (int n = 0; n < 12; ++n)
      plays += std::to_string(user) + " " + std::to_string(1000 + (user * 7 + n * 5) % 60) + " " + std::to_string(1 + n) + "\n";
  const auto write = [&](int aliased, const std::string& name) {
    std::string aliases, names;
    for (int n = 0; n < aliased; ++n) aliases += std::to_string(1059 - n) + "\t1000\n";
    for (int n = 0; n < 60; ++n) names += std::to_string(1000 + n) + "\t" + name + std::to_string(n) + "\n";
    (void)folder.file(aliases, "artist_alias.txt");
    (void)folder.file(names, "artist_data.txt");
  };
  const Words words = {"--data",          folder.file(plays, "user_artist_data.txt"),
                       "--aliases",       folder.path("artist_alias.txt"),
                       "--search-trials", "0",
                       "--out",           folder.path("out")};
  const Words resume = words + Words{"--resume"};
  write(2, "Artist ");
  REQUIRE(run_study(words).exit_code == 0);
  write(2, "Artist ");  // written anew, the same content
  CHECK(has(run_study(resume).out, "finished by an earlier run"));
  write(5, "Artist ");
  check_refused(resume, "used with another command or other data");
  write(2, "Other ");  // of the names beside the data
  check_refused(resume, "used with another command or other data");
  write(2, "Artist ");
  CHECK(run_study(resume).exit_code == 0);
}

TEST_CASE("two runs do not share a folder of results") {
  const TemporaryDirectory folder;
  const int handle = open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(handle >= 0);
  REQUIRE(flock(handle, LOCK_EX | LOCK_NB) == 0);
  check_refused_at_once(small_data + no_search + Words{"--out", folder.path()},
                        "which another run is writing into; it must be a folder of its own");
  close(handle);
  CHECK(run_study(small_data + no_search + Words{"--out", folder.path()}).exit_code == 0);
}

TEST_CASE("what the standard output does not take is said, and no file is written over") {
  const TemporaryDirectory folder;
  const auto code_of = [&](const std::string& words, const std::string& after) {
    const int status = std::system((shell_word(LASTFM_STUDY) + " " + words + after).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const std::string study = "--search-trials 0 --synthetic-users 200 --synthetic-items 100 --out " + shell_word(folder.path("out"));
  CHECK(code_of(study, " > /dev/full 2> " + shell_word(folder.path("err"))) == 1);
  CHECK(content_of(folder.path("err")) == "lastfm_study: the standard output could not take all that was printed\n");
  CHECK(std::filesystem::exists(folder.path("out/report.html")));
  CHECK(code_of("--help", " > /dev/full 2> /dev/null") == 1);
  CHECK(code_of(study + " --quiet", " > /dev/full") == 0);
  CHECK(code_of(study, " >&- 2> /dev/null") == 1);
  CHECK_FALSE(has(content_of(folder.path("out/results.json")), "=="));
}

TEST_CASE("a folder for temporary files that is not there costs nothing") {
  const TemporaryDirectory folder;
  const Run run = run_study(small_data + no_search + Words{"--out", folder.path("out")}, "TMPDIR=/nowhere");
  CHECK_MESSAGE(run.exit_code == 0, run.err);
  const std::string odd = folder.path("it's");
  std::filesystem::create_directory(odd);
  REQUIRE(run_study(small_data + no_search + Words{"--out", folder.path("other")}, "TMPDIR=" + shell_word(odd)).exit_code == 0);
  CHECK(content_of(folder.path("out/report.html")).size() > 0.9 * static_cast<double>(content_of(folder.path("other/report.html")).size()));
}

TEST_CASE("pipes are read where the format is given, and refused by name where it is to be recognised") {
  const TemporaryDirectory folder;
  const std::string plays = folder.file("user;artist;plays\n" + two_tastes(";"), "plays.csv");
  const std::string described = " --format delimited --separator semicolon --header --columns user,artist,plays --search-trials 0";
  const auto output_of = [&](const std::string& command) {
    (void)std::system((command + " > " + shell_word(folder.path("stdout")) + " 2>&1").c_str());
    return content_of(folder.path("stdout"));
  };
  const std::string piped = "cat " + shell_word(plays) + " | " + shell_word(LASTFM_STUDY) + " --data ";
  for (const std::string name : {"-", "/dev/stdin"}) {
    CHECK(has(output_of(piped + name + described), ": 321 lines"));
    CHECK(has(output_of(piped + name), "a pipe or device, which cannot be read twice"));
  }
}

TEST_CASE("fields between semicolons may be quoted") {
  const TemporaryDirectory folder;
  std::string text = "\"user\";\"item\";\"plays\"\n";
  for (int user = 0; user < 30; ++user)
    for (int n = 0; n < 10; ++n)
      text += "\"user" + std::to_string(user) + "\";\"Band " + std::to_string((user * 3 + n * 5) % 40) + "; Sons\";" +
              std::to_string(1 + n) + "\n";
  const Run run = run_study({"--data", folder.file(text, "europe.csv"), "--format", "delimited", "--separator", ";", "--header",
                             "--columns", "user,item,plays", "--search-trials", "0"});
  CHECK(has(run.out, "300 rows kept"));
}

TEST_CASE("exit codes, and what to try") {
  CHECK(run_study({"--no-such-option"}).exit_code == 2);
  CHECK(run_study(small_data + Words{"--alpha", "-1"}).exit_code == 1);
  check_refused_at_once({"--iteratons", "3"}, "--iteratons is no option; did you mean '--iterations'?");
  check_refused_at_once({"--regularisation=3"}, "did you mean '--regularization'?");
  check_refused_at_once({"results"}, "results belongs to no option");
  const Run help = run_study({"--help"});
  for (const char* part : {"Examples:", "Exit codes: 0 done", "130 ended by Ctrl-C", "NO_COLOR", "--artists", "fetch_data.sh"})
    CHECK_MESSAGE(has(help.out, part), part);
}

TEST_CASE("known files are recognised by their content, and by their name where it is broken") {
  const TemporaryDirectory folder;
  const auto format_of = [&](const std::string& content, const std::string& name) {
    const Run run = run_study({"--data", folder.file(content, name), "--search-trials", "0", "--out", folder.path("out")});
    CAPTURE(run.err);
    CAPTURE(name);
    const std::size_t at = run.out.find("Format: ");
    return at == std::string::npos ? run.err : run.out.substr(at + 8, run.out.find_first_of(".,", at) - at - 8);
  };
  CHECK(format_of("userID\tartistID\tweight\r\n" + two_tastes("\t"), "any name") == "hetrec2011");
  CHECK(format_of(two_tastes(" "), "plays.txt") == "audioscrobbler");
  CHECK(format_of("userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n", "r.csv") == "movielens");
  CHECK(format_of("1::2::5::978300760\n", "r.dat") == "movielens");
  CHECK(format_of("196\t242\t3\t881250949\n", "u") == "movielens");
  CHECK(format_of(std::string(40, 'a') + "\t\tbetty blowtorch\t2137\n" + std::string(40, 'a') +
                      "\t3bd73256-3905-4f3a-97e2-8b341527f805\tmuse\t7\n",
                  "p.tsv") == "lastfm-360k");
  CHECK(format_of("user_000001\t2009-05-04T23:08:57Z\tf1b1cf71-bd35-4e99-8624-24a6e15f133a\tDeep Dish\t\tFuck Me Im Famous\n", "e.tsv") ==
        "lastfm-1k");
  CHECK(has(format_of("broken\n", "user_artists.dat"), "line 1"));  // by its name: its reader says what is wrong
  check_refused_at_once({"--data", folder.file("a b\n", "mine.txt")}, "which is none of the known files; it must be described by --format");
  check_refused_at_once({"--data", folder.path("nobody.tsv")}, "nobody.tsv: cannot open: No such file or directory");
}

TEST_CASE("the names that lie beside a known file are used; names that no format can use are refused") {
  const TemporaryDirectory folder;
  std::string names = "id\tname\turl\tpictureURL\n";
  for (int artist = 1; artist <= 20; ++artist) names += std::to_string(artist) + "\tArtist No " + std::to_string(artist) + "\thttp://a\t\n";
  const std::string artists = folder.file(names, "artists.dat");
  const std::string plays = folder.file("userID\tartistID\tweight\n" + two_tastes("\t"), "user_artists.dat");
  const Run run = run_study({"--data", plays, "--search-trials", "0", "--user", "7", "--user", "8", "--artists",
                             " artist NO 3; Artist No 4", "--artists", artists, "--out", folder.path("out")});
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  const json results = json_of(folder.path("out"));
  REQUIRE(results.at("sample_users").size() == 2);
  CHECK(results.at("sample_users").at(0).at("key") == "7");
  CHECK(results.at("sample_users").at(1).at("key") == "8");
  CHECK(results.at("new_listener").at("artists") == json{"Artist No 3", "Artist No 4"});
  for (const json& item : results.at("new_listener").at("items")) {  // the parts sum to the score, and those below 0 are not shown
    double sum = 0.0;
    for (const json& part : item.at("because")) sum += part.at("adds").get<double>();
    CHECK(sum >= item.at("score").get<double>() - 1e-4);
  }
  CHECK(has(content_of(folder.path("out/listener.html")), "Artist No 4"));

  const Words data = {"--data", plays, "--search-trials", "0"};
  check_refused(data + Words{"--artists", "Artst No 3;Artist No 4"}, "--artists is 'Artst No 3'");
  check_refused(data + Words{"--artists", "Artst No 3"}, "did you mean 'Artist No 3'");
  check_refused(data + Words{"--user", "77"}, "--user is '77'; it must be one of the 39 users that the filters left; did you mean '7'");
  check_refused_at_once(data + Words{"--artists", " ; "}, "names no artist");
  check_refused_at_once(data + Words{"--profile", "age=25"}, "needs --profiles");
  check_refused_at_once({"--profile", "gener=f"}, "did you mean 'gender'");
  check_refused_at_once({"--profile", "age="}, "has no value for age");
  check_refused_at_once({"--profile", "age=1;age=2"}, "names age twice");
  check_refused(data + Words{"--artists", "nobody.dat"}, "nobody.dat: cannot open");
  check_refused_at_once(Words{"--artists", artists}, "needs a --data whose artists it names");
  check_refused_at_once(data + Words{"--artists", artists, "--artists", artists}, "names one file only");
  const std::string events =
      folder.file("user_000001\t2009-05-04T23:08:57Z\tf1b1cf71-bd35-4e99-8624-24a6e15f133a\tDeep Dish\t\tA Track\n", "events.tsv");
  check_refused_at_once({"--data", events, "--users", artists}, "--users: only dense counts of lastfm-1k");
  check_refused_at_once({"--data", events, "--artists", artists}, "--artists: only dense counts of lastfm-1k");
}

TEST_CASE("somebody of whom a profile is known") {
  const TemporaryDirectory folder;
  const Run run =
      run_study(small_data + Words{"--search-trials", "0", "--profile", "Age=25; country=Atlantis", "--out", folder.path("out")});
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  CHECK(has(run.out, "No listener has country=Atlantis: left out."));
  const json found = json_of(folder.path("out")).at("profiles");
  CHECK(found.at("people").size() == 1);
  CHECK(found.at("people").front().at("items").size() == 10);
  CHECK(found.at("explained").at("groups").size() == 3);
  CHECK(found.at("curve").size() == 6);
  CHECK(has(content_of(folder.path("out/profile.html")), "Atlantis"));
}
