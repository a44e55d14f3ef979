// SPDX-License-Identifier: MIT
#include "suggest.hpp"

#include <algorithm>
#include <utility>

namespace study {

namespace {

/// The characters of UTF-8 text, so that an accent counts as one letter; what is no UTF-8 gives some letters or other.
std::u32string letters(std::string_view text) {
  std::u32string all;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U && !all.empty())
      all.back() = (all.back() << 6U) | (byte & 0x3FU);
    else
      all.push_back(byte);
  }
  return all;
}

}  // namespace

std::string folded(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  std::string small(text.substr(first, text.find_last_not_of(' ') - first + 1));
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

std::size_t edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = (std::min)({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = (std::min)(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> close_matches(std::string_view word, const std::vector<std::string>& known, std::size_t count) {
  const std::u32string small = letters(folded(word));
  std::vector<std::pair<std::size_t, std::size_t>> found;  // distance, place
  for (std::size_t n = 0; n < known.size(); ++n) {
    const std::u32string candidate = letters(folded(known[n]));
    if (small.size() >= 3 && candidate.starts_with(small)) {
      found.emplace_back(1, n);
      continue;
    }
    const std::size_t most = (std::max)(small.size(), std::size_t{3}) / 3;
    const std::size_t lengths = (std::max)(candidate.size(), small.size()) - (std::min)(candidate.size(), small.size());
    if (lengths > most) continue;
    if (const std::size_t distance = edit_distance(small, candidate); distance <= most) found.emplace_back(distance, n);
  }
  std::stable_sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto& [distance, n] : found) {
    if (names.size() == count) break;
    if (std::find(names.begin(), names.end(), known[n]) == names.end()) names.push_back(known[n]);
  }
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::size_t count) {
  std::string text;
  const std::vector<std::string> names = close_matches(word, known, count);
  for (std::size_t n = 0; n < names.size(); ++n)
    text += (n == 0 ? "; did you mean '" : n + 1 == names.size() ? " or '" : ", '") + names[n] + "'";
  return names.empty() ? text : text + "?";
}

}  // namespace study
