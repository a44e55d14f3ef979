// SPDX-License-Identifier: MIT
// libFuzzer's way into the target that the build names: https://llvm.org/docs/LibFuzzer.html
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kindred_fuzz::KINDRED_FUZZ_TARGET({data, size});
  return 0;
}
