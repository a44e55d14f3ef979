// SPDX-License-Identifier: MIT
#include <kindred/core/error.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace kd = kindred;

static_assert(std::is_base_of_v<std::runtime_error, kd::Error>);
static_assert(std::is_base_of_v<kd::Error, kd::InvalidArgument> && std::is_base_of_v<kd::Error, kd::ShapeError>);
static_assert(std::is_base_of_v<kd::Error, kd::ParseError> && std::is_base_of_v<kd::Error, kd::IoError>);
static_assert(std::is_base_of_v<kd::Error, kd::FormatError> && std::is_base_of_v<kd::Error, kd::NumericalError>);
static_assert(std::is_base_of_v<kd::Error, kd::NotFitted> && std::is_base_of_v<kd::Error, kd::Cancelled>);

TEST_SUITE("core/error") {
  TEST_CASE("an argument's error names it, its value and what is allowed") {
    CHECK(std::string(kd::InvalidArgument("factors", 0, "at least 1").what()) == "factors is 0; it must be at least 1");
    CHECK(std::string(kd::InvalidArgument("alpha", -0.5, "at least 0").what()) == "alpha is -0.5; it must be at least 0");
    CHECK(std::string(kd::InvalidArgument("offset", std::int64_t{1} << 40, "less").what()) == "offset is 1099511627776; it must be less");
    CHECK(std::string(kd::InvalidArgument("name", "'x'", "another").what()) == "name is 'x'; it must be another");
    CHECK(std::string(kd::InvalidArgument(std::string("a"), std::string("b"), std::string_view("c")).what()) == "a is b; it must be c");
    CHECK(std::string(kd::InvalidArgument("x", 0.5F, "y").what()) == "x is 0.5; it must be y");
    CHECK(std::string(kd::InvalidArgument("x", std::numeric_limits<double>::quiet_NaN(), "y").what()).find("nan") != std::string::npos);
  }

  TEST_CASE("a number's text is short and reads back") {
    CHECK(kd::detail::number_text(0.1) == "0.1");
    CHECK(kd::detail::number_text(20'000.0) == "20000");
    CHECK(kd::detail::number_text(-3.5) == "-3.5");
    for (const double number : {1e300, 0.25, 1e-9, -123456.5})
      CHECK(std::strtod(kd::detail::number_text(number).c_str(), nullptr) == number);
  }

  TEST_CASE("a bad line is named by file, line and column, from 1") {
    const kd::ParseError cell("plays.tsv", 17, 4, "'x'", "a number");
    CHECK(std::string(cell.what()) == "plays.tsv, line 17, column 4: found 'x'; expected a number");
    CHECK(cell.line() == 17);
    CHECK(cell.column() == 4);
    CHECK(std::string(kd::ParseError("plays.tsv", 17, 0, "3 fields", "4").what()) == "plays.tsv, line 17: found 3 fields; expected 4");
    CHECK(std::string(kd::ParseError("plays.tsv", 0, 0, "nothing", "rows").what()) == "plays.tsv: found nothing; expected rows");
  }

  TEST_CASE("a refused file is named, in the system's words") {
    const kd::IoError error("/no/such", "open", ENOENT);
    CHECK(std::string(error.what()) == "/no/such: cannot open: No such file or directory");
    CHECK(error.error_number() == ENOENT);
  }

  TEST_CASE("a model's errors") {
    CHECK(std::string(kd::NotFitted("ImplicitALS").what()) == "ImplicitALS is not fitted yet: call fit(train) first");
    CHECK(std::string(kd::Cancelled("fit").what()) == "fit was cancelled by its progress callback");
    CHECK_THROWS_AS(throw kd::ShapeError("x"), kd::Error);
  }
}
