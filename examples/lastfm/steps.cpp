// SPDX-License-Identifier: MIT
#include "steps.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/data/dataset.hpp>

#include "interrupt.hpp"
#include "ranks.hpp"
#include "stopwatch.hpp"

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace study {

namespace {

/// The hash FNV-1a of bytes, 64 bits: enough to notice another file.
class Fnv1a {
 public:
  void update(std::span<const std::byte> bytes) noexcept {
    for (const std::byte byte : bytes) hash_ = (hash_ ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  /// 16 digits.
  [[nodiscard]] std::string text() const {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash_));
    return digits.data();
  }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

/// A number of all that was read and that findings can depend on, from whatever files it came.
std::string digest_of(const kindred::Dataset& data) {
  Fnv1a hash;
  const auto add = [&](const auto& numbers) {
    const std::uint64_t count = numbers.size();
    hash.update(std::as_bytes(std::span(&count, 1)));
    hash.update(std::as_bytes(std::span(numbers.data(), numbers.size())));
  };
  const auto add_keys = [&](const kindred::IdMap& keys) {
    for (kindred::Index n = 0; n < keys.size(); ++n) add(keys.key(n));
  };
  add(data.matrix.offsets());
  add(data.matrix.columns());
  add(data.matrix.values());
  add(data.times);
  add(data.raw_rows);
  add_keys(data.users);
  add_keys(data.items);
  for (const std::string& name : data.item_names) add(name);
  for (const kindred::UserProfile& profile : data.profiles) {
    add(profile.gender);
    add(profile.country);
    add(std::array<std::int64_t, 4>{profile.age.has_value(), profile.age.value_or(0), profile.signup.has_value(),
                                    profile.signup.value_or(0)});
  }
  return hash.text();
}

/// What an earlier run of the same command has left, or nothing.
ordered_json earlier_run(const Arguments& a, const fs::path& path) {
  std::error_code ignored;
  if (!a.resume || !fs::exists(path, ignored)) return nullptr;
  if (!fs::is_regular_file(path)) throw kindred::InvalidArgument("--resume", "'" + path.string() + "', which is no file", "left out");
  std::ifstream file(path, std::ios::binary);
  ordered_json saved = ordered_json::parse(file, nullptr, false);
  const bool whole = saved.is_object() && saved.contains("of") && saved.contains("steps") && saved["steps"].is_array();
  if (!whole) throw kindred::InvalidArgument("--resume", "'" + path.string() + "', which is damaged", "left out, to start anew");
  return saved;
}

/// @throws kindred::InvalidArgument unless `found`, of an earlier run, is `wanted`.
void check_same(const ordered_json& found, const ordered_json& wanted, const fs::path& path) {
  if (found != wanted)
    throw kindred::InvalidArgument("--resume", "used with another command or other data than " + path.string(),
                                   "left out to start anew, or the command there repeated");
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
  const ordered_json run = keeps ? earlier_run(s.arguments, path) : ordered_json();
  const ordered_json earlier = run.is_null() ? ordered_json::array() : run["steps"];
  wait_for_all();  // nobody writes before all have read
  ordered_json state = {{"of", {{"format", 2}, {"arguments", s.arguments.findings_of}}}, {"steps", ordered_json::array()}};
  if (!run.is_null()) {
    ordered_json of = run["of"];
    if (of.is_object()) of.erase("data");
    check_same(of, state["of"], path);
  }
  ordered_json seconds = ordered_json::array();
  bool restoring = true;  // up to the first step that has to run anew: what comes after may depend on it
  for (const Step& step : steps) {
    const ordered_json before = s.results.json;
    const std::size_t tables_before = s.results.table_count();
    const Stopwatch watch;
    if (step.resume == Resume::from_results) {
      if (keeps && !state["of"].contains("data")) {  // all files were read by then
        state["of"]["data"] = digest_of(s.data);
        if (!run.is_null()) check_same(run["of"], state["of"], path);
      }
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
