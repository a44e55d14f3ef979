// SPDX-License-Identifier: MIT
#include <kindred/models/als/row_assembler.hpp>
#include <kindred/models/als/weights.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/als_settings.hpp"
#include "../../support/random_matrix.hpp"
#include "../../support/textbook_als.hpp"

namespace kd = kindred;
using doctest::Approx;
using Side = kd::detail::AlsSide;

namespace {

// 3 users, 4 items; counts of users 2 3 1, of items 3 1 2 0; a dislike.
const kd::CsrMatrix four_items({3, 4}, {0, 2, 5, 6}, {0, 2, 0, 1, 2, 0}, {1, 8, 3, -2, 5, 4});

kd::detail::AlsWeights weights_of(const kd::AlsOptions& options, const kd::CsrMatrix& users) {
  const kd::CsrMatrix items = kd::transpose(users);
  return {kd::detail::settings_of(options), kd::detail::RowsRef(users), kd::detail::RowsRef(items)};
}

double relative(double found, long double wanted) {
  return static_cast<double>(std::abs(static_cast<long double>(found) - wanted) / (wanted == 0.0L ? 1.0L : std::abs(wanted)));
}

}  // namespace

TEST_SUITE("models/als_weights") {
  TEST_CASE("counts and shape") {
    const kd::detail::AlsWeights weights = weights_of(kd::AlsOptions::paper(), four_items);
    CHECK(weights.shape() == kd::MatrixShape{3, 4});
    CHECK(std::vector<kd::Index>(weights.counts(Side::users).begin(), weights.counts(Side::users).end()) ==
          std::vector<kd::Index>{2, 3, 1});
    CHECK(std::vector<kd::Index>(weights.counts(Side::items).begin(), weights.counts(Side::items).end()) ==
          std::vector<kd::Index>{3, 1, 2, 0});
    CHECK(weights.background(Side::users).empty());
    CHECK(weights.background(Side::items).empty());
    CHECK(weights.new_user_background(7) == 1.0);
  }

  TEST_CASE("the curves of confidence by hand") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    CHECK(weights_of(options, four_items).strength(-8.0F, 1, 1) == 8.0);
    options.confidence.curve = kd::Confidence::log;
    options.confidence.log_scale = 0.5;
    CHECK(weights_of(options, four_items).strength(3.0F, 1, 1) == Approx(std::log(7.0)).epsilon(1e-15));
    options.confidence.curve = kd::Confidence::one;
    CHECK(weights_of(options, four_items).strength(3.0F, 1, 1) == 1.0);
    options.confidence.curve = kd::Confidence::custom;
    options.confidence.function = [](double r, kd::Offset n_u, kd::Offset n_i) {
      return r + 100.0 * static_cast<double>(n_u) + 10'000.0 * static_cast<double>(n_i);
    };
    options.confidence.cap = 6.0;
    CHECK(weights_of(options, four_items).strength(-8.0F, 3, 5) == 50'306.0);
  }

  // Magnitudes 1 2 3 4 5 8: the quantile 0.9 stands at place 4.5, between 5 and 8.
  TEST_CASE("caps by value and by quantile") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.confidence.cap = 4.5;
    CHECK(weights_of(options, four_items).strength(8.0F, 1, 1) == 4.5);
    CHECK(weights_of(options, four_items).strength(-4.0F, 1, 1) == 4.0);
    options.confidence.cap = std::nullopt;
    options.confidence.cap_quantile = 0.9;
    CHECK(weights_of(options, four_items).strength(8.0F, 1, 1) == Approx(6.5).epsilon(1e-15));
    CHECK(weights_of(options, four_items).strength(-100.0F, 1, 1) == Approx(6.5).epsilon(1e-15));
    CHECK(weights_of(options, four_items).strength(5.0F, 1, 1) == 5.0);
    options.confidence.cap_quantile = 1.0;
    CHECK(weights_of(options, four_items).strength(9.0F, 1, 1) == 8.0);
  }

  // rho 2: n_i^2 = 9 1 4 0, sum 14, mean 3.5. rho_users 1: 2 3 1, mean 2.
  TEST_CASE("background weights have mean 1") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.background.item_exponent = 2.0;
    options.background.user_exponent = 1.0;
    const kd::detail::AlsWeights weights = weights_of(options, four_items);
    const std::vector<double> items{9.0 / 3.5, 1.0 / 3.5, 4.0 / 3.5, 0.0}, users{1.0, 1.5, 0.5};
    for (std::size_t i = 0; i < 4; ++i) CHECK(weights.background(Side::items)[i] == Approx(items[i]).epsilon(1e-15));
    for (std::size_t u = 0; u < 3; ++u) CHECK(weights.background(Side::users)[u] == Approx(users[u]).epsilon(1e-15));
    CHECK(weights.new_user_background(3) == weights.background(Side::users)[1]);  // to the bit: fold_in relies on it
    CHECK(weights.new_user_background(8) == Approx(4.0).epsilon(1e-15));
    CHECK(weights.new_user_background(0) == 0.0);
  }

  // nu 1, lambda 0.5, w0 0.1: l_u = 0.5 (n_u + 0.1 a_u * 4 items), l_i = 0.5 (n_i + 0.1 b_i * 3 users).
  TEST_CASE("penalties") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.regularization = 0.5;
    options.background.weight = 0.1;
    CHECK(weights_of(options, four_items).penalty(Side::users, 100, 1.0) == 0.5);
    options.regularization_exponent = 1.0;
    CHECK(weights_of(options, four_items).penalty(Side::users, 3, 1.5) == Approx(0.5 * (3 + 0.1 * 1.5 * 4)).epsilon(1e-15));
    CHECK(weights_of(options, four_items).penalty(Side::items, 3, 2.0) == Approx(0.5 * (3 + 0.1 * 2.0 * 3)).epsilon(1e-15));
    options.regularization_exponent = 0.5;
    CHECK(weights_of(options, four_items).penalty(Side::users, 2, 1.0) == Approx(0.5 * std::sqrt(2.4)).epsilon(1e-15));
  }

  // 6 interactions in 12 cells: density 0.5.
  TEST_CASE("the weight of the background, or its ratio to the density") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.background.weight = 0.3;
    CHECK(weights_of(options, four_items).unobserved_weight() == 0.3);
    options.background.ratio = 5.0;
    CHECK(weights_of(options, four_items).unobserved_weight() == Approx(2.5).epsilon(1e-15));
    options.regularization_exponent = 1.0;
    options.regularization = 0.5;
    CHECK(weights_of(options, four_items).penalty(Side::users, 3, 1.5) == Approx(0.5 * (3 + 2.5 * 1.5 * 4)).epsilon(1e-15));
  }

  TEST_CASE("an excess that needs no difference of large numbers is exact") {
    kd::AlsOptions options{.units = kd::Units::paper, .confidence = {.alpha = 1e-9}};
    const kd::detail::AlsWeights weights = weights_of(options, four_items);
    const auto terms = weights.terms(3.0, 0, 1.0, 1.0);
    CHECK(terms.excess == 1e-9 * 3.0);  // c - 1 would keep seven digits
    CHECK(terms.confidence == 1.0 + 1e-9 * 3.0);
  }

  TEST_CASE("every system of every setting is the objective's, from both sides") {
    const kd::CsrMatrix plain = kindred_test::random_matrix(23, 31, 0.2, 4);
    const kd::CsrMatrix matrix(plain.shape(), {plain.offsets().begin(), plain.offsets().end()},
                               {plain.columns().begin(), plain.columns().end()}, kindred_test::with_dislikes(plain.values(), 6, 4));
    const kd::CsrMatrix transposed = kd::transpose(matrix);
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      const kindred_test::TextbookProblem problem = kindred_test::textbook_problem(options, matrix);
      const kd::detail::AlsWeights weights = weights_of(options, matrix);
      for (const Side side : {Side::users, Side::items}) {
        const kd::CsrMatrix& rows = side == Side::users ? matrix : transposed;
        kd::detail::RowAssembler<double> assembler(weights, side, kd::SimdLevel::best);
        for (kd::Index r = 0; r < rows.rows(); ++r) {
          const std::span<const double> own = weights.background(side);
          const std::span<const double> other = weights.background(side == Side::users ? Side::items : Side::users);
          const double row_background = own.empty() ? 1.0 : own[static_cast<std::size_t>(r)];
          const kd::detail::RowSystem<double> system = assembler.assemble(r, rows.row(r), {}, row_background);
          if (weights.likes_of(rows.row(r)) == 0) {  // nothing to solve
            CHECK(system.columns.empty());
            continue;
          }
          REQUIRE(system.columns.size() == rows.row(r).size());
          const auto at = static_cast<std::size_t>(r);
          const double tolerance = 1e-14;  // a power and a handful of products in double
          CHECK(relative(system.penalty, side == Side::users ? problem.user_penalty[at] : problem.item_penalty[at]) < tolerance);
          for (std::size_t n = 0; n < system.columns.size(); ++n) {
            const auto c = static_cast<std::size_t>(system.columns[n]);
            const std::size_t cell = side == Side::users ? problem.cell(at, c) : problem.cell(c, at);
            const double covered = system.background * (other.empty() ? 1.0 : other[c]);
            CHECK(relative(system.target[n], problem.confidence[cell] * problem.preference[cell]) < tolerance);
            // What the system says of the pair in all: excess plus the Gram matrix's share.
            CHECK(relative(system.excess[n] + covered, problem.confidence[cell] + problem.background[cell]) < tolerance);
          }
          // And of a pair that is not observed.
          for (kd::Index column = 0; column < rows.cols(); ++column) {
            const auto c = static_cast<std::size_t>(column);
            const std::size_t cell = side == Side::users ? problem.cell(at, c) : problem.cell(c, at);
            if (problem.confidence[cell] == 0.0L && problem.background[cell] > 0.0L)
              CHECK(relative(system.background * (other.empty() ? 1.0 : other[c]), problem.background[cell]) < tolerance);
          }
        }
      }
    }
  }

  TEST_CASE("a confidence that is negative or not finite names user and item, from both sides") {
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.confidence.curve = kd::Confidence::custom;
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      options.confidence.function = [bad](double r, kd::Offset, kd::Offset) { return r == 5.0 ? bad : 1.0; };
      const kd::detail::AlsWeights weights = weights_of(options, four_items);
      kd::detail::RowAssembler<double> by_user(weights, Side::users, kd::SimdLevel::best),
          by_item(weights, Side::items, kd::SimdLevel::best);
      const kd::CsrMatrix transposed = kd::transpose(four_items);
      CHECK_THROWS_WITH_AS((void)by_user.assemble(1, four_items.row(1), {}, 1.0),
                           doctest::Contains("the confidence of user 1 and item 2 is "), kd::InvalidArgument);
      CHECK_THROWS_WITH_AS((void)by_item.assemble(2, transposed.row(2), {}, 1.0),
                           doctest::Contains("the confidence of user 1 and item 2 is "), kd::InvalidArgument);
    }
  }
}
