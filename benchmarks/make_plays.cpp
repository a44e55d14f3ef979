// SPDX-License-Identifier: MIT
// Writes made-up plays in the form and of the size of Last.fm 360K, for the reader's benchmark: make_plays [file [lines]]. Without a file it is
// kindred_plays.tsv among the system's temporary files; the real one has 17.5 million lines.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/storage/atomic_file.hpp>

namespace kd = kindred;

namespace {

void append_hex(std::string& out, kd::detail::Random& random, int digits) {
  for (int n = 0; n < digits; ++n) out.push_back("0123456789abcdef"[random.below(16)]);
}

std::string mbid(std::uint32_t item) {
  kd::detail::Random random(1, kd::detail::RandomStream::sample, item);
  std::string out;
  for (const int digits : {8, 4, 4, 4, 12}) {
    if (!out.empty()) out.push_back('-');
    append_hex(out, random, digits);
  }
  return out;
}

std::string name(std::uint32_t item) {
  static const char* const syllables[] = {"ra", "dio",  "head",  "the ", "mu",  "se", "bea",  "tles",       "co",
                                          "ld", "play", "pink ", "fl",   "oyd", "si", "gur ", "r\xC3\xB3s", "bj\xC3\xB6rk"};
  kd::detail::Random random(2, kd::detail::RandomStream::sample, item);
  std::string out;
  for (std::uint32_t n = 2 + random.below(6); n > 0; --n) out += syllables[random.below(random.below(8) == 0 ? 18 : 16)];
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint32_t n_items = 160'112;
  const std::string path = argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / "kindred_plays.tsv").string();
  const std::uint64_t lines = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 17'535'655;
  try {
    std::vector<std::string> artists;
    for (std::uint32_t i = 0; i < n_items; ++i) artists.push_back(mbid(i) + "\t" + name(i) + "\t");
    const auto space = std::filesystem::space(std::filesystem::absolute(path).parent_path());
    if (space.available < lines * 110)
      throw std::runtime_error(path + ": less than " + std::to_string(lines * 110) + " bytes are free there");
    kd::detail::AtomicFile file(path);
    std::string out;
    std::uint64_t written = 0, bytes = 0;
    std::unordered_set<std::uint32_t> seen;
    for (std::uint64_t user = 0; written < lines; ++user) {
      kd::detail::Random random(3, kd::detail::RandomStream::sample, user);
      std::string sha1;
      append_hex(sha1, random, 40);
      sha1.push_back('\t');
      seen.clear();
      for (std::uint32_t plays = 30 + random.below(38); plays > 0 && written < lines; --plays, ++written) {
        const double u = random.uniform();
        const auto item = static_cast<std::uint32_t>(u * u * u * u * n_items);  // a few artists have most listeners
        if (!seen.insert(item).second && random.below(500) != 0) {
          ++plays;
          --written;
          continue;
        }
        out += sha1;
        out += random.below(77) == 0 ? "\t" + name(item) + "\t" : artists[item];  // some artists have no id
        const double v = random.uniform();
        out += std::to_string(1 + static_cast<std::uint32_t>(1000.0 * v * v * v * v)) + "\n";
      }
      if (out.size() > (1U << 20)) {
        bytes += out.size();
        file.write(std::as_bytes(std::span(out)));
        out.clear();
      }
    }
    bytes += out.size();
    file.write(std::as_bytes(std::span(out)));
    file.commit();
    std::printf("%s: %llu lines, %llu bytes\n", path.c_str(), static_cast<unsigned long long>(lines),
                static_cast<unsigned long long>(bytes));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_plays: %s\n", error.what());
    return 1;
  }
  return 0;
}
