// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/report.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
struct AlsState;
template <Real Scalar>
struct SideData;

/// The maps of features during a fit, as the fit sees them: when they are learned, and from what. FeatureFit is the one implementation.
template <Real Scalar>
class FeatureLearner {
 public:
  virtual ~FeatureLearner() = default;

  /// True if there is anything to learn from.
  [[nodiscard]] virtual bool any() const noexcept = 0;
  /// True if the next half-step learns.
  [[nodiscard]] virtual bool learns() const noexcept = 0;
  /// True if it learns map and factors together.
  [[nodiscard]] virtual bool is_joint() const noexcept = 0;
  /// Before the first iteration.
  virtual void begin() = 0;
  /// After the last one: true if one more has to follow.
  [[nodiscard]] virtual bool after_fit() = 0;
  /// The map of `side` for its factors as they are.
  virtual void regress(AlsSide side) = 0;
  /// Two steps on the map and the factors of a side together, where the schedule says so.
  virtual void improve_jointly(const SideData<Scalar>& data, const FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved,
                               const std::vector<double>& eigenvalues) = 0;
  /// The maps for rows that train does not hold.
  virtual void finish() = 0;

 protected:
  FeatureLearner() = default;
  FeatureLearner(const FeatureLearner&) = default;
  FeatureLearner& operator=(const FeatureLearner&) = default;
};

/// The features of one side for a fit: a FeatureTable, and by its constructor the code that learns from one. A program that hands no features to a fit
/// does not compile that code.
template <Real Scalar>
class FitFeatures {
 public:
  FitFeatures() = default;
  FitFeatures(FeatureTable table) : table_(std::move(table)), learner_(make_learner) {}

  /// What learns from the tables of users and items. All references must outlive it. `between`: called between steps of a regression; may throw.
  [[nodiscard]] static std::unique_ptr<FeatureLearner<Scalar>> make_learner(AlsState<Scalar>& state, const FeatureTable& users,
                                                                            const FeatureTable& items, FeatureSchedule schedule,
                                                                            const Execution& execution, FitReport& report,
                                                                            std::function<void()> between);

  [[nodiscard]] const FeatureTable& table() const noexcept { return table_; }
  /// make_learner, or null where there is no table.
  [[nodiscard]] auto learner() const noexcept { return learner_; }

 private:
  FeatureTable table_;
  decltype(&make_learner) learner_ = nullptr;
};

#if defined(KINDRED_COMPILED)
extern template class FitFeatures<float>;  // in compiled/models.cpp
extern template class FitFeatures<double>;
#endif

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
