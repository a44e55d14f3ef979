// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>

namespace kindred::inline v0 {

/// One cut in time: all that was known before it, and the targets in a window after it.
struct RollingSplit {
  /// The pairs of the window that a list should hold.
  enum class Targets {
    new_pairs,  ///< The user had no event with the item before the cut.
    repeats,    ///< The user had one.
    all,        ///< Both.
  };

  /// What rolling_split holds out.
  struct Options {
    EventOptions events = {};  ///< How events count. `until` and `reference` stay unset: each cut has its own.
    Targets targets = Targets::new_pairs;
    std::vector<std::string> target_kinds = {};  ///< Kinds that make a target, each with a weight above 0; empty: all kinds.
  };

  std::int64_t cut = 0;    ///< Seconds since the Unix epoch: train is strictly before it.
  std::int64_t until = 0;  ///< The window is [cut, until).
  Targets targets = Targets::new_pairs;
  Dataset train;         ///< From the events before the cut alone: keys, numbering and half-life too.
  CsrMatrix test;        ///< Of the shape of train: the targets, with the sum of their events in the window, above 0.
  CsrMatrix known;       ///< Of the shape of train: numbers of events of target kinds before the cut, `events.from` aside. For `.exclude`.
  Offset new_pairs = 0;  ///< Positive pairs of the window that are new, whether they are targets or not.
  Offset repeats = 0;    ///< Positive pairs of the window that are known.
  Offset not_positive = 0;   ///< Pairs of the window with a negative sum: dislikes, which are no targets.
  Offset unknown_pairs = 0;  ///< Positive pairs of the window left out, because train lacks their user or their item.
  Index unknown_users = 0;   ///< Users of positive pairs in the window that train lacks.
  Index unknown_items = 0;   ///< Items of positive pairs in the window that train lacks.
};

/// Cuts events at several times, each with a window of targets after it: the evaluation that never looks ahead.
///
/// `cuts`: seconds since the Unix epoch, strictly increasing, not empty. `window_seconds`: length of each window, above 0; windows that overlap share targets,
/// so that their results are not independent. Split n is that of cuts[n]. Nothing after a cut reaches its train: users and items that first come in the window
/// are counted and left out, and a half-life counts from the last event of train. O(cuts * (events + bytes of the keys)).
/// @throws InvalidArgument for cuts, a window or options out of range, events without times, a cut without events before it, or a window without targets, naming
/// the cut; ShapeError, InvalidArgument as Events::dataset does.
[[nodiscard]] KINDRED_ONCE std::vector<RollingSplit> rolling_split(const Events& events, std::span<const std::int64_t> cuts,
                                                                   std::int64_t window_seconds, const RollingSplit::Options& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/split/rolling.ipp>  // IWYU pragma: export
#endif
