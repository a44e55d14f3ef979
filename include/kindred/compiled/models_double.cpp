// SPDX-License-Identifier: MIT
// ImplicitALS<double> for files compiled with KINDRED_COMPILED; models.cpp has the other one.
#include <kindred/models/implicit_als.hpp>

template class kindred::FactorModel<double>;
template class kindred::ImplicitALS<double>;
