// SPDX-License-Identifier: MIT
// ImplicitALS is compiled once for all tests, in als_instances.cpp: the other files build in a fraction of the time.
#pragma once

#include <kindred/models/implicit_als.hpp>

extern template class kindred::FactorModel<float>;
extern template class kindred::FactorModel<double>;
extern template class kindred::detail::FitFeatures<float>;
extern template class kindred::detail::FitFeatures<double>;
extern template class kindred::ImplicitALS<float>;
extern template class kindred::ImplicitALS<double>;
