// SPDX-License-Identifier: MIT
#include <kindred/core/path.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace kd = kindred;

namespace {

std::string bytes_of(const kd::Path& path) { return path.string(); }

}  // namespace

TEST_SUITE("path") {
  TEST_CASE("is made from text and from std::filesystem::path, byte for byte") {
    const std::string text = "a folder/\xC3\xA9.tsv";
    CHECK(bytes_of(text) == text);
    CHECK(bytes_of(text.c_str()) == text);
    CHECK(bytes_of(std::string_view(text + ".gz").substr(0, text.size())) == text);
    CHECK(bytes_of(std::filesystem::path("a folder") / "\xC3\xA9.tsv") == text);
    CHECK(bytes_of("") == "");
  }

  TEST_CASE("goes where text is wanted, and nothing else becomes a path") {
    const kd::Path path("x");
    const std::string& text = path;
    CHECK(&text == &path.string());
    CHECK_FALSE(std::is_convertible_v<int, kd::Path>);
    CHECK_FALSE(std::is_convertible_v<char, kd::Path>);
  }
}
