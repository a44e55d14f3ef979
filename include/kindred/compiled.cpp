// SPDX-License-Identifier: MIT
// What files compiled with KINDRED_COMPILED leave out, once for each target, in one file. The CMake target kindred::compiled compiles the parts; without it
// define KINDRED_COMPILED for every file and compile this one among them, with the same flags.
#include <kindred/compiled/data.cpp>
#include <kindred/compiled/models.cpp>
#include <kindred/compiled/models_double.cpp>
#include <kindred/compiled/persistence.cpp>
