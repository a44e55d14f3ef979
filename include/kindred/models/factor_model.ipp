// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/factor_model.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/popularity_scale.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/score_spread.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
void check_finite(const FactorMatrix<Scalar>& factors, std::string_view name) {
  for (Index r = 0; r < factors.rows(); ++r)
    for (const Scalar value : factors.row(r))
      if (!is_finite(value)) throw InvalidArgument(std::string(name) + ", row " + std::to_string(r), value, "finite");
}

/// 1 for each row that is not 0.
template <Real Scalar>
[[nodiscard]] std::vector<Index> counts_by_factors(const FactorMatrix<Scalar>& factors) {
  std::vector<Index> counts(static_cast<std::size_t>(factors.rows()));
  for (Index r = 0; r < factors.rows(); ++r) counts[static_cast<std::size_t>(r)] = is_known(factors.row(r)) ? 1 : 0;
  return counts;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
FactorModel<Scalar>::FactorModel(FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, std::vector<Index> item_users) {
  if (users.factors() != items.factors() || users.factors() < 1)
    throw ShapeError("users have " + std::to_string(users.factors()) + " factors and items " + std::to_string(items.factors()) +
                     "; both need the same number, at least 1");
  if (!item_users.empty() && item_users.size() != static_cast<std::size_t>(items.rows()))
    throw ShapeError("item_users has " + std::to_string(item_users.size()) + " entries for " + std::to_string(items.rows()) + " items");
  for (std::size_t i = 0; i < item_users.size(); ++i)
    if (item_users[i] < 0) throw InvalidArgument("item_users[" + std::to_string(i) + "]", item_users[i], "at least 0");
  detail::check_finite(users, "users");
  detail::check_finite(items, "items");
  has_counts_ = !item_users.empty();
  user_counts_ = detail::counts_by_factors(users);
  item_counts_ = has_counts_ ? std::move(item_users) : detail::counts_by_factors(items);
  users_ = std::move(users);
  items_ = std::move(items);
  build_index();
}

template <Real Scalar>
std::size_t FactorModel<Scalar>::index_bytes() const noexcept {
  return index_.get() != nullptr ? index_.get()->memory_bytes() : 0;
}

template <Real Scalar>
void FactorModel<Scalar>::prepare() const {
  require_fitted();
  (void)index();
}

template <Real Scalar>
Recommendation FactorModel<Scalar>::list_for(std::span<const Scalar> x, const RecommendOptions& options, float user_weight) const {
  const float penalty = popularity_weight(options.popularity_penalty, {.threads = 1});
  if (!detail::is_known(x)) return detail::list_of_unknown(item_counts_, options);
  if (index_.get() != nullptr || !items_.is_borrowed())
    return {detail::one_list(searched_for_lists(penalty, user_weight), x.data(), options), ListSource::model};
  const float weight = offset_weight(user_weight);
  const detail::ListOffsets added(weight == 0.0F ? std::vector<float>{} : offsets_of_items(), item_bias_,
                                  penalty == 0.0F ? std::span<const Index>{} : item_counts_);
  return {detail::scanned_list(items_, item_counts_, x.data(), options, simd_, added.weighted(weight, penalty)), ListSource::model};
}

template <Real Scalar>
void FactorModel<Scalar>::build_index(const detail::ParallelOptions& parallel) {
  auto built = std::make_shared<const detail::TopKIndex<Scalar>>(items_, users_, simd_, std::span<const double>(), parallel);
  forget_items();
  forget_users();
  index_.set(std::move(built));
}

template <Real Scalar>
void FactorModel<Scalar>::put_rows(FactorMatrix<Scalar>& factors, std::vector<Index>& counts, std::span<const Index> rows,
                                   const FactorMatrix<Scalar>& solved, std::span<const Index> row_counts) {
  if (rows.front() >= factors.rows()) {
    if (counts.size() + rows.size() > counts.capacity()) counts.reserve((std::max)(counts.size() + rows.size(), 2 * counts.capacity()));
    factors.append(solved);
    counts.insert(counts.end(), row_counts.begin(), row_counts.end());
    return;
  }
  for (std::size_t n = 0; n < rows.size(); ++n) {
    const std::span<const Scalar> row = solved.row(static_cast<Index>(n));
    std::copy(row.begin(), row.end(), factors.row(rows[n]).begin());
    counts[static_cast<std::size_t>(rows[n])] = row_counts[n];
  }
}

template <Real Scalar>
void FactorModel<Scalar>::check_fallback(Fallback fallback) const {
  if (fallback == Fallback::popularity && !has_counts_)
    throw InvalidArgument("fallback", "Fallback::popularity", "Fallback::none: the model was made without item_users");
}

template <Real Scalar>
void FactorModel<Scalar>::require_fitted() const {
  if (!fitted()) throw NotFitted("the model");
}

template <Real Scalar>
const detail::TopKIndex<Scalar>& FactorModel<Scalar>::index() const {
  return index_.get_or_make([&] {
    detail::require_finite(items_, "item");
    return detail::TopKIndex<Scalar>(items_, users_, simd_);
  });
}

template <Real Scalar>
double FactorModel<Scalar>::popularity_scale(const Execution& execution) const {
  require_fitted();
  return popularity_scale_.get_or_make(
      [&] { return has_counts_ ? detail::popularity_scale(searched_for_lists(0.0F, 0.0F), users_, execution) : 0.0; });
}

template <Real Scalar>
float FactorModel<Scalar>::popularity_weight(double popularity_penalty, const Execution& execution) const {
  if (popularity_penalty == 0.0) return 0.0F;
  if (!has_counts_) detail::check_popularity_penalty(popularity_penalty, "the model was made without item_users");
  const double scale = popularity_scale(execution);
  if (!(scale > 0.0))
    detail::check_popularity_penalty(popularity_penalty, "no list of the model has items of two popularities, so that its scale is 0");
  return static_cast<float>(-popularity_penalty * scale);
}

template <Real Scalar>
void FactorModel<Scalar>::set_item_offsets(ItemOffsets offsets) {
  require_fitted();
  const bool has_effect = !offsets.values.empty() && offsets.weight != 0.0;
  detail::check_item_offsets(offsets, shape(), has_effect ? score_spread() : 1.0);
  offsets_ = std::move(offsets);
  offset_index_.reset();
}

template <Real Scalar>
double FactorModel<Scalar>::score_spread() const {
  require_fitted();
  return score_spread_.get_or_make([&] { return detail::score_spread(users_, items_, std::span<const Index>(item_counts_)); });
}

template <Real Scalar>
float FactorModel<Scalar>::offset_weight(float user_weight) const {
  if (offsets_.values.empty() || offsets_.weight == 0.0) return 0.0F;
  return static_cast<float>(offsets_.weight * score_spread()) * user_weight;
}

template <Real Scalar>
std::vector<float> FactorModel<Scalar>::offsets_of_items() const {
  std::vector<float> values = offsets_.values;
  values.resize(static_cast<std::size_t>(items_.rows()), offsets_.unknown);
  return values;
}

template <Real Scalar>
detail::Searched<Scalar> FactorModel<Scalar>::searched() const {
  return {index(), items_, item_counts_};
}

template <Real Scalar>
detail::Searched<Scalar> FactorModel<Scalar>::searched_for_lists(float popularity, float user_weight) const {
  const float weight = offset_weight(user_weight);
  if (weight != 0.0F) {
    const detail::OffsetIndex<Scalar>& own = offset_index_.get_or_make([&] {
      detail::require_finite(items_, "item");
      return detail::OffsetIndex<Scalar>(items_, users_, simd_, offset_weight(1.0F), offsets_of_items(), item_bias_, item_counts_);
    });
    return {own.index, items_, item_counts_, own.added.weighted(weight, popularity)};
  }
  detail::Searched<Scalar> searched = this->searched();
  if (popularity == 0.0F && item_bias_.empty()) return searched;
  const detail::ListOffsets& added = added_.get_or_make([&] { return detail::ListOffsets({}, item_bias_, item_counts_, index().order()); });
  searched.offsets = added.weighted(0.0F, popularity);
  return searched;
}

template <Real Scalar>
template <typename Body>
auto FactorModel<Scalar>::with_index(SimdLevel asked, float popularity, float offset_share, Body&& body) const {
  const float weight = offset_weight(offset_share);
  const std::span<const float> user_weights = weight == 0.0F ? std::span<const float>{} : std::span<const float>(offsets_.user_weights);
  if (asked == SimdLevel::best || detail::resolve_level(asked) == detail::resolve_level(simd_)) {
    detail::Searched<Scalar> searched = searched_for_lists(popularity, offset_share);
    searched.user_weights = user_weights;
    return body(searched);
  }
  detail::require_finite(items_, "item");
  const detail::OffsetIndex<Scalar> other(items_, users_, asked, weight, weight == 0.0F ? std::vector<float>{} : offsets_of_items(),
                                          item_bias_, item_counts_);
  detail::Searched<Scalar> searched{other.index, items_, item_counts_, other.added.weighted(weight, popularity)};
  searched.user_weights = user_weights;
  return body(searched);
}

template <Real Scalar>
detail::Searched<Scalar> FactorModel<Scalar>::searched_users() const {
  return {user_index_.get_or_make([&] {
            detail::require_finite(users_, "user");
            return detail::TopKIndex<Scalar>(users_, items_, simd_);
          }),
          users_,
          user_counts_,
          {},
          {}};
}

template <Real Scalar>
double FactorModel<Scalar>::predict(Index user, Index item) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_item(item, shape());
  return rank_items(user, {&item, 1}).front().score;
}

template <Real Scalar>
bool FactorModel<Scalar>::knows(Index user) const {
  require_fitted();
  detail::check_user(user, shape());
  return detail::is_known(users_.row(user));
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::recommend(Index user, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(user, options, shape());
  check_fallback(options.fallback);
  detail::require_finite_row(users_, user, "user");
  const float user_weight = detail::weight_of_user(offsets_.user_weights, user);
  if (!options.rerank.order_for) return list_for(users_.row(user), options, user_weight).items;
  RecommendOptions own = options;
  own.rerank = detail::rerank_for(user, options.rerank);
  return list_for(users_.row(user), own, user_weight).items;
}

template <Real Scalar>
RankedLists FactorModel<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  check_fallback(options.fallback);
  return with_index(options.execution.simd, popularity_weight(options.popularity_penalty, options.execution), 1.0F,
                    [&](const auto& searched) { return detail::many_lists(searched, users_, users, options); });
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::recommend_raised(Index user, const RecommendOptions& options,
                                                          const detail::RaisedScores& raised) const {
  require_fitted();
  detail::check_recommend(user, options, shape());
  check_fallback(options.fallback);
  detail::require_finite_row(users_, user, "user");
  RecommendOptions own = options;
  own.rerank = detail::rerank_for(user, options.rerank);
  if (!detail::is_known(users_.row(user))) return detail::list_of_unknown(item_counts_, own).items;
  const detail::RaisedRow row(raised.row(user), own, item_counts_);
  const float penalty = popularity_weight(options.popularity_penalty, {.threads = 1});
  const auto searched = searched_for_lists(penalty, detail::weight_of_user(offsets_.user_weights, user));
  return detail::one_list(searched, users_.row(user).data(), own, &row, raised.weight);
}

template <Real Scalar>
RankedLists FactorModel<Scalar>::recommend_raised(std::span<const Index> users, const RecommendAllOptions& options,
                                                  const detail::RaisedScores& raised) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  check_fallback(options.fallback);
  return with_index(options.execution.simd, popularity_weight(options.popularity_penalty, options.execution), 1.0F,
                    [&](detail::Searched<Scalar> searched) {
                      searched.raised = &raised;
                      return detail::many_lists(searched, users_, users, options);
                    });
}

template <Real Scalar>
void FactorModel<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options,
                                        const detail::ListSink& sink) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  check_fallback(options.fallback);
  with_index(options.execution.simd, popularity_weight(options.popularity_penalty, options.execution), 1.0F,
             [&](const auto& searched) { detail::stream_lists(searched, users_, users, options, sink); });
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::rank_items(Index user, std::span<const Index> candidates) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_index_list(candidates, "candidates", "an item", shape().items);
  std::vector<Scored> list = detail::ranking_of(items_, users_.row(user).data(), candidates, simd_);
  const float weight = offset_weight(detail::weight_of_user(offsets_.user_weights, user));
  const bool has_bias = !item_bias_.empty() && detail::is_known(users_.row(user));
  if (weight == 0.0F && !has_bias) return list;
  for (Scored& one : list) {  // in the order of ListOffsets
    const auto at = static_cast<std::size_t>(one.item);
    const float value = at < offsets_.values.size() ? offsets_.values[at] : offsets_.unknown;
    if (weight != 0.0F) one.score += static_cast<double>(weight) * static_cast<double>(value);
    if (has_bias) one.score += static_cast<double>(item_bias_[at]);
  }
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::recommend_users(Index item, const RecommendOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.filter, "a user", shape().users);
  detail::check_rerank(options.rerank, shape().users, "users");
  detail::check_popularity_penalty(options.popularity_penalty, "users are listed, not items");
  detail::require_finite_row(items_, item, "item");
  return users_for(items_.row(item), item_bias_.empty() ? 0.0F : item_bias_[static_cast<std::size_t>(item)], options);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::users_for(std::span<const Scalar> y, float bias, const RecommendOptions& options) const {
  if (!detail::is_known(y)) return {};
  detail::Searched<Scalar> searched = searched_users();
  if (bias != 0.0F)
    searched.offsets.push_back({bias, &known_.get_or_make([&] {
                                  const std::vector<Index> known = detail::counts_by_factors(users_);
                                  return detail::RowOffsets({known.begin(), known.end()}, searched.index.order());
                                })});
  return detail::one_list(searched, y.data(), options);
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#include <kindred/models/factor_model_similar.ipp>  // IWYU pragma: export
