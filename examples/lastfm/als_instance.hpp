// SPDX-License-Identifier: MIT
// ImplicitALS<float> is compiled once, in als_instance.cpp, however many steps use it: the other files build in a fraction of the time.
#pragma once

#include <kindred/models/implicit_als.hpp>

extern template class kindred::ImplicitALS<float>;
