// SPDX-License-Identifier: MIT
// ImplicitALS<float> for files compiled with KINDRED_COMPILED; models_double.cpp has the other one.
#include <kindred/models/implicit_als.hpp>

template class kindred::FactorModel<float>;
template class kindred::ImplicitALS<float>;
