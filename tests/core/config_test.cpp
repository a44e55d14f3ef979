// SPDX-License-Identifier: MIT
// An assertion of the user's own, defined before any header: it must be the one that Kindred uses.
namespace {
int assertions_checked = 0;
}
#define KINDRED_ASSERT(condition) (static_cast<void>(condition), ++assertions_checked)
#include <kindred/core/config.hpp>

#include <string>

#include <doctest/doctest.h>

namespace kindred::inline v0::inline KINDRED_BUILD {
inline int config_test_probe() { return 7; }
}  // namespace kindred::inline v0::inline KINDRED_BUILD

#define KINDRED_TEST_TEXT(x) #x
#define KINDRED_TEST_EXPAND(x) KINDRED_TEST_TEXT(x)

TEST_SUITE("core/config") {
  TEST_CASE("the user's assertion is used") {
    KINDRED_ASSERT(1 + 1 == 2);
    CHECK(assertions_checked == 1);
  }

  TEST_CASE("the build's namespace is inline and named after compiler and flags") {
    CHECK(kindred::config_test_probe() == 7);
    const std::string tag = KINDRED_TEST_EXPAND(KINDRED_BUILD);
    CHECK(tag.find("KINDRED") == std::string::npos);
#if defined(__clang__)
    CHECK(tag.rfind("clang_", 0) == 0);
#elif defined(__GNUC__)
    CHECK(tag.rfind("gcc_", 0) == 0);
#endif
  }
}
