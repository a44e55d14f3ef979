// SPDX-License-Identifier: MIT
#include "als_instances.hpp"

template class kindred::ImplicitALS<float>;
template class kindred::ImplicitALS<double>;
