// SPDX-License-Identifier: MIT
#include "als_instances.hpp"

template class kindred::FactorModel<float>;
template class kindred::FactorModel<double>;
template class kindred::detail::FitFeatures<float>;
template class kindred::detail::FitFeatures<double>;
template class kindred::ImplicitALS<float>;
template class kindred::ImplicitALS<double>;
