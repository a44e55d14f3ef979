// SPDX-License-Identifier: MIT
// The models for files compiled with KINDRED_COMPILED.
#include <kindred/models/implicit_als.hpp>

template class kindred::FactorModel<float>;
template class kindred::ImplicitALS<float>;
