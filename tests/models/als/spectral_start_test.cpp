// SPDX-License-Identifier: MIT
#include <kindred/models/als/spectral_start.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/models/als/start.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"
#include "../../support/same.hpp"

namespace kd = kindred;
namespace detail = kindred::detail;

namespace {

kd::AlsOptions spectral_options(std::size_t factors = 6) {
  kd::AlsOptions options = kindred_test::small_als();
  options.factors = factors;
  options.start.kind = kd::Start::spectral;
  return options;
}

const kd::CsrMatrix& listened_to() {
  static const kd::CsrMatrix matrix = kd::synthetic_listening({.users = 400, .items = 250, .items_per_user = 20}).matrix;
  return matrix;
}

kd::CsrMatrix with_all_values(const kd::CsrMatrix& matrix, float times, float plus) {
  std::vector<kd::Interaction> entries;
  for (kd::Index u = 0; u < matrix.rows(); ++u)
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n)
      entries.push_back({u, matrix.row(u).columns[n], times * matrix.row(u).values[n] + plus});
  return kd::CsrMatrix::from_triplets(matrix.shape(), entries);
}

template <typename T>
kd::FactorMatrix<T> first_items(const kd::CsrMatrix& train, const kd::AlsOptions& options) {
  const kd::CsrMatrix by_items = kd::transpose(train);
  return detail::spectral_items<T>(
      detail::svd_of_likes<T>(detail::RowsRef(train), detail::RowsRef(by_items),
                              {.count = *options.factors, .power_steps = options.start.power_steps.value_or(2), .seed = options.seed}),
      detail::settings_of(options), {.threads = 1});
}

template <typename T>
kd::ImplicitALS<T> fitted_on(const kd::CsrMatrix& train, const kd::AlsOptions& options) {
  kd::ImplicitALS<T> model(options);
  model.fit(train);
  return model;
}

}  // namespace

TEST_SUITE("models/als/spectral_start") {
  TEST_CASE("two communities by hand") {
    // Users 0 and 1 like items 0 and 1, user 2 likes item 2. Scaled, the first block is all 1/2: value 1, vector (1,
    // 1)/sqrt(2), sqrt(2) from D_i. So Y Y' has a block of ones and a one, whatever basis the two values of 1 come in.
    const kd::CsrMatrix train =
        kd::CsrMatrix::from_triplets({3, 3}, std::vector<kd::Interaction>{{0, 0, 5}, {0, 1, 1}, {1, 0, 2}, {1, 1, 90}, {2, 2, 3}});
    const auto items = first_items<double>(train, spectral_options(2));
    const double wanted[3][3] = {{1, 1, 0}, {1, 1, 0}, {0, 0, 1}};
    for (kd::Index i = 0; i < 3; ++i)
      for (kd::Index j = 0; j < 3; ++j) {
        const double product = items.row(i)[0] * items.row(j)[0] + items.row(i)[1] * items.row(j)[1];
        CHECK(product == doctest::Approx(wanted[i][j]).epsilon(1e-12));
      }
  }

  TEST_CASE("a popular item is longer: V S^(1/2) is scaled by the root of its likes") {
    // One user likes both items, two more like item 0: D_u = 2, 1, 1, D_i = 3, 1.
    const kd::CsrMatrix train =
        kd::CsrMatrix::from_triplets({3, 2}, std::vector<kd::Interaction>{{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {2, 0, 1}});
    const auto items = first_items<double>(train, spectral_options(2));
    // A'A = (1/3)(1/2 + 1 + 1), 1/(2 sqrt 3), 1/2; its root times D_i^(1/2) on both sides is Y Y'.
    const double a = 2.5 / 3.0, b = 0.5 / std::sqrt(3.0), d = 0.5;
    const double root = std::sqrt(a * d - b * b), trace = std::sqrt(a + d + 2.0 * root);
    const auto dot = [&](kd::Index i, kd::Index j) { return items.row(i)[0] * items.row(j)[0] + items.row(i)[1] * items.row(j)[1]; };
    CHECK(dot(0, 0) == doctest::Approx(3.0 * (a + root) / trace).epsilon(1e-9));
    CHECK(dot(0, 1) == doctest::Approx(std::sqrt(3.0) * b / trace).epsilon(1e-9));
    CHECK(dot(1, 1) == doctest::Approx((d + root) / trace).epsilon(1e-9));
  }

  TEST_CASE("values do not count, dislikes are no likes") {
    const kd::AlsOptions options = spectral_options();
    const auto items = first_items<float>(listened_to(), options);
    CHECK(items.same_bytes(first_items<float>(with_all_values(listened_to(), 3.0F, 0.25F), options)));
    // The same likes with dislikes beside them, in cells that were empty.
    std::vector<kd::Interaction> entries;
    for (kd::Index u = 0; u < listened_to().rows(); ++u)
      for (kd::Index i = 0; i < listened_to().cols(); ++i) {
        const auto columns = listened_to().row(u).columns;
        const bool likes = std::binary_search(columns.begin(), columns.end(), i);
        if (likes || (u + i) % 11 == 0) entries.push_back({u, i, likes ? 1.0F : -2.0F});
      }
    const auto beside = first_items<double>(kd::CsrMatrix::from_triplets(listened_to().shape(), entries), options);
    const auto wanted = first_items<double>(listened_to(), options);
    for (kd::Index i = 0; i < listened_to().cols(); ++i)
      for (std::size_t f = 0; f < 6; ++f) CHECK(beside.row(i)[f] == doctest::Approx(wanted.row(i)[f]));
  }

  TEST_CASE("columns beyond the rank are those of the normal start") {
    const kd::CsrMatrix train =
        kd::CsrMatrix::from_triplets({3, 4}, std::vector<kd::Interaction>{{0, 0, 5}, {0, 1, 1}, {1, 0, 2}, {1, 1, 90}, {2, 3, 3}});
    const kd::AlsOptions options = spectral_options(7);
    const auto items = first_items<float>(train, options);
    const auto random = detail::random_factors<float>(detail::settings_of(options), 4, kd::detail::RandomStream::item_factors);
    for (kd::Index i = 0; i < 4; ++i) {
      for (std::size_t f = 2; f < 7; ++f) CHECK(items.row(i)[f] == random.row(i)[f]);
      CHECK((items.row(i)[0] != 0.0F || items.row(i)[1] != 0.0F) == (i != 2));  // nobody likes item 2
    }
  }

  TEST_CASE("without a like, the normal start") {
    const kd::CsrMatrix disliked = with_all_values(listened_to(), -1.0F, 0.0F);
    kd::AlsOptions normal = spectral_options();
    normal.start.kind = kd::Start::normal;
    CHECK(kindred_test::same_model(fitted_on<float>(disliked, spectral_options()), fitted_on<float>(disliked, normal)));
  }

  TEST_CASE_TEMPLATE("fit starts from these items: users are solved from them once", T, float, double) {
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options = spectral_options();
      options.solver.kind = solver;
      const kd::ImplicitALS<T> wanted = fitted_on<T>(listened_to(), options);
      kd::AlsOptions given = options;
      given.start.kind = kd::Start::normal;
      kd::ImplicitALS<T> model(given);
      const kd::FitReport report = model.fit(listened_to(), {.initial_items = first_items<T>(listened_to(), options)});
      CHECK(kindred_test::same_model(model, wanted));
      CHECK(report.start_seconds == 0.0);
    }
  }

  TEST_CASE_TEMPLATE("the same bytes for any number of threads", T, float, double) {
    kd::AlsOptions options = spectral_options(20);
    const kd::ImplicitALS<T> one = fitted_on<T>(listened_to(), options);
    for (const std::size_t threads : {2u, 3u, 5u}) {
      kd::ImplicitALS<T> several(options);
      several.fit(listened_to(), {.execution = {.threads = threads}});
      CHECK(kindred_test::same_model(several, one));
    }
  }

  TEST_CASE_TEMPLATE("odd shapes", T, float, double) {
    std::vector<kd::Interaction> full;
    for (kd::Index u = 0; u < 9; ++u)
      for (kd::Index i = 0; i < 5; ++i) full.push_back({u, i, 2.0F});
    const std::vector<kd::CsrMatrix> odd{
        kd::CsrMatrix::from_triplets({1, 6}, std::vector<kd::Interaction>{{0, 1, 1}, {0, 4, 2}}),
        kd::CsrMatrix::from_triplets({6, 1}, std::vector<kd::Interaction>{{1, 0, 1}, {4, 0, 2}}),
        kd::CsrMatrix::from_triplets({1, 1}, std::vector<kd::Interaction>{{0, 0, 1}}),
        kd::CsrMatrix::from_triplets({7, 8}, std::vector<kd::Interaction>{{2, 2, 1}, {2, 5, 1}, {5, 5, 1}}),
        kd::CsrMatrix::from_triplets({9, 5}, full)};
    for (const kd::CsrMatrix& train : odd)
      for (const std::size_t factors : {1u, 3u, 40u}) {
        const kd::ImplicitALS<T> model = fitted_on<T>(train, spectral_options(factors));
        for (kd::Index u = 0; u < train.rows(); ++u)
          for (const kd::Index item : train.row(u).columns) {
            double score = 0.0;
            for (std::size_t f = 0; f < factors; ++f)
              score += static_cast<double>(model.user_factors().row(u)[f]) * static_cast<double>(model.item_factors().row(item)[f]);
            CHECK(score > 0.3);  // likes have the target 1, and these matrices are of low rank
            CHECK(score < 1.5);
          }
      }
  }

  TEST_CASE("one iteration from it has a lower loss than from the normal start") {
    kd::AlsOptions options = spectral_options(20);
    options.iterations = 1;
    kd::ImplicitALS<float> spectral(options);
    const double after = spectral.fit(listened_to(), {.record_loss = true}).iterations.front().loss->total;
    options.start.kind = kd::Start::normal;
    kd::ImplicitALS<float> normal(options);
    CHECK(after < normal.fit(listened_to(), {.record_loss = true}).iterations.front().loss->total);
  }

  TEST_CASE("progress after every product, then after every iteration; start_seconds in the report") {
    kd::AlsOptions options = spectral_options();
    options.start.power_steps = 1;
    kd::ImplicitALS<float> model(options);
    std::string seen;
    const kd::FitReport report =
        model.fit(listened_to(), {.progress = [&](const kd::Progress& progress) {
                    seen += std::string(progress.what) + ' ' + std::to_string(progress.done) + '/' + std::to_string(progress.total) + ", ";
                    return kd::ProgressAnswer::keep_going;
                  }});
    CHECK(seen == "spectral start 1/4, spectral start 2/4, spectral start 3/4, spectral start 4/4, fit 1/3, fit 2/3, fit 3/3, ");
    CHECK(report.start_seconds > 0.0);
    CHECK(report.start_seconds + report.prepare_seconds <= report.seconds);
  }

  TEST_CASE("cancelled within the SVD, the model is as it was; stop_and_keep there ends fit after one iteration") {
    const kd::ImplicitALS<float> before = fitted_on<float>(listened_to(), spectral_options());
    kd::ImplicitALS<float> model = before;
    std::size_t calls = 0;
    CHECK_THROWS_AS(
        model.fit(
            with_all_values(listened_to(), -1.0F, 0.0F),
            {.progress = [&](const kd::Progress&) { return ++calls == 3 ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going; }}),
        kd::Cancelled);
    CHECK(calls == 3);
    CHECK(kindred_test::same_model(model, before));

    const kd::FitReport report = model.fit(listened_to(), {.progress = [&](const kd::Progress& progress) {
                                             return progress.what == "spectral start" && progress.done == 2
                                                        ? kd::ProgressAnswer::stop_and_keep
                                                        : kd::ProgressAnswer::keep_going;
                                           }});
    CHECK(report.stop == kd::FitReport::Stop::callback);
    CHECK(report.iterations.size() == 1);
    kd::AlsOptions single = spectral_options();
    single.iterations = 1;
    CHECK(kindred_test::same_model(model, fitted_on<float>(listened_to(), single)));
  }

  TEST_CASE("factors that are given or resumed make it unnecessary") {
    const kd::ImplicitALS<float> before = fitted_on<float>(listened_to(), spectral_options());
    const auto starts = [&](kd::ImplicitALS<float>::FitOptions options) {
      bool started = false;
      options.progress = [&](const kd::Progress& progress) {
        started = started || progress.what == "spectral start";
        return kd::ProgressAnswer::keep_going;
      };
      kd::ImplicitALS<float> model(spectral_options());
      model.fit(listened_to(), options);
      return started;
    };
    CHECK(starts({}));
    CHECK(!starts({.initial_users = before.user_factors()}));
    CHECK(!starts({.initial_items = before.item_factors()}));
    const kd::FitSnapshot<float> snapshot{1, std::nullopt, before.user_factors(), before.item_factors()};
    CHECK(!starts({.resume_from = &snapshot}));
  }

  TEST_CASE("power steps bring the values nearer to those of more") {
    const kd::CsrMatrix by_items = kd::transpose(listened_to());
    const auto sum_of = [&](std::size_t power_steps) {
      const auto likes = detail::svd_of_likes<double>(detail::RowsRef(listened_to()), detail::RowsRef(by_items),
                                                      {.count = 32, .power_steps = power_steps, .vectors = detail::SvdVectors::none});
      double sum = 0.0;
      for (std::size_t f = 1; f < 32; ++f) sum += likes.svd.values[f] * likes.svd.values[f];
      return sum;
    };
    const double none = sum_of(0), two = sum_of(2), many = sum_of(10);
    CHECK(none < two);
    CHECK(two < many);
    CHECK(two > 0.97 * many);
  }
}
