// SPDX-License-Identifier: MIT
#include <kindred/persistence/export_neighbours.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

/// What a half-precision number means.
double from_float16(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, mantissa = half & 1023;
  const double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                           : exponent == 31 ? (mantissa == 0 ? HUGE_VAL : std::numeric_limits<double>::quiet_NaN())
                                            : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The tensors of a file, through Python.
std::map<std::string, std::vector<double>> tensors_of(const std::string& path) {
  const std::string command = std::string(KINDRED_TEST_PYTHON) + " " + KINDRED_TEST_SCRIPTS + "/model_file.py read " + path;
  std::FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, got);
  REQUIRE(pclose(pipe) == 0);
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::map<std::string, std::vector<double>> tensors;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name, dtype, shape;
    words >> name >> dtype >> shape;
    double number = 0.0;
    while (words >> number)
      tensors[name].push_back(dtype == "BF16" ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(number) << 16))
                                              : number);
  }
  return tensors;
}

}  // namespace

TEST_SUITE("export_neighbours") {
  TEST_CASE("every half-precision number is its own nearest, and ties go to even") {
    for (std::uint32_t half = 0; half < 0x7C00; ++half)
      for (const std::uint32_t sign : {0u, 0x8000u}) {
        const auto bits = static_cast<std::uint16_t>(half | sign);
        const auto exact = static_cast<float>(from_float16(bits));
        REQUIRE(kd::detail::to_float16(exact) == bits);
        const double next = from_float16(static_cast<std::uint16_t>(half + 1));
        if (!std::isfinite(next)) continue;
        const auto middle = static_cast<float>((std::abs(static_cast<double>(exact)) + next) / 2);
        REQUIRE(kd::detail::to_float16(middle) == half + (half & 1));
        REQUIRE(kd::detail::to_float16(std::nextafter(middle, 1e9F)) == half + 1);
        REQUIRE(kd::detail::to_float16(std::nextafter(middle, 0.0F)) == half);
      }
    CHECK(kd::detail::to_float16(65'520.0F) == 0x7C00);
    CHECK(kd::detail::to_float16(-1e30F) == 0xFC00);
    CHECK(std::isnan(from_float16(kd::detail::to_float16(std::numeric_limits<float>::quiet_NaN()))));
    CHECK(kd::detail::to_bfloat16(1.0F) == 0x3F80);
    CHECK(kd::detail::to_bfloat16(1.00390625F) == 0x3F80);  // half-way, to even
    CHECK(kd::detail::to_bfloat16(1.01171875F) == 0x3F82);
    CHECK(kd::detail::to_bfloat16(1.00390637F) == 0x3F81);
  }

  TEST_CASE("neighbours by cosine and by distance are the lists, and the file opens elsewhere") {
    if (std::string_view(KINDRED_TEST_PYTHON).empty()) return;
    const kd::test::TemporaryDirectory directory;
    std::vector<kd::Interaction> triplets;
    const kd::CsrMatrix dense = kindred_test::random_matrix(25, 40, 0.2, 3);
    for (kd::Index u = 0; u < 25; ++u)
      for (std::size_t n = 0; n < dense.row(u).size(); ++n)
        if (dense.row(u).columns[n] != 11 && u != 4) triplets.push_back({u, dense.row(u).columns[n], dense.row(u).values[n]});
    const kd::CsrMatrix train = kd::CsrMatrix::from_triplets({25, 40}, triplets);  // nobody has item 11, user 4 has nothing
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(train);
    for (const kd::ExportType type : {kd::ExportType::float32, kd::ExportType::float16, kd::ExportType::bfloat16}) {
      const double tolerance = type == kd::ExportType::float32 ? 1e-6 : type == kd::ExportType::float16 ? 2e-3 : 2e-2;
      kd::export_neighbours(als, directory.path("vectors"), type);
      auto tensors = tensors_of(directory.path("vectors"));
      const std::vector<double>&items = tensors["items"], &users = tensors["users"], &index = tensors["item_index"];
      REQUIRE(index.size() == 39);
      REQUIRE(items.size() == 39 * 7);
      REQUIRE(users.size() == 25 * 7);
      CHECK(std::find(index.begin(), index.end(), 11.0) == index.end());
      for (std::size_t i = 0; i < 39; ++i) {
        double length = 0.0;
        for (std::size_t f = 0; f < 7; ++f) length += items[i * 7 + f] * items[i * 7 + f];
        CHECK(length == doctest::Approx(1.0).epsilon(tolerance));
      }
      for (kd::Index u = 0; u < 25; ++u) {
        std::vector<kd::Scored> by_cosine, scores = als.recommend(u, {.count = 39});
        for (std::size_t i = 0; i < 39; ++i) {
          double cosine = 0.0;
          for (std::size_t f = 0; f < 7; ++f) cosine += items[i * 7 + f] * users[static_cast<std::size_t>(u) * 7 + f];
          by_cosine.push_back({static_cast<kd::Index>(index[i]), cosine});
        }
        if (u == 4) continue;  // nothing to go by
        // The same scores but for one factor, so the same order where scores differ by more than the rounding.
        const auto of = [&](kd::Index item) {
          return std::find_if(by_cosine.begin(), by_cosine.end(), [&](const kd::Scored& one) { return one.item == item; })->score;
        };
        REQUIRE(scores.size() == 39);
        const double factor = of(scores.front().item) / scores.front().score;
        for (const kd::Scored& one : scores) CHECK(std::abs(of(one.item) - factor * one.score) < 4 * tolerance);
      }
    }
    CHECK_THROWS_AS(kd::export_neighbours(kd::ImplicitALS<float>(), directory.path("none")), kd::NotFitted);
    CHECK_THROWS_AS(kd::export_neighbours(als, directory.path("no/folder")), kd::IoError);
  }
}
