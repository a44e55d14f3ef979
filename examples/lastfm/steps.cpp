// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <filesystem>
#include <fstream>

#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>

#include "interrupt.hpp"
#include "ranks.hpp"

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace study {

namespace {

/// What the findings depend on: the arguments that have a say in them, and the data file as it is now.
ordered_json fingerprint(const Arguments& a) {
  ordered_json print = {{"format", 1}, {"arguments", a.findings_of}};
  std::error_code ignored;
  if (!a.data.empty()) {
    print["data_bytes"] = fs::file_size(a.data, ignored);
    print["data_time"] = fs::last_write_time(a.data, ignored).time_since_epoch().count();
  }
  return print;
}

/// The finished steps of an earlier run of the same command; none if there are none.
ordered_json earlier_steps(const Arguments& a, const fs::path& path) {
  if (!a.resume || !fs::exists(path)) return ordered_json::array();
  std::ifstream file(path, std::ios::binary);
  ordered_json saved = ordered_json::parse(file, nullptr, false);
  const bool whole = saved.is_object() && saved.contains("of") && saved.contains("steps") && saved["steps"].is_array();
  if (!whole) throw kindred::InvalidArgument("--resume", "'" + path.string() + "', which is damaged", "left out, to start anew");
  if (saved["of"] != fingerprint(a))
    throw kindred::InvalidArgument("--resume", "used with another command or other data than " + path.string(),
                                   "left out to start anew, or the command there repeated");
  return saved["steps"];
}

/// Adds what the step called `name` has found to the results, if it was finished before.
bool restore(Study& s, const ordered_json& earlier, const char* name) {
  for (const ordered_json& step : earlier) {
    if (step.at("name") != name) continue;
    s.results.json = s.results.json.patch(step.at("found"));
    s.results.read_tables(step.at("tables"));
    return true;
  }
  return false;
}

}  // namespace

void run_steps(Study& s, std::span<const Step> steps) {
  const bool keeps = !s.arguments.out.empty();
  const fs::path path = fs::path(s.arguments.out) / "steps.json";
  const ordered_json earlier = keeps ? earlier_steps(s.arguments, path) : ordered_json::array();
  wait_for_all();  // nobody writes before all have read
  ordered_json state = {{"of", fingerprint(s.arguments)}, {"steps", ordered_json::array()}};
  ordered_json seconds = ordered_json::array();
  bool restoring = true;  // up to the first step that has to run anew: what comes after may depend on it
  for (const Step& step : steps) {
    const ordered_json before = s.results.json;
    const std::size_t tables_before = s.results.table_count();
    const kindred::Stopwatch watch;
    if (step.resume == Resume::from_results) {
      if (restoring && restore(s, earlier, step.name)) {
        for (const ordered_json& old : earlier)
          if (old.at("name") == step.name) {
            state["steps"].push_back(old);
            seconds.push_back({{"step", step.name}, {"seconds", old.at("seconds")}});
          }
        s.console.line("\n(" + std::string(step.name) + ": finished by an earlier run, taken from there)");
        continue;
      }
      restoring = false;
    }
    try {
      step.run(s);
    } catch (const kindred::Cancelled&) {
      if (!interrupted()) throw;
    }
    if (interrupted()) {
      s.results.json["interrupted"] = step.name;
      break;
    }
    seconds.push_back({{"step", step.name}, {"seconds", watch.seconds()}});
    if (!keeps || step.resume == Resume::never) continue;
    state["steps"].push_back({{"name", step.name},
                              {"seconds", watch.seconds()},
                              {"found", ordered_json::diff(before, s.results.json)},
                              {"tables", s.results.tables_json(tables_before)}});
    if (!is_first_rank()) continue;
    write_file_safely(path.string(), state.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  }
  s.results.json["steps"] = std::move(seconds);
}

}  // namespace study
