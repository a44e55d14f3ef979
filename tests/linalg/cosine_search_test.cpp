// SPDX-License-Identifier: MIT
#include <kindred/linalg/cosine_search.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/full_scan.hpp"
#include "../support/hard_factors.hpp"
#include "../support/simd_levels.hpp"

namespace kd = kindred;

namespace {

/// 300, or what the environment variable KINDRED_TOP_K_CASES says.
std::size_t n_cosine_cases() {
  const char* const asked = std::getenv("KINDRED_TOP_K_CASES");
  return asked == nullptr ? 300 : std::stoul(asked);
}

/// Points each row near to one of a few directions, as items of one taste do: most blocks can then be ruled out.
template <typename T>
void gather_round_centres(kd::FactorMatrix<T>& rows, kd::Index centres, kd::detail::Random& random) {
  for (kd::Index r = centres; r < rows.rows(); ++r) {
    const std::span<const T> centre = rows.row(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(centres))));
    for (std::size_t f = 0; f < centre.size(); ++f) rows.row(r)[f] = centre[f] + static_cast<T>(0.1) * rows.row(r)[f];
  }
}

/// One random matrix, random requests, all levels. Empty, or what went wrong.
template <typename T>
std::string check_cosines(std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 78);
  const auto n = static_cast<kd::Index>(1 + random.below(random.below(4) == 0 ? 6000 : 400));
  const auto k = static_cast<kd::Index>(1 + random.below(random.below(5) == 0 ? 300 : 40));
  kd::FactorMatrix<T> rows(n, k);
  const std::uint32_t kind = random.below(10);
  kindred_test::fill(rows, kind, random);
  if (n > 100 && random.below(2) == 0) gather_round_centres(rows, 50, random);

  std::vector<kd::Index> counts(static_cast<std::size_t>(n)), asked;
  for (kd::Index& count : counts) count = static_cast<kd::Index>(random.below(4));
  for (std::uint32_t q = 1 + random.below(20); q > 0; --q)
    asked.push_back(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(n))));
  std::vector<std::vector<kd::Index>> excludes, allows;
  for (std::size_t q = 0; q < asked.size(); ++q) {
    excludes.push_back(kindred_test::random_rows(n, random.below(3) == 0 ? 0.9 : 0.1, random));
    allows.push_back(kindred_test::random_rows(n, random.below(2) == 0 ? 0.05 : 0.6, random));
  }
  const kd::Index most = random.below(2) == 0 ? n + 5 : 25;
  std::vector<kd::detail::TopKRequest> requests;
  for (std::size_t q = 0; q < asked.size(); ++q) {
    kd::detail::TopKRequest request{.count = random.below(static_cast<std::uint32_t>(most))};
    if (random.below(2) == 0) request.without = asked[q];
    if (random.below(2) == 0) request.exclude = excludes[q];
    if (random.below(4) == 0) request.allow = allows[q];
    if (random.below(4) == 0) request.min_score = 2.0 * random.uniform() - 1.0;
    if (random.below(3) == 0) request.counts = counts;
    requests.push_back(request);
  }

  for (const kd::SimdLevel level : kindred_test::simd_levels()) {
    const kd::detail::CosineIndex<T> index(rows, level);
    kd::detail::CosineSearch<T> search(index, rows);
    const auto lists = search.find(asked, requests);
    for (std::size_t q = 0; q < asked.size(); ++q) {
      std::vector<kd::Index> exclude(requests[q].exclude.begin(), requests[q].exclude.end());
      exclude.push_back(requests[q].without);
      kd::detail::TopKRequest request = requests[q];
      request.exclude = exclude;
      const auto wanted =
          kindred_test::full_scan(rows, std::span<const T>(rows.row(asked[q])), request, true, kindred_test::fuses<T>(level));
      const auto alone = search.find(std::span(asked).subspan(q, 1), std::span(requests).subspan(q, 1));
      for (const auto* found : {&lists[q], &alone[0]}) {
        if (*found == wanted) continue;
        std::size_t place = 0;
        while (place < found->size() && place < wanted.size() && (*found)[place] == wanted[place]) ++place;
        return "seed " + std::to_string(seed) + " kind " + std::to_string(kind) + " level " + std::string(kd::name_of(level)) + " row " +
               std::to_string(asked[q]) + (found == &lists[q] ? " in a tile" : " alone") + ": " + std::to_string(found->size()) + " and " +
               std::to_string(wanted.size()) + " rows, equal up to " + std::to_string(place);
      }
    }
  }
  return "";
}

/// How many of the lists are not those of a full scan.
template <typename T>
std::size_t n_wrong(const std::vector<std::vector<kd::Scored>>& lists, const kd::FactorMatrix<T>& rows, std::span<const kd::Index> asked,
                    std::span<const kd::detail::TopKRequest> requests, kd::SimdLevel level) {
  std::size_t wrong = lists.size() == asked.size() ? 0 : 1;
  for (std::size_t q = 0; q < lists.size(); ++q) {
    const auto wanted =
        kindred_test::full_scan(rows, std::span<const T>(rows.row(asked[q])), requests[q], true, kindred_test::fuses<T>(level));
    wrong += lists[q] == wanted ? 0 : 1;
  }
  return wrong;
}

}  // namespace

TEST_SUITE("linalg/cosine_search") {
  TEST_CASE("three rows by hand") {
    const kd::FactorMatrix<float> rows(3, 2, std::vector<float>{1, 2, 3, 4, -1, 0.5F});
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::CosineIndex<float> index(rows, level);
      kd::detail::CosineSearch<float> search(index, rows);
      const std::vector<kd::Index> asked{1, 1, 0};
      const std::vector<kd::detail::TopKRequest> requests{{.count = 10}, {.count = 10, .without = 1}, {.count = 1}};
      const auto lists = search.find(asked, requests);
      REQUIRE(lists[0].size() == 3);
      CHECK(lists[0][0].item == 1);
      CHECK(lists[0][0].score == doctest::Approx(1.0).epsilon(1e-15));
      CHECK(lists[0][1].item == 0);
      CHECK(lists[0][1].score == doctest::Approx(11.0 / (5.0 * std::sqrt(5.0))).epsilon(1e-7));
      CHECK(lists[1] == std::vector<kd::Scored>{lists[0][1], lists[0][2]});
      REQUIRE(lists[2].size() == 1);
      CHECK(lists[2][0].item == 0);
    }
  }

  TEST_CASE("equal to the full scan to the bit, on random rows and filters at every level") {
    for (std::uint64_t seed = 0; seed < n_cosine_cases(); ++seed) {
      const std::string failure = seed % 2 == 0 ? check_cosines<float>(seed) : check_cosines<double>(seed);
      REQUIRE_MESSAGE(failure.empty(), failure);
    }
  }

  TEST_CASE_TEMPLATE("one to three factors: rows stand so dense that each bound decides about some of them", T, float, double) {
    for (const kd::Index k : {1, 2, 3}) {
      kd::detail::Random random(4, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(k));
      kd::FactorMatrix<T> rows(1000, k);
      kindred_test::fill(rows, 0, random);
      std::vector<kd::Index> asked;
      std::vector<kd::detail::TopKRequest> requests;
      for (kd::Index r = 0; r < 1000; ++r) {
        asked.push_back(r);
        requests.push_back({.count = 1 + static_cast<std::size_t>(r % 12)});
      }
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        const kd::detail::CosineIndex<T> index(rows, level);
        const auto lists = kd::detail::CosineSearch<T>(index, rows).find(asked, requests);
        CHECK(n_wrong(lists, rows, asked, requests, level) == 0);
      }
    }
  }

  TEST_CASE_TEMPLATE("codes of a query leave out what tells rows apart: all factors but the first are below half a step", T, float,
                     double) {
    kd::FactorMatrix<T> rows(1000, 40);
    for (kd::Index r = 0; r < 1000; ++r) {
      for (T& value : rows.row(r)) value = static_cast<T>(static_cast<double>(r * 389 % 1000 - 500) * 1e-4);
      rows.row(r)[0] = T(1);
    }
    std::vector<kd::Index> asked;
    for (kd::Index r = 0; r < 1000; ++r) asked.push_back(r);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::CosineIndex<T> index(rows, level);
      const std::vector<kd::detail::TopKRequest> requests(asked.size());
      const auto lists = kd::detail::CosineSearch<T>(index, rows).find(asked, requests);
      CHECK(n_wrong(lists, rows, asked, requests, level) == 0);
    }
  }

  TEST_CASE("rows of few directions: most are neither scored nor multiplied") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 2);
    kd::FactorMatrix<float> rows(20'000, 32);
    kindred_test::fill(rows, 0, random);
    gather_round_centres(rows, 300, random);
    const kd::detail::CosineIndex<float> index(rows, kd::SimdLevel::best);
    kd::detail::CosineSearch<float> search(index, rows);
    std::vector<kd::Index> asked;
    for (kd::Index q = 1; q < 128; ++q) asked.push_back(q * 150);
    (void)search.find(asked, std::vector<kd::detail::TopKRequest>(asked.size()));
    CHECK(search.counters().rows <= asked.size() * 20'000);
    CHECK(search.counters().rows > asked.size() * 17'000);  // all but rows of zeros
    CHECK(search.counters().codes < search.counters().rows / 2);
    CHECK(search.counters().scores < search.counters().rows / 40);
  }

  TEST_CASE("where nothing can be ruled out no pair is scored twice, and rows are laid out for all together") {
    const kd::FactorMatrix<float> rows(20'000, 8, std::vector<float>(160'000, 0.125F));
    const kd::detail::CosineIndex<float> index(rows, kd::SimdLevel::best);
    kd::detail::CosineSearch<float> search(index, rows);
    std::vector<kd::Index> asked;
    for (kd::Index q = 0; q < 64; ++q) asked.push_back(q * 300);
    const auto lists = search.find(asked, std::vector<kd::detail::TopKRequest>(asked.size()));
    CHECK(search.counters().scores == search.counters().rows);
    CHECK(search.counters().packed < 2 * 20'000);
    for (const kd::Scored& one : lists[0]) CHECK(one.item < 10);  // ties go to the lower row
  }

  TEST_CASE("nothing asked for, and lists of no length") {
    const kd::FactorMatrix<double> rows(3, 2, std::vector<double>{1, 0, 0, 1, 1, 1});
    const kd::detail::CosineIndex<double> index(rows, kd::SimdLevel::best);
    kd::detail::CosineSearch<double> search(index, rows);
    CHECK(search.find({}, {}).empty());
    const std::vector<kd::Index> asked{2};
    const kd::detail::TopKRequest none{.count = 0};
    CHECK(search.find(asked, {&none, 1})[0].empty());
  }
}
