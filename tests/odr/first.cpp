// SPDX-License-Identifier: MIT
#include <kindred/eigen.hpp>
#include <kindred/kindred.hpp>
