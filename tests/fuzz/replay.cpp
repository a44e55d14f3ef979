// SPDX-License-Identifier: MIT
// Runs the targets on the files of a corpus, which any compiler can: kindred_fuzz_replay FOLDER, with a folder for each target in it, or
// kindred_fuzz_replay TARGET FILE.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "targets.hpp"

namespace {

struct Target {
  std::string_view name;
  void (*run)(kindred_fuzz::Bytes input);
};

constexpr Target targets[] = {
#define KINDRED_TARGET(name) {#name, kindred_fuzz::name},
#include "fuzz_targets.inc"
#undef KINDRED_TARGET
};

void replay(const Target& target, const std::filesystem::path& path) {
  std::printf("%s\n", path.string().c_str());
  std::fflush(stdout);  // what crashes is the last line
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  target.run(bytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: %s FOLDER, or %s TARGET FILE\n", argv[0], argv[0]);
    return 2;
  }
  std::size_t files = 0;
  for (const Target& target : targets) {
    if (argc == 3) {
      if (target.name != argv[1]) continue;
      replay(target, argv[2]);
      return 0;
    }
    std::vector<std::filesystem::path> inputs;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(argv[1]) / target.name))
      inputs.push_back(entry.path());
    std::sort(inputs.begin(), inputs.end());
    if (inputs.empty()) {
      std::fprintf(stderr, "no inputs for %s\n", std::string(target.name).c_str());
      return 1;
    }
    for (const std::filesystem::path& path : inputs) replay(target, path);
    files += inputs.size();
  }
  std::printf("%zu inputs\n", files);
  return files > 0 ? 0 : 1;
}
