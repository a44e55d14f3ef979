// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/als/feature_learner.hpp>
#include <kindred/models/als/feature_report.hpp>
#include <kindred/models/als/feature_system.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/joint_map.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/state.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
class FeatureFit final : public FeatureLearner<Scalar> {
 public:
  /// As FitFeatures::make_learner.
  FeatureFit(AlsState<Scalar>& state, const FeatureTable& users, const FeatureTable& items, FeatureSchedule schedule,
             const Execution& execution, FitReport& report, std::function<void()> between)
      : state_(state), schedule_(schedule), execution_(execution), report_(report), between_(std::move(between)) {
    prepare(AlsSide::users, users, report.user_features);
    prepare(AlsSide::items, items, report.item_features);
  }

  [[nodiscard]] bool any() const noexcept override { return users_.system != nullptr || items_.system != nullptr; }
  [[nodiscard]] bool learns() const noexcept override { return learns_; }
  [[nodiscard]] bool is_joint() const noexcept override { return learns_ && schedule_ == FeatureSchedule::sparse_rows; }

  void begin() override { learns_ = any() && schedule_ != FeatureSchedule::after_fit; }
  [[nodiscard]] bool after_fit() override {
    if (schedule_ != FeatureSchedule::after_fit) return false;
    return learns_ = any();
  }

  void regress(AlsSide side) override {
    if (side_of(side).system != nullptr) learn(side, *side_of(side).system, MapKind::fit, 50);
  }

  void improve_jointly(const SideData<Scalar>& data, const FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved,
                       const std::vector<double>& eigenvalues) override {
    if (!is_joint() || side_of(data.side).system == nullptr) return;
    const Stopwatch watch;
    FeatureSide<Scalar>& maps = state_.features.of(data.side);
    const FeatureSystem<Scalar>& system = *side_of(data.side).system;
    FactorMatrix<Scalar> map = system.gather(maps.map(MapKind::fit), solved.factors());
    JointMap<Scalar>(state_.weights, data, system, fixed, eigenvalues, execution_).improve(solved, map, 2);
    set_map(maps, MapKind::fit, system.scatter(map));
    report_.feature_seconds += watch.seconds();
  }

  void finish() override {
    for (const AlsSide side : {AlsSide::users, AlsSide::items}) {
      Side& own = side_of(side);
      if (own.system == nullptr) continue;
      const Stopwatch watch;
      FeatureSide<Scalar>& maps = state_.features.of(side);
      const FeatureSystem<Scalar> cold(maps.table.matrix(), own.penalties, cold_ridge, execution_.simd, loop_of(execution_, 1));
      maps.mean = cold.mean_of(state_.factors(side));
      report_.feature_seconds += watch.seconds();
      learn(side, cold, MapKind::cold, 200);
      const Stopwatch again;
      const FactorMatrix<Scalar> factors = first_factors<Scalar>(state_.factors(side));
      maps.explained = FeatureExplanation<Scalar>(maps, factors, own.penalties, execution_).about();
      (side == AlsSide::users ? report_.user_features : report_.item_features).explained = maps.explained;
      derive(maps);
      report_.feature_seconds += again.seconds();
    }
  }

 private:
  struct Side {
    std::vector<double> penalties;                  // l
    std::unique_ptr<FeatureSystem<Scalar>> system;  // null where there is nothing to learn from
  };

  [[nodiscard]] Side& side_of(AlsSide side) noexcept { return side == AlsSide::users ? users_ : items_; }

  void prepare(AlsSide side, const FeatureTable& table, FitReport::Features& report) {
    if (table.columns().size() == 0) return;
    const Stopwatch watch;
    FeatureSide<Scalar>& maps = state_.features.of(side);
    maps.table = table;
    Side& own = side_of(side);
    own.penalties = penalties_of(state_.weights, side);
    own.system =
        std::make_unique<FeatureSystem<Scalar>>(maps.table.matrix(), own.penalties, fit_ridge, execution_.simd, loop_of(execution_, 1));
    report.columns = static_cast<std::size_t>(table.columns().size());
    report.idle_columns = report.columns - own.system->columns();
    for (Index r = 0; r < maps.table.rows(); ++r)
      if (maps.table.row(r).empty()) ++report.rows_without;
    maps.centre = own.system->centre();
    maps.ridge = own.system->ridge();
    maps.mean.assign(state_.weights.settings().factors, 0.0);
    if (own.system->columns() == 0) own.system.reset();
    report_.feature_seconds += watch.seconds();
  }

  void learn(AlsSide side, const FeatureSystem<Scalar>& system, MapKind kind, std::size_t steps) {
    const Stopwatch watch;
    FeatureSide<Scalar>& maps = state_.features.of(side);
    FactorMatrix<Scalar> map = system.gather(maps.map(kind), static_cast<Index>(state_.weights.settings().factors));
    system.improve(state_.factors(side), map, FeatureSystem<Scalar>::exact(steps), between_);
    set_map(maps, kind, system.scatter(map));
    report_.feature_seconds += watch.seconds();
  }

  AlsState<Scalar>& state_;
  FeatureSchedule schedule_;
  Execution execution_;
  FitReport& report_;
  std::function<void()> between_;
  Side users_;
  Side items_;
  bool learns_ = false;
};

template <Real Scalar>
std::unique_ptr<FeatureLearner<Scalar>> FitFeatures<Scalar>::make_learner(AlsState<Scalar>& state, const FeatureTable& users,
                                                                          const FeatureTable& items, FeatureSchedule schedule,
                                                                          const Execution& execution, FitReport& report,
                                                                          std::function<void()> between) {
  return std::make_unique<FeatureFit<Scalar>>(state, users, items, schedule, execution, report, std::move(between));
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
