// SPDX-License-Identifier: MIT
// The model that answers: "defaults", fitted on train.
#pragma once

#include <kindred/models/implicit_als.hpp>

#include "study.hpp"

namespace study {

struct Served {
  kindred::ImplicitALS<float> model;
};

/// Fitted by final_models, or now if that step was taken from an earlier run.
[[nodiscard]] const kindred::ImplicitALS<float>& served_model(Study& s);

}  // namespace study
