// SPDX-License-Identifier: MIT
// "Did you mean ...?": the known words that are closest to one that is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace study {

/// Letters of ASCII made small, spaces at both ends left out: how names are compared.
[[nodiscard]] std::string folded(std::string_view text);

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. O(|a| |b|).
/// Source: the optimal string alignment distance, Damerau 1964.
[[nodiscard]] std::size_t edit_distance(std::u32string_view a, std::u32string_view b);

/// At most `count` of `known`, closest first, ties in their order: those within a third of the word's length, or that begin with it.
[[nodiscard]] std::vector<std::string> close_matches(std::string_view word, const std::vector<std::string>& known, std::size_t count);

/// "; did you mean 'a' or 'b'?", or nothing if there is nothing to suggest.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::size_t count = 3);

}  // namespace study
