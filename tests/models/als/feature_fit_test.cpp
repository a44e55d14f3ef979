// SPDX-License-Identifier: MIT
#include <kindred/models/als/feature_fit.hpp>
#include <kindred/models/als/feature_system.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/joint_map.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/core/team.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/als/half_step.hpp>
#include <kindred/models/als/loss.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/start.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"
#include "../../support/random_matrix.hpp"
#include "../../support/textbook_als.hpp"
#include "../../support/textbook_features.hpp"

namespace kd = kindred;
using kd::detail::AlsSide;
using kd::detail::MapKind;
using kindred_test::Rows;

namespace {

/// Features of `rows` rows, some without any, with values of either sign.
kd::FeatureTable random_features(kd::Index rows, kd::Index columns, std::uint64_t seed) {
  std::vector<kd::Interaction> entries;
  for (kd::Index r = 0; r < rows; ++r) {
    kd::detail::Random random(seed, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
    if (r % 7 == 3) continue;
    for (kd::Index c = 0; c < columns; ++c)
      if (random.uniform() < 0.35) entries.push_back({r, c, static_cast<float>(random.uniform() * 2.0 - 0.7)});
  }
  return kd::FeatureTable(kd::CsrMatrix::from_triplets({rows, columns}, entries));
}

/// One fit, block by block, with everything that it refers to.
template <typename Scalar>
struct Blocks {
  Blocks(const kd::AlsOptions& asked, const kd::CsrMatrix& data, const kd::FeatureTable& of_users, const kd::FeatureTable& of_items,
         kd::FeatureSchedule schedule, std::size_t threads = 1)
      : options(asked),
        train(data),
        by_items(transpose(train)),
        execution{.threads = threads},
        problem(kindred_test::textbook_problem(asked, train)),
        user_features(kindred_test::textbook_features(of_users.matrix(), problem.user_penalty, 3.0L, 5.0L)),
        item_features(kindred_test::textbook_features(of_items.matrix(), problem.item_penalty, 3.0L, 5.0L)) {
    const kd::detail::AlsSettings settings = kd::detail::settings_of(options);
    state.options = options;
    state.weights = kd::detail::AlsWeights(settings, kd::detail::RowsRef(train), kd::detail::RowsRef(by_items));
    state.users = kd::detail::random_factors<Scalar>(settings, train.rows(), kd::detail::RandomStream::user_factors);
    state.items = kd::detail::random_factors<Scalar>(settings, train.cols(), kd::detail::RandomStream::item_factors);
    users.emplace(kd::detail::prepare_side<Scalar>(state.weights, AlsSide::users, kd::detail::RowsRef(train), {.threads = 1}));
    items.emplace(kd::detail::prepare_side<Scalar>(state.weights, AlsSide::items, kd::detail::RowsRef(by_items), {.threads = 1}));
    fit.emplace(state, of_users, of_items, schedule, execution, report, nullptr);
    fit->begin();
  }

  void solve(AlsSide side, bool with_maps) {
    kd::detail::HalfStep<Scalar>(state, side == AlsSide::users ? *users : *items, 1, execution, team, {}, report,
                                 with_maps ? &*fit : nullptr)
        .run();
  }

  [[nodiscard]] Rows<long double> map_of(AlsSide side) const {
    const auto& map = state.features.of(side).map(MapKind::fit);
    return map.factors() > 0 ? Rows<long double>(map) : Rows<long double>();
  }

  /// The objective, all pairs visited.
  [[nodiscard]] long double textbook_loss() const {
    const Rows<long double> x(state.users), y(state.items);
    long double loss = textbook_penalty(user_features, x, map_of(AlsSide::users), problem.user_penalty) +
                       textbook_penalty(item_features, y, map_of(AlsSide::items), problem.item_penalty);
    for (std::size_t u = 0; u < problem.users; ++u) {
      for (std::size_t i = 0; i < problem.items; ++i) {
        long double score = 0.0L;
        for (std::size_t f = 0; f < x.factors; ++f) score += x.at(u, f) * y.at(i, f);
        const std::size_t at = problem.cell(u, i);
        loss += problem.confidence[at] * (problem.preference[at] - score) * (problem.preference[at] - score) +
                problem.background[at] * score * score;
      }
    }
    return loss;
  }

  kd::AlsOptions options;
  kd::CsrMatrix train;
  kd::CsrMatrix by_items;
  kd::Execution execution;
  kd::detail::Team team;
  kindred_test::TextbookProblem problem;
  kindred_test::TextbookFeatures user_features;
  kindred_test::TextbookFeatures item_features;
  kd::detail::AlsState<Scalar> state;
  std::optional<kd::detail::SideData<Scalar>> users;
  std::optional<kd::detail::SideData<Scalar>> items;
  kd::FitReport report;
  std::optional<kd::detail::FeatureFit<Scalar>> fit;
};

/// Settings that features go with: some penalty.
std::vector<std::pair<std::string, kd::AlsOptions>> settings_with_penalty() {
  std::vector<std::pair<std::string, kd::AlsOptions>> kept;
  for (auto& one : kindred_test::all_settings())
    if (one.second.regularization != 0.0) kept.push_back(std::move(one));
  return kept;
}

}  // namespace

TEST_CASE_TEMPLATE("features: the loss falls in every block of a fit, in the words of a textbook", Scalar, float, double) {
  const auto all = settings_with_penalty();
  const long double rounding = std::is_same_v<Scalar, float> ? 2e-5L : 1e-10L;
  for (std::uint64_t problem = 0; problem < 100; ++problem) {  // of either precision
    const std::string& name = all[problem % all.size()].first;
    const kd::AlsOptions& options = all[problem % all.size()].second;
    if (options.confidence.curve == kd::Confidence::custom && problem > all.size()) continue;
    const auto columns = static_cast<kd::Index>(1 + problem % 9);
    const kd::CsrMatrix train = kindred_test::random_matrix(18, 14, 0.25 + 0.01 * static_cast<double>(problem % 20), problem);
    const auto schedule = problem % 3 == 2 ? kd::FeatureSchedule::sparse_rows : kd::FeatureSchedule::each_iteration;
    Blocks<Scalar> blocks(options, train, random_features(18, columns, problem), random_features(14, 10 - columns, problem + 7), schedule);
    CAPTURE(name);
    CAPTURE(problem);
    long double loss = blocks.textbook_loss();
    const auto falls = [&](const char* block) {
      const long double now = blocks.textbook_loss();
      CAPTURE(block);
      CHECK(static_cast<double>(now) <= static_cast<double>(loss + rounding * std::abs(loss)));
      loss = now;
    };
    for (int iteration = 0; iteration < 3; ++iteration) {
      for (const AlsSide side : {AlsSide::items, AlsSide::users}) {
        if (schedule == kd::FeatureSchedule::sparse_rows) {
          blocks.solve(side, true);
          falls("map, joint steps and rows");
          continue;
        }
        blocks.fit->regress(side);
        falls("map");
        blocks.solve(side, false);
        falls("rows");
      }
    }
    const double reported =
        kd::detail::LossSum<Scalar>(blocks.state, *blocks.users, kd::SimdLevel::best).total({.threads = 1}, kd::detail::Team()).total;
    CHECK(reported == doctest::Approx(static_cast<double>(loss)).epsilon(static_cast<double>(rounding) + 1e-12));
  }
}

TEST_CASE_TEMPLATE("features: rows and maps are those of a textbook", Scalar, float, double) {
  const double close = std::is_same_v<Scalar, float> ? 2e-3 : 1e-9;
  for (const auto& one : settings_with_penalty()) {
    const kd::AlsOptions& options = one.second;
    CAPTURE(one.first);
    const kd::CsrMatrix train = kindred_test::random_matrix(23, 17, 0.3, 5);
    Blocks<Scalar> blocks(options, train, random_features(23, 6, 1), random_features(17, 4, 2), kd::FeatureSchedule::each_iteration);
    for (int iteration = 0; iteration < 2; ++iteration) {
      blocks.solve(AlsSide::items, true);
      blocks.solve(AlsSide::users, true);
    }
    blocks.fit->regress(AlsSide::users);
    const Rows<long double> map = textbook_map(blocks.user_features, Rows<long double>(blocks.state.users), blocks.problem.user_penalty);
    const Rows<long double> ours = blocks.map_of(AlsSide::users);
    double largest = 1e-3;
    for (const long double value : map.values) largest = std::max(largest, static_cast<double>(std::abs(value)));
    for (std::size_t n = 0; n < map.values.size(); ++n)
      CHECK(static_cast<double>(ours.values[n]) ==
            doctest::Approx(static_cast<double>(map.values[n])).epsilon(0).scale(1).epsilon(close * largest));

    // A row solved for its prior mean: the normal equations of the textbook, unless they are those of nothing but 0.
    blocks.solve(AlsSide::users, false);
    const Rows<long double> y(blocks.state.items);
    const Rows<long double> prior = textbook_priors(blocks.user_features, blocks.map_of(AlsSide::users), y.factors);
    for (std::size_t u = 0; u < blocks.problem.users; ++u) {
      const auto part = [&](const std::vector<long double>& dense) {
        return std::vector<long double>(dense.begin() + static_cast<std::ptrdiff_t>(u * blocks.problem.items),
                                        dense.begin() + static_cast<std::ptrdiff_t>((u + 1) * blocks.problem.items));
      };
      const std::vector<long double> mean(&prior.values[u * y.factors], &prior.values[u * y.factors] + y.factors);
      const std::vector<long double> x =
          kindred_test::textbook_row<long double>(y, part(blocks.problem.confidence), part(blocks.problem.preference),
                                                  part(blocks.problem.background), blocks.problem.user_penalty[u], mean);
      for (std::size_t f = 0; f < y.factors; ++f)
        CHECK(static_cast<double>(blocks.state.users.row(static_cast<kd::Index>(u))[f]) ==
              doctest::Approx(static_cast<double>(x[f])).epsilon(close * 10).scale(1));
    }
  }
}
