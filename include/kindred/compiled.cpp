// SPDX-License-Identifier: MIT
// What files compiled with KINDRED_COMPILED leave out, once for each target. The CMake target kindred::compiled sees to both; without it define
// KINDRED_COMPILED for every file and compile this one among them, with the same flags.
#include <kindred/models/implicit_als.hpp>

template class kindred::FactorModel<float>;
template class kindred::ImplicitALS<float>;
