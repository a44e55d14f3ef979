// SPDX-License-Identifier: MIT
#include <kindred/data/key_column.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

namespace {

std::vector<std::string> texts_of(const kd::KeyColumn& keys) {
  std::vector<std::string> texts;
  kd::KeyColumn::Buffer buffer;
  for (std::size_t n = 0; n < keys.size(); ++n) texts.emplace_back(keys.text(n, buffer));
  return texts;
}

}  // namespace

TEST_SUITE("data/key_column") {
  using Texts = std::vector<std::string>;

  TEST_CASE("text of every kind, by reference") {
    const Texts strings{"anna", "", std::string("a\0b", 3)};
    CHECK(texts_of(strings) == strings);
    kd::KeyColumn::Buffer buffer;
    CHECK(kd::KeyColumn(strings).text(0, buffer).data() == strings[0].data());
    const std::array<std::string_view, 2> views{"x", "y z"};
    CHECK(texts_of(views) == Texts{"x", "y z"});
    CHECK(texts_of(std::span<const std::string>(strings).first(1)) == Texts{"anna"});
    CHECK(texts_of(Texts{}).empty());
  }

  TEST_CASE("numbers of every width are their decimal text") {
    CHECK(texts_of(
              std::vector<std::int64_t>{0, -1, (std::numeric_limits<std::int64_t>::min)(), (std::numeric_limits<std::int64_t>::max)()}) ==
          Texts{"0", "-1", "-9223372036854775808", "9223372036854775807"});
    CHECK(texts_of(std::vector<std::int32_t>{-2147483647 - 1, 7}) == Texts{"-2147483648", "7"});
    const std::uint64_t array[] = {18446744073709551615u};
    CHECK(texts_of(array) == Texts{"18446744073709551615"});
    CHECK(texts_of(std::vector<long long>{12}) == Texts{"12"});
    CHECK(texts_of(std::vector<std::uint16_t>{65535}) == Texts{"65535"});
  }

  TEST_CASE("what are no keys does not compile") {
    CHECK(std::is_convertible_v<std::vector<std::string>, kd::KeyColumn>);
    CHECK(std::is_convertible_v<std::span<const std::int64_t>, kd::KeyColumn>);
    CHECK_FALSE(std::is_constructible_v<kd::KeyColumn, std::string>);
    CHECK_FALSE(std::is_constructible_v<kd::KeyColumn, const char(&)[4]>);
    CHECK_FALSE(std::is_constructible_v<kd::KeyColumn, std::vector<double>>);
    CHECK_FALSE(std::is_constructible_v<kd::KeyColumn, std::vector<bool>>);
    CHECK_FALSE(std::is_constructible_v<kd::KeyColumn, std::vector<char32_t>>);
  }
}
