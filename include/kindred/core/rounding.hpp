// SPDX-License-Identifier: MIT
#pragma once

#include <cfenv>

namespace kindred::inline v0::detail {

/// Rounds to nearest until it is destroyed, then restores the thread's rounding mode. The error bounds of exact lists hold in this mode alone.
class RoundToNearest {
 public:
  RoundToNearest() noexcept : before_(std::fegetround()) {
    if (before_ != FE_TONEAREST) std::fesetround(FE_TONEAREST);
  }
  RoundToNearest(const RoundToNearest&) = delete;
  RoundToNearest& operator=(const RoundToNearest&) = delete;
  ~RoundToNearest() {
    if (before_ != FE_TONEAREST) std::fesetround(before_);
  }

 private:
  int before_;
};

}  // namespace kindred::inline v0::detail
