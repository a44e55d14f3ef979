// SPDX-License-Identifier: MIT
#include <kindred/linalg/row_solver.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>

#include "../support/same.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;
using kindred_test::distance;
using kindred_test::Rows;

namespace {

constexpr kd::Index n_fixed = 640;  // more than two blocks of 256 rows

// What a row's confidences are like, seen from the background weight of their pair.
enum class Kind {
  above,       // every c above it: d > 0
  equal,       // every c equal to it: d = 0
  just_above,  // d a thousandth of c, or so small that the target divided by its square root overflows a float
  mixed,       // above, equal and just above, some disliked
  below,       // some c below it, down to 0: d < 0
  disliked,    // all disliked: the solution is the prior's alone
  huge,        // c up to a million
};

struct Case {
  std::size_t n = 0;
  Kind kind = Kind::above;
  bool all_pairs = false;  // the background counts observed pairs too, so d = c
  double background = 1.0;
  double penalty = 0.1;
  bool prior = false;
};

// One side of factors, the basis that the solver works in, and the same numbers for the textbook.
template <typename Scalar>
struct Side {
  Side(kd::Index factors, bool weighted, std::uint64_t seed)
      : original(kindred_test::random_factors<Scalar>(n_fixed, factors, 0.4, seed)),
        rotated(original),
        exact(original),
        weights(static_cast<std::size_t>(n_fixed), 1.0) {
    kd::detail::Random random(seed, kd::detail::RandomStream::sample, 1u << 20);
    if (weighted)
      for (double& weight : weights) weight = 0.05 + 2.0 * random.uniform();
    basis = kd::detail::eigenbasis(kd::detail::gram(original, std::span<const double>(weights)), static_cast<std::size_t>(factors));
    kd::detail::rotate(rotated, basis);
  }

  // Out of the eigenbasis: Q z.
  template <typename T>
  [[nodiscard]] std::vector<long double> back(std::span<const T> z) const {
    std::vector<long double> x(z.size(), 0.0L);
    for (std::size_t f = 0; f < z.size(); ++f)
      for (std::size_t row = 0; row < z.size(); ++row)
        x[row] += static_cast<long double>(basis.vectors[f * z.size() + row]) * static_cast<long double>(z[f]);
    return x;
  }

  kd::FactorMatrix<Scalar> original;
  kd::FactorMatrix<Scalar> rotated;
  Rows<long double> exact;
  std::vector<double> weights;
  kd::detail::Eigenbasis basis;
};

// A row's system for the solver and the dense weights of the same row for the textbook.
template <typename Scalar>
struct Row {
  Row(const Side<Scalar>& side, const Case& c, std::uint64_t seed) : system_background(c.background), penalty(c.penalty) {
    const std::size_t k = side.exact.factors;
    kd::detail::Random random(seed, kd::detail::RandomStream::sample, 7);
    std::vector<kd::Index> all(static_cast<std::size_t>(n_fixed));
    std::iota(all.begin(), all.end(), 0);
    kd::detail::shuffle_front(std::span<kd::Index>(all), c.n, random);
    columns.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(c.n));
    std::sort(columns.begin(), columns.end());

    confidence.assign(side.weights.size(), 0.0L);
    preference.assign(side.weights.size(), 0.0L);
    for (const double weight : side.weights) background.push_back(static_cast<long double>(c.background * weight));
    for (std::size_t n = 0; n < c.n; ++n) {
      const auto column = static_cast<std::size_t>(columns[n]);
      const double covered = c.all_pairs ? 0.0 : c.background * side.weights[column];
      double d = 0.5 + 5.0 * random.uniform();
      bool liked = true;
      const std::uint32_t dice = random.below(5);
      switch (c.kind) {
        case Kind::above: break;
        case Kind::equal: d = 0.0; break;
        case Kind::just_above: d = dice < 2 && covered > 0.0 ? 1e-80 : 0.001 * covered; break;
        case Kind::mixed:
          if (dice == 0) d = 0.0;
          if (dice == 1) d = 0.001 * covered;
          liked = dice != 2;
          break;
        case Kind::below:
          if (dice < 2) d = -covered * random.uniform();
          if (dice == 2) d = -covered;
          liked = random.below(4) != 0;
          break;
        case Kind::disliked: liked = false; break;
        case Kind::huge: d = 1e6 * random.uniform(); break;
      }
      excess.push_back(d);
      target.push_back(liked ? covered + d : 0.0);
      confidence[column] = static_cast<long double>(covered + d);
      preference[column] = liked ? 1.0L : 0.0L;
      if (!c.all_pairs) background[column] = 0.0L;
    }
    if (c.prior) {  // given in the original basis to the textbook, in the eigenbasis to the solver
      for (std::size_t f = 0; f < k; ++f) prior_rotated.push_back(static_cast<Scalar>(random.normal()));
      prior = side.back(std::span<const Scalar>(prior_rotated));
    }
  }

  [[nodiscard]] kd::detail::RowSystem<Scalar> system() const {
    return {.columns = columns,
            .excess = excess,
            .target = target,
            .background = system_background,
            .penalty = penalty,
            .prior_mean = prior_rotated};
  }

  template <typename T>
  [[nodiscard]] std::vector<T> textbook(const Side<Scalar>& side) const {
    const auto as = [](const std::vector<long double>& values) {
      std::vector<T> converted;
      for (const long double value : values) converted.push_back(static_cast<T>(value));
      return converted;
    };
    return kindred_test::textbook_row<T>(Rows<T>(side.original), as(confidence), as(preference), as(background), static_cast<T>(penalty),
                                         as(prior));
  }

  double system_background;
  double penalty;
  std::vector<kd::Index> columns;
  std::vector<double> excess, target;
  std::vector<long double> confidence, preference, background, prior;
  std::vector<Scalar> prior_rotated;
};

// Short, long, empty; around n = k, where the solver changes its form; over one and two blocks of rows.
std::vector<std::size_t> lengths(std::size_t k) {
  std::vector<std::size_t> n = {0, 1, 2, k / 2, k - 1, k, k + 1, 2 * k + 3, 300, 600};
  std::sort(n.begin(), n.end());
  n.erase(std::unique(n.begin(), n.end()), n.end());
  return n;
}

std::vector<Case> cases(std::size_t k) {
  std::vector<Case> list;
  for (const std::size_t n : lengths(k)) {
    for (const Kind kind : {Kind::above, Kind::equal, Kind::just_above, Kind::mixed, Kind::below, Kind::disliked}) {
      if (k == 100 && n > 201 && kind != Kind::above && kind != Kind::below) continue;  // the textbook's time
      const bool prior = (n + static_cast<std::size_t>(kind)) % 2 == 1 || kind == Kind::disliked;
      // The penalty changes from row to row while the background stays: what is kept between rows must notice.
      list.push_back(
          {.n = n, .kind = kind, .all_pairs = false, .background = 1.0, .penalty = list.size() % 4 == 0 ? 0.1 : 0.9, .prior = prior});
      if (k == 100 && n != 50 && n != 100) continue;
      list.push_back({.n = n, .kind = kind, .all_pairs = true, .background = 0.07, .penalty = 3.0, .prior = !prior});
    }
  }
  return list;
}

// One solver a level, each for all rows of a test, as in a fit.
template <typename Scalar>
std::vector<kd::detail::RowSolver<Scalar>> solvers_of(const Side<Scalar>& side) {
  std::vector<kd::detail::RowSolver<Scalar>> solvers;
  for (const kd::SimdLevel level : kindred_test::simd_levels()) solvers.emplace_back(side.rotated, side.basis.values, level);
  return solvers;
}

template <typename Scalar>
std::vector<long double> solve(kd::detail::RowSolver<Scalar>& solver, const Side<Scalar>& side, const Row<Scalar>& row) {
  std::vector<Scalar> x(side.exact.factors, Scalar(9));
  REQUIRE(solver.determined(row.system_background, row.penalty));
  REQUIRE(solver.solve(row.system(), x) == kd::detail::RowOutcome::solved);
  return side.back(std::span<const Scalar>(x));
}

// The largest distance from `truth` of the solutions at all levels.
template <typename Scalar>
long double farthest(std::vector<kd::detail::RowSolver<Scalar>>& solvers, const Side<Scalar>& side, const Row<Scalar>& row,
                     const std::vector<long double>& truth) {
  long double worst = 0.0L;
  for (kd::detail::RowSolver<Scalar>& solver : solvers) {
    const long double off = distance(solve(solver, side, row), truth);
    if (!(off <= worst)) worst = off;  // a NaN too
  }
  return worst;
}

}  // namespace

TEST_SUITE("linalg/row_solver") {
  // By hand, one factor: two fixed rows 1 and 2, so E = 5. Observed: the second, c = 4 over a background of 1, so d = 3:
  // (5 + 3 * 4 + 0.5) x = 4 * 2 + 0.5 * 6.
  TEST_CASE("one factor, by hand") {
    const kd::FactorMatrix<double> fixed(2, 1, std::vector<double>{1.0, 2.0});
    const std::vector<double> eigenvalues{5.0}, excess{3.0}, target{4.0}, prior{6.0};
    const std::vector<kd::Index> columns{1};
    kd::detail::RowSolver<double> solver(fixed, eigenvalues);
    std::vector<double> x(1);
    REQUIRE(solver.solve({.columns = columns, .excess = excess, .target = target, .background = 1.0, .penalty = 0.5, .prior_mean = prior},
                         x) == kd::detail::RowOutcome::solved);
    CHECK(x[0] == doctest::Approx(11.0 / 17.5).epsilon(1e-15));
    REQUIRE(solver.solve({.columns = columns, .excess = excess, .target = target, .background = 1.0, .penalty = 0.5, .prior_mean = {}},
                         x) == kd::detail::RowOutcome::solved);
    CHECK(x[0] == doctest::Approx(8.0 / 17.5).epsilon(1e-15));
  }

  TEST_CASE("double agrees with a long double textbook solve") {
    for (const kd::Index k : {1, 3, 16, 17, 100}) {
      for (const bool weighted : {false, true}) {
        if (k == 100 && !weighted) continue;
        const Side<double> side(k, weighted, static_cast<std::uint64_t>(k));
        std::vector<kd::detail::RowSolver<double>> solvers = solvers_of(side);  // one for all rows, as in a fit
        std::uint64_t seed = 0;
        for (const Case& c : cases(static_cast<std::size_t>(k))) {
          CAPTURE(k);
          CAPTURE(weighted);
          CAPTURE(c.n);
          CAPTURE(static_cast<int>(c.kind));
          CAPTURE(c.all_pairs);
          const Row<double> row(side, c, ++seed);
          // Asked for: 1e-10. The systems' condition numbers are below 1e3 and the rows' rounding below 1e3 * eps = 2e-13 times that.
          CHECK(farthest(solvers, side, row, row.textbook<long double>(side)) < 1e-10L);
        }
      }
    }
  }

  TEST_CASE("double with confidences up to a million") {
    for (const kd::Index k : {3, 16}) {
      const Side<double> side(k, true, 5);
      std::vector<kd::detail::RowSolver<double>> solvers = solvers_of(side);
      for (const std::size_t n : lengths(static_cast<std::size_t>(k))) {
        CAPTURE(n);
        const Row<double> row(side, {.n = n, .kind = Kind::huge, .prior = true}, n);
        CHECK(farthest(solvers, side, row, row.textbook<long double>(side)) <
              1e-9L);  // the condition number is up to 1e6: 1e6 * eps * sqrt(n)
      }
    }
  }

  TEST_CASE("without a background the penalty alone holds the row") {
    const Side<double> side(17, false, 6);
    std::vector<kd::detail::RowSolver<double>> solvers = solvers_of(side);
    for (const std::size_t n : lengths(17)) {
      CAPTURE(n);
      const Row<double> row(side, {.n = n, .kind = Kind::above, .all_pairs = true, .background = 0.0, .penalty = 0.3, .prior = true}, n);
      CHECK(farthest(solvers, side, row, row.textbook<long double>(side)) < 1e-10L);
    }
  }

  // A float system can only be solved to its condition number times eps, by anybody: hence the textbook in float beside it.
  TEST_CASE("float is within 1e-4 for short rows and no worse than a textbook float solve for long ones") {
    for (const kd::Index k : {1, 3, 16, 17, 100}) {
      const Side<float> side(k, true, static_cast<std::uint64_t>(k) + 50);
      std::vector<kd::detail::RowSolver<float>> solvers = solvers_of(side);
      const std::vector<kd::SimdLevel> levels = kindred_test::simd_levels();
      std::vector<long double> squares(solvers.size(), 0.0L), worst(solvers.size(), 0.0L);
      long double textbook_squares = 0.0L, textbook_worst = 0.0L, long_rows = 0.0L;
      std::uint64_t seed = 0;
      for (const Case& c : cases(static_cast<std::size_t>(k))) {
        CAPTURE(k);
        CAPTURE(c.n);
        CAPTURE(static_cast<int>(c.kind));
        CAPTURE(c.all_pairs);
        const Row<float> row(side, c, ++seed);
        const std::vector<long double> truth = row.textbook<long double>(side);
        const bool is_long = c.n >= static_cast<std::size_t>(k);
        for (std::size_t l = 0; l < solvers.size(); ++l) {
          const long double error = distance(solve(solvers[l], side, row), truth);
          CHECK(error < 1e-4L);
          if (!is_long) continue;
          squares[l] += error * error;
          worst[l] = (std::max)(worst[l], error);
        }
        if (!is_long) continue;
        const long double error = distance(row.textbook<float>(side), truth);
        textbook_squares += error * error;
        textbook_worst = (std::max)(textbook_worst, error);
        long_rows += 1.0L;
      }
      // The root mean square over the rows; of the worst row alone, chance decides a factor of two.
      for (std::size_t l = 0; l < solvers.size(); ++l) {
        CAPTURE(kd::name_of(levels[l]));
        CHECK(std::sqrt(squares[l] / long_rows) <= std::sqrt(textbook_squares / long_rows));
        CHECK(worst[l] <= 2.0L * textbook_worst);
      }
    }
  }

  TEST_CASE_TEMPLATE("a row's bytes do not depend on the rows before it", T, float, double) {
    const Side<T> side(17, true, 3);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      kd::detail::RowSolver<T> used(side.rotated, side.basis.values, level);
      std::uint64_t seed = 0;
      for (const Case& c : cases(17)) {
        const Row<T> row(side, c, ++seed);
        kd::detail::RowSolver<T> fresh(side.rotated, side.basis.values, level);
        std::vector<T> a(17, T(1)), b(17, T(2));
        REQUIRE(used.solve(row.system(), a) == kd::detail::RowOutcome::solved);
        REQUIRE(fresh.solve(row.system(), b) == kd::detail::RowOutcome::solved);
        CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
        std::fill(a.begin(), a.end(), T(0.1));
        std::fill(b.begin(), b.end(), T(0.1));
        REQUIRE(used.improve(row.system(), 3, 0.0, a) == kd::detail::RowOutcome::solved);
        REQUIRE(fresh.improve(row.system(), 3, 0.0, b) == kd::detail::RowOutcome::solved);
        CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
      }
    }
  }

  TEST_CASE_TEMPLATE("rows that wait to be solved together get the bytes of rows solved alone", T, float, double) {
    for (const kd::Index k : {3, 17, 64, 113, 130}) {  // systems small enough to wait, and larger ones
      const Side<T> side(k, true, 5);
      const auto length = static_cast<std::size_t>(k);
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        CAPTURE(k);
        CAPTURE(kd::name_of(level));
        kd::detail::RowSolver<T> solver(side.rotated, side.basis.values, level);
        std::vector<Row<T>> rows;
        std::uint64_t seed = 0;
        for (const Case& c : cases(17)) rows.emplace_back(side, c, ++seed);
        std::vector<std::vector<T>> together(rows.size(), std::vector<T>(length, T(1))), alone = together;
        std::size_t failed = 0;
        const auto fail = [&](std::span<T>) { ++failed; };
        for (std::size_t r = 0; r < rows.size(); ++r) {
          if (r + 1 < rows.size()) solver.expect(rows[r + 1].columns);
          solver.enqueue(rows[r].system(), together[r], fail);
          if (r % 50 == 49) solver.flush(fail);
        }
        solver.flush(fail);
        solver.flush(fail);  // nothing waits: nothing happens
        CHECK(failed == 0);
        kindred_test::Same same;
        for (std::size_t r = 0; r < rows.size(); ++r) {
          REQUIRE(solver.solve(rows[r].system(), alone[r]) == kd::detail::RowOutcome::solved);
          same = same + kindred_test::same_array(std::span(together[r]).first(length), std::span(alone[r]).first(length),
                                                 "row " + std::to_string(r) + ", factor ");
        }
        CHECK(same);
      }
    }
  }

  TEST_CASE("a row that fails while others wait with it is told of, and harms none of them") {
    const Side<float> side(8, false, 9);
    const std::vector<kd::Index> columns{1, 2};
    const std::vector<double> ordinary{1.0, 2.0}, target{2.0, 3.0}, negative{-1e6, 1.0};
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      kd::detail::RowSolver<float> solver(side.rotated, side.basis.values, level);
      std::vector<float> good(8), bad(8), alone(8);
      std::vector<const float*> failed;
      const auto fail = [&](std::span<float> x) { failed.push_back(x.data()); };
      const kd::detail::RowSystem<float> fine{.columns = columns, .excess = ordinary, .target = target, .penalty = 0.5, .prior_mean = {}};
      solver.enqueue(fine, good, fail);
      solver.enqueue({.columns = columns, .excess = negative, .target = target, .penalty = 0.5, .prior_mean = {}}, bad, fail);
      solver.flush(fail);
      CHECK(failed == std::vector<const float*>{bad.data()});
      const std::vector<float> solved = good;
      std::fill(good.begin(), good.end(), -1.0F);
      solver.flush(fail);  // what was solved waits no longer
      CHECK(failed.size() == 1);
      CHECK(good == std::vector<float>(8, -1.0F));
      good = solved;
      REQUIRE(solver.solve(fine, alone) == kd::detail::RowOutcome::solved);
      CHECK(std::memcmp(good.data(), alone.data(), 8 * sizeof(float)) == 0);
    }
  }

  TEST_CASE("conjugate gradients, run to convergence, agree") {
    for (const kd::Index k : {1, 3, 16, 17, 100}) {
      const Side<double> side(k, true, static_cast<std::uint64_t>(k) + 20);
      std::vector<kd::detail::RowSolver<double>> solvers = solvers_of(side);
      std::uint64_t seed = 0;
      for (const Case& c : cases(static_cast<std::size_t>(k))) {
        if (k == 100 && c.n > 201) continue;
        CAPTURE(k);
        CAPTURE(c.n);
        CAPTURE(static_cast<int>(c.kind));
        const Row<double> row(side, c, ++seed);
        const std::vector<long double> truth = row.textbook<long double>(side);
        for (kd::detail::RowSolver<double>& solver : solvers) {
          std::vector<double> x(static_cast<std::size_t>(k), seed % 2 == 0 ? 0.0 : 0.3);  // any start will do
          REQUIRE(solver.improve(row.system(), 500, 1e-14, x) == kd::detail::RowOutcome::solved);
          // A residual of 1e-14 times a condition number below 1e3; where the answer is 0, as far from it as the start times that.
          CHECK(distance(side.back(std::span<const double>(x)), truth) < 1e-10L);
        }
      }
    }
  }

  TEST_CASE("conjugate gradients in float agree to float's digits") {
    const Side<float> side(16, true, 8);
    std::vector<kd::detail::RowSolver<float>> solvers = solvers_of(side);
    for (const Kind kind : {Kind::above, Kind::mixed, Kind::below}) {
      for (const std::size_t n : {1u, 7u, 15u, 16u, 100u}) {
        const Row<float> row(side, {.n = n, .kind = kind, .prior = true}, n);
        for (kd::detail::RowSolver<float>& solver : solvers) {
          std::vector<float> x(16, 0.0F);
          REQUIRE(solver.improve(row.system(), 100, 1e-7, x) == kd::detail::RowOutcome::solved);
          CHECK(distance(side.back(std::span<const float>(x)), row.textbook<long double>(side)) < 1e-4L);
        }
      }
    }
  }

  // In exact arithmetic they end after as many steps as the system has different eigenvalues: n + 1 for a row of n. In double a few more.
  TEST_CASE("a short row is solved by hardly more steps than it has entries") {
    const Side<double> side(40, true, 14);
    std::vector<kd::detail::RowSolver<double>> solvers = solvers_of(side);
    for (const std::size_t n : {1u, 2u, 5u, 9u}) {
      const Row<double> row(side, {.n = n, .kind = Kind::above, .prior = true}, n);
      const std::vector<long double> truth = row.textbook<long double>(side);
      for (kd::detail::RowSolver<double>& solver : solvers) {
        std::vector<double> x(40, 0.2);
        REQUIRE(solver.improve(row.system(), n + 2, 0.0, x) == kd::detail::RowOutcome::solved);
        CHECK(distance(side.back(std::span<const double>(x)), truth) < 1e-10L);  // one step beyond the last that is needed
      }
    }
  }

  // What conjugate gradients promise: every step lowers the quadratic whose minimum is the solution.
  TEST_CASE("every step of conjugate gradients lowers the objective of the row") {
    const Side<double> side(16, true, 9);
    kd::detail::RowSolver<double> solver(side.rotated, side.basis.values);
    for (const Kind kind : {Kind::above, Kind::mixed, Kind::below}) {
      const Row<double> row(side, {.n = 40, .kind = kind, .prior = true}, 4);
      const auto objective = [&](const std::vector<long double>& x) {
        long double sum = 0.0L;
        for (std::size_t n = 0; n < side.exact.rows; ++n) {
          long double score = 0.0L;
          for (std::size_t f = 0; f < x.size(); ++f) score += side.exact.at(n, f) * x[f];
          sum += row.confidence[n] * (row.preference[n] - score) * (row.preference[n] - score) + row.background[n] * score * score;
        }
        for (std::size_t f = 0; f < x.size(); ++f)
          sum += static_cast<long double>(row.penalty) * (x[f] - row.prior[f]) * (x[f] - row.prior[f]);
        return sum;
      };
      const long double least = objective(row.textbook<long double>(side));
      std::vector<double> start(16, 0.2);
      long double last = objective(side.back(std::span<const double>(start)));
      for (std::size_t steps = 1; steps <= 6; ++steps) {
        std::vector<double> x = start;
        REQUIRE(solver.improve(row.system(), steps, 0.0, x) == kd::detail::RowOutcome::solved);
        const long double now = objective(side.back(std::span<const double>(x)));
        CHECK(now < last);
        CHECK(now >= least * (1.0L - 1e-12L));  // long double's rounding of 640 terms is far below
        last = now;
      }
      CHECK(last - least < 0.02L * least);
    }
  }

  TEST_CASE("a tolerance ends conjugate gradients early") {
    const Side<double> side(16, true, 10);
    kd::detail::RowSolver<double> solver(side.rotated, side.basis.values);
    const Row<double> row(side, {.n = 40, .kind = Kind::above}, 4);
    std::vector<double> loose(16, 0.0), one(16, 0.0), close(16, 0.0);
    REQUIRE(solver.improve(row.system(), 100, 0.5, loose) == kd::detail::RowOutcome::solved);
    REQUIRE(solver.improve(row.system(), 1, 0.0, one) == kd::detail::RowOutcome::solved);
    REQUIRE(solver.improve(row.system(), 100, 1e-6, close) == kd::detail::RowOutcome::solved);
    const std::vector<long double> truth = row.textbook<long double>(side);
    CHECK(distance(side.back(std::span<const double>(close)), truth) < 1e-4L);
    CHECK(distance(side.back(std::span<const double>(loose)), truth) > 1e-4L);
    // A solution stays where it is: the start is good enough already.
    std::vector<double> again = close;
    REQUIRE(solver.improve(row.system(), 100, 1e-3, again) == kd::detail::RowOutcome::solved);
    CHECK(distance(again, close) < 1e-15L);
  }

  TEST_CASE("a direction without data and without penalty is not determined") {
    const kd::FactorMatrix<double> fixed(2, 2, std::vector<double>{2.0, 0.0, 1.0, 0.0});
    const std::vector<double> eigenvalues{5.0, 0.0}, tiny{5.0, 1e-15};
    CHECK_FALSE(kd::detail::RowSolver<double>(fixed, eigenvalues).determined(1.0, 0.0));
    CHECK_FALSE(kd::detail::RowSolver<double>(fixed, tiny).determined(1.0, 0.0));
    CHECK_FALSE(kd::detail::RowSolver<double>(fixed, eigenvalues).determined(1.0, 1e-16));
    CHECK_FALSE(kd::detail::RowSolver<double>(fixed, eigenvalues).determined(0.0, 0.0));
    CHECK(kd::detail::RowSolver<double>(fixed, eigenvalues).determined(0.0, 1e-300));
    CHECK(kd::detail::RowSolver<double>(fixed, eigenvalues).determined(1.0, 0.1));
    const std::vector<double> full{5.0, 1.0};
    CHECK(kd::detail::RowSolver<double>(fixed, full).determined(1.0, 0.0));
  }

  // The square roots fit a float, the squares of the factors they scale do not. The solution hardly moves beyond a confidence of 1e12 (by 1e-8 of
  // itself or so), so the textbook takes that, which long double can bear.
  TEST_CASE("a row that overflows in float is solved in double") {
    const Side<float> side(5, false, 12);
    std::vector<kd::detail::RowSolver<float>> solvers = solvers_of(side);
    for (const std::size_t n : {1u, 4u, 5u, 9u}) {
      CAPTURE(n);
      Row<float> row(side, {.n = n, .kind = Kind::above}, n);
      for (std::size_t at = 0; at < n; ++at) {
        row.excess[at] = row.target[at] = 1e41;
        row.confidence[static_cast<std::size_t>(row.columns[at])] = 1e12L;
      }
      CHECK(farthest(solvers, side, row, row.textbook<long double>(side)) < 1e-6L);  // solved in double, rounded to float
    }
  }

  // One confidence of 1e9 among ordinary ones: float's pivots lose the others, which the solver notices.
  TEST_CASE("a row that float cannot resolve is solved in double") {
    const Side<float> side(5, false, 12);
    std::vector<kd::detail::RowSolver<float>> solvers = solvers_of(side);
    for (const std::size_t n : {2u, 4u, 5u, 9u}) {
      CAPTURE(n);
      Row<float> row(side, {.n = n, .kind = Kind::above}, n);
      row.excess[0] = row.target[0] = 1e9;
      row.confidence[static_cast<std::size_t>(row.columns[0])] = 1e9L;
      CHECK(farthest(solvers, side, row, row.textbook<long double>(side)) < 1e-5L);
    }
  }

  TEST_CASE_TEMPLATE("outcomes that are no solution", T, float, double) {
    const Side<T> side(4, false, 13);
    kd::detail::RowSolver<T> solver(side.rotated, side.basis.values);
    std::vector<T> x(4);
    const std::vector<kd::Index> columns{3};
    const std::vector<double> negative{-1e6}, zero{0.0}, one{1.0};
    CHECK(solver.solve({.columns = columns, .excess = negative, .target = one, .background = 1.0, .penalty = 0.1, .prior_mean = {}}, x) ==
          kd::detail::RowOutcome::singular);
    const std::vector<double> endless{1e305};
    CHECK(solver.solve({.columns = columns, .excess = zero, .target = endless, .background = 0.0, .penalty = 1e-5, .prior_mean = {}}, x) ==
          kd::detail::RowOutcome::not_finite);
    const std::vector<double> infinite{std::numeric_limits<double>::infinity()};
    CHECK(solver.solve({.columns = columns, .excess = infinite, .target = one, .background = 1.0, .penalty = 0.1, .prior_mean = {}}, x) !=
          kd::detail::RowOutcome::solved);
    // And the solver is none the worse for it.
    const Row<T> row(side, {.n = 3, .kind = Kind::above}, 1);
    CHECK(distance(solve(solver, side, row), row.template textbook<long double>(side)) < 1e-4L);
  }

  TEST_CASE_TEMPLATE("very long rows are right, with parts of several threads or without, to the same bytes", Scalar, float, double) {
    const Side<Scalar> side(12, false, 5);
    kd::detail::Random random(6, kd::detail::RandomStream::sample, 7);
    for (const std::size_t n : {32'767u, 32'768u, 35'001u, 49'153u}) {
      for (const bool regular : {true, false}) {  // where some excess is negative a row has no parts
        std::vector<kd::Index> columns;           // a row may not have a column twice, but a solver does not mind
        std::vector<double> excess, target;
        std::vector<long double> confidence(side.weights.size(), 0.0L), likes(side.weights.size(), 0.0L),
            background(side.weights.size(), 1.0L);
        for (std::size_t at = 0; at < n; ++at) {
          columns.push_back(static_cast<kd::Index>((at * 37) % static_cast<std::size_t>(n_fixed)));
          excess.push_back(regular || at % 1000 != 0 ? 0.001 + 0.01 * random.uniform() : -0.0001);
          target.push_back(excess.back() + 0.01);
          confidence[static_cast<std::size_t>(columns.back())] += static_cast<long double>(excess.back());
          likes[static_cast<std::size_t>(columns.back())] += static_cast<long double>(target.back());
        }
        // (E + sum d y y' + penalty) x = sum target y: confidences with preferences target / confidence.
        for (std::size_t r = 0; r < likes.size(); ++r) likes[r] /= confidence[r];
        const std::vector<long double> truth =
            kindred_test::textbook_row<long double>(Rows<long double>(side.original), confidence, likes, background, 0.7L);
        const kd::detail::RowSystem<Scalar> system{
            .columns = columns, .excess = excess, .target = target, .background = 1.0, .penalty = 0.7, .prior_mean = {}};
        for (const kd::SimdLevel level : kindred_test::simd_levels()) {
          kd::detail::RowSolver<Scalar> solver(side.rotated, side.basis.values, level), other(side.rotated, side.basis.values, level);
          std::vector<Scalar> x(12), y(12);
          REQUIRE(solver.solve(system, x) == kd::detail::RowOutcome::solved);
          CHECK(distance(side.back(std::span<const Scalar>(x)), truth) < (std::is_same_v<Scalar, float> ? 1e-4L : 1e-11L));
          std::vector<kd::detail::RowPart<Scalar>> parts(kd::detail::row_parts(n));
          CHECK(parts.size() == (n < 32'768 ? 1 : n < 49'152 ? 2 : 3));
          if (parts.size() == 1) continue;
          for (std::size_t part = parts.size(); part-- > 0;) other.sum_part(system, part, parts[part]);
          REQUIRE(other.solve(system, y, parts) == kd::detail::RowOutcome::solved);
          CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(Scalar)) == 0);
        }
      }
    }
  }
}
