// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace compare {

/// What a step of Adam needs beside the parameters. `rate`: with the correction of the moments' bias.
struct AdamStep {
  float rate = 0.001F, first_decay = 0.9F, second_decay = 0.999F, epsilon = 1e-8F;
};

/// One step of Adam (Kingma and Ba, ICLR 2015) for `count` parameters in one pass over memory; `gradient` is 0 afterwards.
void adam(float* values, float* gradient, float* first, float* second, std::size_t count, const AdamStep& step);

}  // namespace compare
