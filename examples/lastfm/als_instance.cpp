// SPDX-License-Identifier: MIT
#include "als_instance.hpp"

template class kindred::ImplicitALS<float>;
