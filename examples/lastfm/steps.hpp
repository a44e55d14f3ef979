// SPDX-License-Identifier: MIT
// Runs the steps of the study one after the other, keeps what each has found, and can go on where an earlier run ended.
#pragma once

#include <span>

#include "study.hpp"

namespace study {

/// Whether a step's findings can be taken from an earlier run.
enum class Resume {
  from_results,  ///< It leaves nothing behind but results.json and tables.
  never,         ///< Later steps need the data or the split that it makes.
};

struct Step {
  const char* name;
  void (*run)(Study&);
  Resume resume = Resume::from_results;
};

/// Runs `steps` until all are done or Ctrl-C. With --out, what each step has found is in OUT/steps.json as soon as it is done.
/// @throws what the steps throw; kindred::InvalidArgument if --resume finds the steps of another command.
void run_steps(Study& s, std::span<const Step> steps);

}  // namespace study
