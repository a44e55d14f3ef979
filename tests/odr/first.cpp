// SPDX-License-Identifier: MIT
#if KINDRED_TEST_EIGEN
#include <kindred/eigen.hpp>
#endif
#include <kindred/kindred.hpp>
