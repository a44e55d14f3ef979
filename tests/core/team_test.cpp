// SPDX-License-Identifier: MIT
#include <kindred/core/team.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("core/team") {
  TEST_CASE("a team of one has all, and rethrows its own errors") {
    const kd::detail::Team alone;
    CHECK(alone.rank() == 0);
    CHECK(alone.size() == 1);
    CHECK(alone.even_shares(7) == std::vector<std::uint64_t>{0, 7});
    std::vector<double> numbers = {2.5};
    alone.sum(numbers);
    alone.gather(std::as_writable_bytes(std::span(numbers)), alone.even_shares(1), 8);
    CHECK(numbers == std::vector<double>{2.5});
    CHECK(alone.all_of(3.0) == std::vector<double>{3.0});
    CHECK(alone.answer_of_first<int>([] { return 4; }) == 4);
    CHECK_NOTHROW(alone.agree(std::exception_ptr()));
    CHECK_NOTHROW(alone.agree(kd::detail::Digest()));
    CHECK_THROWS_AS(alone.on([] { throw std::out_of_range("here"); }), std::out_of_range);
    CHECK_THROWS_AS(alone.together([] { throw std::out_of_range("here"); }), std::out_of_range);
  }

  TEST_CASE("a digest tells values apart: bits, lengths, what is not set, the sign of zero") {
    const auto bits_of = [](const auto& value) {
      kd::detail::Digest digest;
      digest.add("value", value);
      return digest.values().front().bits;
    };
    CHECK(bits_of(1.0) == bits_of(1.0));
    CHECK(bits_of(1.0) != bits_of(1.0F));
    CHECK(bits_of(0.0) != bits_of(-0.0));
    CHECK(bits_of(std::optional<double>()) != bits_of(std::optional<double>(0.0)));
    CHECK(bits_of(std::optional<double>(2.0)) == bits_of(2.0));
    const std::vector<int> three = {1, 2, 3};
    CHECK(bits_of(std::span<const int>(three)) != bits_of(std::span<const int>(three).first(2)));
    kd::detail::Digest two;
    two.add("a", 1);
    two.add("b", 2);
    REQUIRE(two.values().size() == 2);
    CHECK(two.values()[1].name == "b");
  }
}
