// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

/// What a file without a checksum is.
enum class ChecksumRule {
  required,    ///< Damaged: every file that Kindred writes has one.
  if_present,  ///< For files of other tools: a checksum is compared if there is one.
};

/// How a model file is read.
struct LoadOptions {
  detail::ConfidenceFunction confidence_function =
      {};  ///< Of a model with Confidence::custom; without it, what needs it (fold_in, fit) asks for it.
  ChecksumRule checksum = ChecksumRule::required;
  Execution execution = {};  ///< Of reading, checking and indexing; its level is the one of the model's scores.
};

}  // namespace kindred::inline v0
