// SPDX-License-Identifier: MIT
#pragma once

// The one place where the version is written: CMake and the packages read it from here.
#define KINDRED_VERSION_MAJOR 0
#define KINDRED_VERSION_MINOR 1
#define KINDRED_VERSION_PATCH 0
