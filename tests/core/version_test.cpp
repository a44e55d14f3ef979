// SPDX-License-Identifier: MIT
#include <kindred/version.hpp>

#include <doctest/doctest.h>

// The preprocessor must be able to compare versions.
#if KINDRED_VERSION_MAJOR * 10000 + KINDRED_VERSION_MINOR * 100 + KINDRED_VERSION_PATCH < 100
#error "the version went back below 0.1.0"
#endif

TEST_SUITE("version") {
  TEST_CASE("three small numbers") {
    CHECK(KINDRED_VERSION_MAJOR >= 0);
    CHECK(KINDRED_VERSION_MINOR < 100);
    CHECK(KINDRED_VERSION_PATCH < 100);
  }
}
