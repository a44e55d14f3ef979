// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

/// What the pairs without an interaction say about a row that is folded in.
enum class FoldInBackground {
  full,        ///< As in fit: not seen is weak evidence against an item. A row of train gives the bytes of its factors.
  by_history,  ///< Weighed by min(1, likes / mean likes of a user of train): a new user has not seen most items yet.
};

/// How rows are folded in.
struct FoldInOptions {
  FoldInBackground background = FoldInBackground::full;
  Execution execution = {};  ///< Of fold_in_all; its level is the one of the fit.
};

/// Why an item has its score: what each interaction of the history, each feature and the mean add to it.
struct Explanation {
  double score = 0.0;         ///< Of the item, for the exact factors of this history: the sum of all parts, the mean and the bias.
  std::vector<Scored> parts;  ///< Every item of the history and what it adds, largest first, ties by the lower item.
  /// Every feature of the user and what it adds, in comparison with a mean user; Scored::item is its column. As `parts`; empty without features.
  std::vector<Scored> features = {};
  double mean = 0.0;  ///< What the mean of all users and features that this one does not have add; 0 without features.
  double bias = 0.0;  ///< What the bias of the item adds, less what the biases take off elsewhere; 0 without AlsOptions::item_bias.
};

}  // namespace kindred::inline v0
