// SPDX-License-Identifier: MIT
#include <kindred/linalg/top_k_search.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/full_scan.hpp"
#include "../support/hard_factors.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

namespace {

/// 300, or what the environment variable KINDRED_TOP_K_CASES says.
std::size_t n_cases() {
  const char* const asked = std::getenv("KINDRED_TOP_K_CASES");
  return asked == nullptr ? 300 : std::stoul(asked);
}

/// Offsets of many kinds, of which each request takes some: small beside scores, large, with ties, like popularity, of weight 0, at the ends of the range;
/// with weights of one sign, or of both.
class RandomOffsets {
 public:
  RandomOffsets(kd::Index n_rows, std::size_t n_requests, kd::detail::Random& random) : weights_(n_requests) {
    for (std::uint32_t t = random.below(4); t > 0; --t) {
      const std::uint32_t kind = random.below(5);
      const bool one_sign = random.below(2) == 0;
      std::vector<float> values;
      for (kd::Index r = 0; r < n_rows; ++r) {
        const double value = kind == 0   ? random.normal()
                             : kind == 1 ? std::round(random.normal())
                             : kind == 2 ? std::log1p(static_cast<double>(random.below(1000)))
                             : kind == 3 ? 1e6 * random.normal()
                                         : (random.below(2) == 0 ? 3e38 : -3e38);
        values.push_back(static_cast<float>(value));
      }
      values_.push_back(values);
      for (std::vector<float>& of_request : weights_) {
        const double weight = random.normal() * std::pow(10.0, -static_cast<double>(random.below(4)));
        of_request.push_back(random.below(3) == 0 ? 0.0F : static_cast<float>(one_sign ? std::abs(weight) : weight));
      }
    }
  }

  /// Gives `requests` the offsets in the blocks of an index.
  void put(std::span<const kd::Index> order, std::vector<kd::detail::TopKRequest>& requests) {
    offsets_.clear();
    for (const std::vector<float>& values : values_) offsets_.emplace_back(values, order);
    weighted_.assign(requests.size(), {});
    for (std::size_t q = 0; q < requests.size(); ++q) {
      for (std::size_t t = 0; t < offsets_.size(); ++t) weighted_[q].push_back({weights_[q][t], &offsets_[t]});
      requests[q].offsets = weighted_[q];
    }
  }

 private:
  std::vector<std::vector<float>> values_, weights_;
  std::vector<kd::detail::RowOffsets> offsets_;
  std::vector<std::vector<kd::detail::WeightedOffsets>> weighted_;
};

/// One random model, random requests, all levels. Empty, or what went wrong.
template <typename T>
std::string check_case(std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 77);
  const kd::Index n = random.below(4) == 0 ? static_cast<kd::Index>(1 + random.below(3000)) : static_cast<kd::Index>(1 + random.below(300));
  const kd::Index k = random.below(5) == 0 ? static_cast<kd::Index>(1 + random.below(300)) : static_cast<kd::Index>(1 + random.below(40));
  const kd::Index n_queries = static_cast<kd::Index>(1 + random.below(11));
  kd::FactorMatrix<T> rows(n, k), queries(n_queries, k);
  const std::uint32_t kind = random.below(10);
  kindred_test::fill(rows, kind, random);
  kindred_test::fill(queries, kind == 4 ? 8 : random.below(4) == 0 ? random.below(10) : kind, random);

  std::vector<kd::Index> counts(static_cast<std::size_t>(n));
  for (kd::Index& count : counts) count = static_cast<kd::Index>(random.below(4));
  std::vector<std::vector<kd::Index>> excludes, allows;
  std::vector<kd::detail::TopKRequest> requests;
  for (kd::Index q = 0; q < n_queries; ++q) {
    excludes.push_back(kindred_test::random_rows(n, random.below(3) == 0 ? 0.9 : 0.1, random));
    allows.push_back(kindred_test::random_rows(n, random.below(2) == 0 ? 0.05 : 0.6, random));
  }
  const kd::Index most = random.below(2) == 0 ? n + 5 : (std::min)(n + 5, kd::Index{25});
  for (kd::Index q = 0; q < n_queries; ++q) {
    kd::detail::TopKRequest request{.count = 1 + random.below(static_cast<std::uint32_t>(most))};
    if (random.below(2) == 0) request.exclude = excludes[static_cast<std::size_t>(q)];
    if (random.below(4) == 0) request.allow = allows[static_cast<std::size_t>(q)];
    if (random.below(4) == 0)
      request.min_score = static_cast<double>(kindred_test::plain_score<T>(
          queries.row(q), rows.row(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(n)))), true));
    if (std::isnan(request.min_score)) request.min_score = 0.0;
    if (random.below(3) == 0) request.counts = counts;
    requests.push_back(request);
  }
  RandomOffsets offsets(n, requests.size(), random);

  for (const kd::SimdLevel level : kindred_test::simd_levels()) {
    std::vector<double> added;  // another order of the blocks, whatever the offsets
    if (random.below(3) == 0)
      for (kd::Index r = 0; r < n; ++r) added.push_back(random.normal());
    const kd::detail::TopKIndex<T> index(rows, random.below(2) == 0 ? queries : rows, level, added);
    kd::detail::TopKSearch<T> search(index, rows);
    offsets.put(index.order(), requests);
    std::vector<const T*> pointers;
    for (kd::Index q = 0; q < n_queries; ++q) pointers.push_back(queries.row(q).data());
    const auto lists = search.find(pointers, requests);
    for (std::size_t q = 0; q < lists.size(); ++q) {
      const auto wanted = kindred_test::full_scan(rows, std::span<const T>(queries.row(static_cast<kd::Index>(q))), requests[q], false,
                                                  kindred_test::fuses<T>(level));
      const auto alone = search.find(std::span(pointers).subspan(q, 1), std::span(requests).subspan(q, 1));
      for (const auto* found : {&lists[q], &alone[0]}) {
        if (*found == wanted) continue;
        std::size_t place = 0;
        while (place < found->size() && place < wanted.size() && (*found)[place] == wanted[place]) ++place;
        return "seed " + std::to_string(seed) + " kind " + std::to_string(kind) + " level " + std::string(kd::name_of(level)) + " query " +
               std::to_string(q) + (found == &lists[q] ? " in a tile" : " alone") + ": " + std::to_string(found->size()) + " and " +
               std::to_string(wanted.size()) + " items, equal up to " + std::to_string(place);
      }
    }
  }
  return "";
}

}  // namespace

TEST_SUITE("linalg/top_k_search") {
  TEST_CASE("three items by hand") {
    const kd::FactorMatrix<float> items(3, 2, std::vector<float>{1, 2, 3, 4, -1, 0.5F});
    const kd::FactorMatrix<float> user(1, 2, std::vector<float>{2, 10});
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::TopKIndex<float> index(items, user, level);
      CHECK(index.rows() == 3);
      CHECK(index.memory_bytes() > 0);
      kd::detail::TopKSearch<float> search(index, items);
      const float* const query = user.row(0).data();
      const kd::detail::TopKRequest all{.count = 10};
      CHECK(search.find({&query, 1}, {&all, 1})[0] == std::vector<kd::Scored>{{1, 46.0}, {0, 22.0}, {2, 3.0}});
      const std::vector<kd::Index> best{1};
      const kd::detail::TopKRequest one{.count = 1, .exclude = best};
      CHECK(search.find({&query, 1}, {&one, 1})[0] == std::vector<kd::Scored>{{0, 22.0}});
      const std::vector<kd::Scored> scored = search.score(query, std::vector<kd::Index>{2, 0});
      CHECK(scored == std::vector<kd::Scored>{{2, 3.0}, {0, 22.0}});
    }
  }

  TEST_CASE("equal to the full scan to the bit, on random models and filters at every level") {
    for (std::uint64_t seed = 0; seed < n_cases(); ++seed) {
      const std::string failure = seed % 2 == 0 ? check_case<float>(seed) : check_case<double>(seed);
      REQUIRE_MESSAGE(failure.empty(), failure);
    }
  }

  TEST_CASE_TEMPLATE("one factor carries nearly all of every score, whichever it is", T, float, double) {
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    for (const std::size_t heavy : {0u, 1u, 6u}) {
      kd::FactorMatrix<T> rows(1500, 7), queries(5, 7);
      for (kd::FactorMatrix<T>* matrix : {&rows, &queries})
        for (kd::Index r = 0; r < matrix->rows(); ++r)
          for (std::size_t f = 0; f < 7; ++f) matrix->row(r)[f] = static_cast<T>(random.normal() * (f == heavy ? 1.0 : 0.001));
      const std::vector<kd::detail::TopKRequest> requests(5);
      std::vector<const T*> pointers;
      for (kd::Index q = 0; q < 5; ++q) pointers.push_back(queries.row(q).data());
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        const kd::detail::TopKIndex<T> index(rows, queries, level);
        kd::detail::TopKSearch<T> search(index, rows);
        const auto lists = search.find(pointers, requests);
        for (std::size_t q = 0; q < 5; ++q)
          CHECK(lists[q] == kindred_test::full_scan(rows, std::span<const T>(queries.row(static_cast<kd::Index>(q))), requests[q], false,
                                                    kindred_test::fuses<T>(level)));
      }
    }
  }

  TEST_CASE("scores of a few of the smallest numbers there are: bounds by relative errors would not hold") {
    kd::detail::Random random(8, kd::detail::RandomStream::sample);
    // With one factor a score is as large as its bound, and many are rounded up to the same few numbers.
    kd::FactorMatrix<float> rows(2000, 1), queries(8, 1);
    for (kd::Index r = 0; r < 2000; ++r) rows.row(r)[0] = static_cast<float>((1.0 + random.uniform()) * 1e-19);
    for (kd::Index q = 0; q < 8; ++q) queries.row(q)[0] = static_cast<float>((1.0 + random.uniform()) * 3e-26);
    const std::vector<kd::detail::TopKRequest> requests(8);
    std::vector<const float*> pointers;
    for (kd::Index q = 0; q < 8; ++q) pointers.push_back(queries.row(q).data());
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::TopKIndex<float> index(rows, rows, level);
      const auto lists = kd::detail::TopKSearch<float>(index, rows).find(pointers, requests);
      for (std::size_t q = 0; q < 8; ++q)
        CHECK(lists[q] == kindred_test::full_scan(rows, std::span<const float>(queries.row(static_cast<kd::Index>(q))), requests[q], false,
                                                  kindred_test::fuses<float>(level)));
    }
  }

  TEST_CASE("a model that can be pruned is: most rows are neither scored nor multiplied") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 1);
    kd::FactorMatrix<float> rows(20'000, 32), queries(64, 32);
    kindred_test::fill(rows, 2, random);
    kindred_test::fill(queries, 0, random);
    const kd::detail::TopKIndex<float> index(rows, queries, kd::SimdLevel::best);
    kd::detail::TopKSearch<float> search(index, rows);
    std::vector<const float*> pointers;
    for (kd::Index q = 0; q < 64; ++q) pointers.push_back(queries.row(q).data());
    const std::vector<kd::detail::TopKRequest> requests(64);
    (void)search.find(pointers, requests);
    CHECK(search.counters().rows <= 64u * 20'000u);
    CHECK(search.counters().rows > 50u * 20'000u);  // all but queries of zeros
    CHECK(search.counters().codes < search.counters().rows / 2);
    CHECK(search.counters().scores < search.counters().rows / 20);
  }

  TEST_CASE("where nothing can be pruned no pair is scored twice, and rows are laid out for all queries together") {
    constexpr kd::Index n = 20'000, k = 32, n_queries = 64;
    for (const bool equal : {false, true}) {
      kd::detail::Random random(1, kd::detail::RandomStream::sample, 1);
      kd::FactorMatrix<float> rows(n, k), queries(n_queries, k);
      kindred_test::fill(queries, 8, random);
      for (kd::Index r = 0; r < n; ++r) {
        const std::span<float> row = rows.row(r);
        double squares = 0.0;
        for (float& value : row) value = equal ? 0.125F : static_cast<float>(random.normal());
        for (const float value : row) squares += static_cast<double>(value) * static_cast<double>(value);
        for (float& value : row) value /= static_cast<float>(std::sqrt(squares));
      }
      const kd::detail::TopKIndex<float> index(rows, queries, kd::SimdLevel::best);
      kd::detail::TopKSearch<float> search(index, rows);
      std::vector<const float*> pointers;
      for (kd::Index q = 0; q < n_queries; ++q) pointers.push_back(queries.row(q).data());
      const std::vector<kd::detail::TopKRequest> requests(n_queries);
      const auto lists = search.find(pointers, requests);
      CHECK(search.counters().scores <= search.counters().rows);
      if (!equal) continue;
      CHECK(search.counters().scores == search.counters().rows);
      CHECK(search.counters().packed == n);
      for (const kd::Scored& one : lists[0]) CHECK(one.item < 10);  // ties go to the lower row
    }
  }

  TEST_CASE("the unit of a coordinate does not matter to how much is pruned") {
    std::vector<std::uint64_t> scores;
    for (const std::size_t odd : {8u, 0u, 3u}) {  // which coordinate is large in rows and small in queries; 8: none
      kd::detail::Random random(1, kd::detail::RandomStream::sample, 1);
      kd::FactorMatrix<float> rows(6000, 8), queries(16, 8);
      kindred_test::fill(rows, 1, random);
      kindred_test::fill(queries, 0, random);
      if (odd < 8) {
        for (kd::Index r = 0; r < 6000; ++r) rows.row(r)[odd] *= 4096.0F;
        for (kd::Index q = 0; q < 16; ++q) queries.row(q)[odd] /= 4096.0F;
      }
      const kd::detail::TopKIndex<float> index(rows, queries, kd::SimdLevel::base);
      kd::detail::TopKSearch<float> search(index, rows);
      std::vector<const float*> pointers;
      for (kd::Index q = 0; q < 16; ++q) pointers.push_back(queries.row(q).data());
      (void)search.find(pointers, std::vector<kd::detail::TopKRequest>(16));
      scores.push_back(search.counters().scores);
    }
    CHECK(scores[0] < 16u * 6000u / 10);
    CHECK(scores[1] < scores[0] + scores[0] / 10);
    CHECK(scores[2] < scores[0] + scores[0] / 10);
  }

  TEST_CASE("no rows, no queries, nothing asked for") {
    const kd::FactorMatrix<double> nothing(0, 5), something(3, 5), query(1, 5), other(1, 5, std::vector<double>{1, 0, 2, 0, 3});
    const double* const o = other.row(0).data();
    const double* const q = query.row(0).data();
    const kd::detail::TopKRequest all{.count = 10}, none{.count = 0};
    const kd::detail::TopKIndex<double> empty(nothing, nothing, kd::SimdLevel::best), full(something, query, kd::SimdLevel::best);
    CHECK(kd::detail::TopKSearch<double>(empty, nothing).find({&q, 1}, {&all, 1})[0].empty());
    CHECK(kd::detail::TopKSearch<double>(empty, nothing).find({&o, 1}, {&all, 1})[0].empty());
    CHECK(kd::detail::TopKSearch<double>(full, something).find({&o, 1}, {&none, 1})[0].empty());
    CHECK(kd::detail::TopKSearch<double>(full, something).find({&q, 1}, {&none, 1})[0].empty());
    CHECK(kd::detail::TopKSearch<double>(full, something).find({}, {}).empty());
    CHECK(kd::detail::TopKSearch<double>(full, something).find({&q, 1}, {&all, 1})[0] ==
          std::vector<kd::Scored>{{0, 0.0}, {1, 0.0}, {2, 0.0}});
  }
}
