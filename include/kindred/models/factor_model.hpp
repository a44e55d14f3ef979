// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/lazy.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Recommends by factors of users and items: a score is the inner product of a user's and an item's. The factors may be of any origin.
///
/// Lists are exact and take far fewer products than a full scan (linalg/top_k.hpp). const methods may be called from many threads.
template <Real Scalar = float>
class FactorModel {
 public:
  /// Without factors: every call throws NotFitted.
  FactorModel() = default;

  /// `users`: n_users x factors; `items`: n_items x factors; finite. `item_users`: the users of each item in train, length n_items, which decide about
  /// candidates and the popularity fallback; empty: every item with factors other than 0 is a candidate, and there is no such fallback.
  /// O((users + items) * factors).
  /// @throws ShapeError if lengths do not belong together; InvalidArgument if a factor is not finite or a count is negative.
  FactorModel(FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, std::vector<Index> item_users = {}) {
    if (users.factors() != items.factors() || users.factors() < 1)
      throw ShapeError("users have " + std::to_string(users.factors()) + " factors and items " + std::to_string(items.factors()) +
                       "; both need the same number, at least 1");
    if (!item_users.empty() && item_users.size() != static_cast<std::size_t>(items.rows()))
      throw ShapeError("item_users has " + std::to_string(item_users.size()) + " entries for " + std::to_string(items.rows()) + " items");
    for (std::size_t i = 0; i < item_users.size(); ++i)
      if (item_users[i] < 0) throw InvalidArgument("item_users[" + std::to_string(i) + "]", item_users[i], "at least 0");
    check_finite(users, "users");
    check_finite(items, "items");
    has_counts_ = !item_users.empty();
    user_counts_ = counts_by_factors(users);
    item_counts_ = has_counts_ ? std::move(item_users) : counts_by_factors(items);
    users_ = std::move(users);
    items_ = std::move(items);
    build_index();
  }

  [[nodiscard]] bool fitted() const noexcept { return users_.factors() > 0; }

  /// Users and items; 0 x 0 without factors, and once it was moved from.
  [[nodiscard]] MatrixShape shape() const noexcept { return {users_.rows(), items_.rows()}; }

  /// n_users x factors.
  [[nodiscard]] const FactorMatrix<Scalar>& user_factors() const noexcept { return users_; }
  /// n_items x factors.
  [[nodiscard]] const FactorMatrix<Scalar>& item_factors() const noexcept { return items_; }

  /// Bytes of the index that recommending searches; 0 where there is none yet.
  [[nodiscard]] std::size_t index_bytes() const noexcept { return index_.get() != nullptr ? index_.get()->memory_bytes() : 0; }

  /// Builds that index where there is none: a model whose factors are mapped from a file starts without, and until this was called (by a thread in the
  /// background, say) recommend(user) reads all item factors for its list, which is the same. Most other calls build it. O(items * factors).
  /// @throws NotFitted; NumericalError if an item's factors are not finite.
  void prepare() const {
    require_fitted();
    (void)index();
  }

  /// The score of a pair: a ranking score, not a probability. @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const;

  /// True if the model has something to rank by for `user`: false without interactions, or with dislikes alone. Such a user gets an empty list, or the
  /// fallback that was asked for. @throws NotFitted; InvalidArgument if the user is out of range.
  [[nodiscard]] bool knows(Index user) const;

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item; for a user that the model does not know an
  /// empty list, or options.fallback. At most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the user or a list in `options` is not valid, or there are no counts for the fallback.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const;

  /// The lists of `users`, in that order; RankedLists::source says which users the model does not know. At most O(users * items * factors).
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser, const RecommendAllOptions& options = {}) const {
    return recommend_all(all_users(), options);
  }

  /// Hands the lists of `users` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const detail::ListSink& sink) const;
  /// Hands the lists of all users to `sink`.
  void recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const {
    recommend_all(all_users(), options, sink);
  }

  /// All of `candidates` (strictly increasing) in the order of their scores for `user`. O(candidates * (factors + log candidates)).
  /// @throws NotFitted; InvalidArgument if the user or the list is not valid.
  [[nodiscard]] std::vector<Scored> rank_items(Index user, std::span<const Index> candidates) const;

  /// The items whose factors have the largest cosine with those of `item`, in [-1, 1], best first; none for an item without likes, which has no
  /// direction. At most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the item or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> similar_items(Index item, const SimilarOptions& options = {}) const;

  /// The users whose factors have the largest cosine with those of `user`; Scored::item is a user; none for a user that the model does not know.
  /// The first call builds an index of the users. @throws as similar_items does.
  [[nodiscard]] std::vector<Scored> similar_users(Index user, const SimilarOptions& options = {}) const;

  /// The users with the highest scores for `item`; Scored::item is a user, and `exclude` and `allow` list users; none for an item without likes.
  /// options.fallback is not used; options.rerank needs data for each user. Indexed as in similar_users.
  /// @throws NotFitted; InvalidArgument if the item, a list or the reranking in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend_users(Index item, const RecommendOptions& options = {}) const;

 protected:
  // For models that make their own factors. After a change of factors forget_users(), forget_items() or build_index() must follow.
  FactorModel(FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, std::vector<Index> user_counts, std::vector<Index> item_counts,
              SimdLevel simd)
      : users_(std::move(users)),
        items_(std::move(items)),
        user_counts_(std::move(user_counts)),
        item_counts_(std::move(item_counts)),
        simd_(simd) {}

  void require_fitted() const {
    if (!fitted()) throw NotFitted("the model");
  }

  /// The list for the factors `x`.
  [[nodiscard]] Recommendation list_for(std::span<const Scalar> x, const RecommendOptions& options) const {
    if (!detail::is_known(x)) return detail::list_of_unknown(item_counts_, options);
    if (index_.get() != nullptr || !items_.is_borrowed()) return {detail::one_list(searched(), x.data(), options), ListSource::model};
    return {detail::scanned_list(items_, item_counts_, x.data(), options, simd_), ListSource::model};
  }

  void build_index() {
    index_.set(std::make_shared<const detail::TopKIndex<Scalar>>(items_, users_, simd_));
    forget_users();
  }
  /// Overwrites `rows` of one side, or appends them if they are the next new ones. Whatever it throws, nothing has changed.
  static void put_rows(FactorMatrix<Scalar>& factors, std::vector<Index>& counts, std::span<const Index> rows,
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
  void forget_items() noexcept { index_.reset(); }
  void forget_users() noexcept { user_index_.reset(); }
  void check_fallback(Fallback fallback) const {
    if (fallback == Fallback::popularity && !has_counts_)
      throw InvalidArgument("fallback", "Fallback::popularity", "Fallback::none: the model was made without item_users");
  }

  FactorMatrix<Scalar> users_;
  FactorMatrix<Scalar> items_;
  std::vector<Index> user_counts_;  // interactions in train
  std::vector<Index> item_counts_;
  bool has_counts_ = true;
  SimdLevel simd_ = SimdLevel::best;

 private:
  [[nodiscard]] const detail::TopKIndex<Scalar>& index() const {
    return index_.get_or_make([&] {
      detail::require_finite(items_, "item");
      return detail::TopKIndex<Scalar>(items_, users_, simd_);
    });
  }
  [[nodiscard]] detail::Searched<Scalar> searched() const { return {index(), items_, item_counts_}; }
  /// Calls `body` with the index, or with one made for the call where another level of instructions was asked for.
  template <typename Body>
  auto with_index(SimdLevel asked, Body&& body) const {
    if (asked == SimdLevel::best || detail::resolve_level(asked) == detail::resolve_level(simd_)) return body(searched());
    detail::require_finite(items_, "item");
    const detail::TopKIndex<Scalar> other(items_, users_, asked);
    return body(detail::Searched<Scalar>{other, items_, item_counts_});
  }
  [[nodiscard]] detail::Searched<Scalar> searched_users() const {
    return {user_index_.get_or_make([&] {
              detail::require_finite(users_, "user");
              return detail::TopKIndex<Scalar>(users_, items_, simd_);
            }),
            users_, user_counts_};
  }
  [[nodiscard]] std::vector<Index> all_users() const {
    std::vector<Index> users(static_cast<std::size_t>(shape().users));
    std::iota(users.begin(), users.end(), Index{0});
    return users;
  }

  static void check_finite(const FactorMatrix<Scalar>& factors, std::string_view name) {
    for (Index r = 0; r < factors.rows(); ++r)
      for (const Scalar value : factors.row(r))
        if (!detail::is_finite(value)) throw InvalidArgument(std::string(name) + ", row " + std::to_string(r), value, "finite");
  }
  /// 1 for each row that is not 0.
  static std::vector<Index> counts_by_factors(const FactorMatrix<Scalar>& factors) {
    std::vector<Index> counts(static_cast<std::size_t>(factors.rows()));
    for (Index r = 0; r < factors.rows(); ++r) counts[static_cast<std::size_t>(r)] = detail::is_known(factors.row(r)) ? 1 : 0;
    return counts;
  }

  detail::Lazy<detail::TopKIndex<Scalar>> index_;  // of the items
  detail::Lazy<detail::TopKIndex<Scalar>> user_index_;
};

template <Real Scalar>
double FactorModel<Scalar>::predict(Index user, Index item) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_item(item, shape());
  return detail::ranking_of(items_, users_.row(user).data(), {&item, 1}, simd_).front().score;
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
  return list_for(users_.row(user), options).items;
}

template <Real Scalar>
RankedLists FactorModel<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  check_fallback(options.fallback);
  return with_index(options.execution.simd, [&](const auto& searched) { return detail::many_lists(searched, users_, users, options); });
}

template <Real Scalar>
void FactorModel<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options,
                                        const detail::ListSink& sink) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  check_fallback(options.fallback);
  with_index(options.execution.simd, [&](const auto& searched) { detail::stream_lists(searched, users_, users, options, sink); });
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::rank_items(Index user, std::span<const Index> candidates) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_index_list(candidates, "candidates", "an item", shape().items);
  return detail::ranking_of(items_, users_.row(user).data(), candidates, simd_);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::similar_items(Index item, const SimilarOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.filter, "an item", shape().items);
  return detail::neighbours(searched(), item, options);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::similar_users(Index user, const SimilarOptions& options) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_filters(options.exclude, options.filter, "a user", shape().users);
  return detail::neighbours(searched_users(), user, options);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::recommend_users(Index item, const RecommendOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.filter, "a user", shape().users);
  detail::check_rerank(options.rerank, shape().users, "users");
  detail::require_finite_row(items_, item, "item");
  if (!detail::is_known(items_.row(item))) return {};
  return detail::one_list(searched_users(), items_.row(item).data(), options);
}

#if defined(KINDRED_COMPILED)
extern template class FactorModel<float>;  // in compiled/models.cpp
extern template class FactorModel<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD
