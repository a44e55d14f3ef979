// SPDX-License-Identifier: MIT
// Alone in its file, which is compiled for the machine that builds it.
#include "adam.hpp"

#include <cmath>

namespace compare {

void adam(float* __restrict values, float* __restrict gradient, float* __restrict first, float* __restrict second, std::size_t count,
          const AdamStep& step) {
  const AdamStep s = step;
  for (std::size_t n = 0; n < count; ++n) {
    const float slope = gradient[n];
    first[n] = s.first_decay * first[n] + (1.0F - s.first_decay) * slope;
    second[n] = s.second_decay * second[n] + (1.0F - s.second_decay) * slope * slope;
    values[n] -= s.rate * first[n] / (std::sqrt(second[n]) + s.epsilon);
    gradient[n] = 0.0F;
  }
}

}  // namespace compare
