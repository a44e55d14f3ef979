// SPDX-License-Identifier: MIT
// Every public function that takes a CsrView, with an answer that can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../support/als_settings.hpp"
#include "../support/by_ranks.hpp"
#include "../support/random_matrix.hpp"
#include "../support/thread_communicator.hpp"
#include "outcome.hpp"

namespace kindred_test {

struct ViewCall {
  std::string name;
  std::function<std::string(const kindred::CsrView& view)> run;
};

inline std::vector<kindred::Index> first_half(kindred::Index count) {
  std::vector<kindred::Index> some(static_cast<std::size_t>(count / 2));
  std::iota(some.begin(), some.end(), kindred::Index{0});
  return some;
}

/// A time for each interaction.
inline std::vector<std::int64_t> times_of(const kindred::CsrView& view) {
  std::vector<std::int64_t> times(static_cast<std::size_t>(view.nnz()));
  for (std::size_t n = 0; n < times.size(); ++n) times[n] = static_cast<std::int64_t>(n * 7 % 31);
  return times;
}

/// Fits on one matrix and is asked with `view`, which has as many items.
inline kindred::ImplicitALS<float> model_of_items(kindred::Index items) {
  kindred::ImplicitALS<float> model(small_als());
  model.fit(random_matrix(30, items, 0.3, 8));
  return model;
}

inline std::vector<ViewCall> view_calls() {
  std::vector<ViewCall> calls;
  const auto add = [&](std::string name, std::function<std::string(const kindred::CsrView&)> run) {
    calls.push_back({std::move(name), std::move(run)});
  };
  add("rows", [](const kindred::CsrView& v) { return text_of(v); });
  add("CsrMatrix", [](const kindred::CsrView& v) { return text_of(kindred::CsrMatrix(v)); });
  add("CsrMatrix, validated", [](const kindred::CsrView& v) {
    const kindred::CsrMatrix copy(v);
    return text_of(kindred::CsrMatrix(copy.shape(), {copy.offsets().begin(), copy.offsets().end()},
                                      {copy.columns().begin(), copy.columns().end()}, {copy.values().begin(), copy.values().end()}));
  });
  add("transpose", [](const kindred::CsrView& v) { return text_of(kindred::transpose(v)); });
  add("select_rows", [](const kindred::CsrView& v) { return text_of(kindred::select_rows(v, first_half(v.rows()))); });
  add("a range of rows", [](const kindred::CsrView& v) { return text_of(v.rows(v.rows() / 3, v.rows())); });
  add("append_rows", [](const kindred::CsrView& v) { return text_of(kindred::append_rows(v, v.rows(v.rows() / 3, v.rows()))); });
  add("select_columns", [](const kindred::CsrView& v) { return text_of(kindred::select_columns(v, first_half(v.cols()))); });
  add("counts and sums", [](const kindred::CsrView& v) {
    return text_of(kindred::row_counts(v), kindred::column_counts(v), kindred::statistics::row_sums(v),
                   kindred::statistics::column_sums(v));
  });
  add("without_zeros", [](const kindred::CsrView& v) { return text_of(kindred::without_zeros(v)); });
  add("density", [](const kindred::CsrView& v) { return text_of(v.density(), v.nnz()); });
  add("describe", [](const kindred::CsrView& v) {
    const kindred::statistics::MatrixStatistics s = kindred::statistics::describe(v);
    return text_of(s.values, s.items_per_user, s.users_per_item, s.density, s.item_gini);
  });
  add("rows_between", [](const kindred::CsrView& v) { return text_of(kindred::rows_between(v, v.rows() / 3, v.rows()).block(0).rows); });
  add("PerUserSplitter", [](const kindred::CsrView& v) { return text_of(kindred::PerUserSplitter({.test_fraction = 0.4}).split(v)); });
  add("user_holdout", [](const kindred::CsrView& v) {
    const kindred::UserHoldout h = kindred::user_holdout(v, {.heldout_fraction = 0.4, .min_interactions = 2});
    return text_of(h.train, h.fold_in, h.target, h.heldout_users);
  });
  add("temporal_split", [](const kindred::CsrView& v) { return text_of(kindred::temporal_split(v, times_of(v))); });
  add("leave_last_out", [](const kindred::CsrView& v) { return text_of(kindred::leave_last_out(v, times_of(v))); });
  add("activity_groups", [](const kindred::CsrView& v) { return text_of(kindred::EvaluationGroups::by_activity(v)); });
  add("popularity_groups", [](const kindred::CsrView& v) { return text_of(kindred::EvaluationGroups::by_popularity(v)); });
  add("PopularityRecommender", [](const kindred::CsrView& v) {
    kindred::PopularityRecommender model;
    model.fit(v);
    return text_of(model.shape(), model.recommend_all(first_half(v.rows()), {.exclude = v}));
  });
  add("ItemNeighbours", [](const kindred::CsrView& v) {
    kindred::ItemNeighbours model({.neighbours = 5, .share_votes = true});
    model.fit(v);
    model.append_users(v);
    return text_of(model.shape(), model.recommend_all(first_half(v.rows()), {.exclude = v}), model.recommend(v.rows(), {}));
  });
  add("BlendedRecommender", [](const kindred::CsrView& v) {
    kindred::BlendedRecommender<float> model({.factors = small_als()});
    model.fit(v);
    model.append_users(v);
    return text_of(model.shape(), model.recommend_all(first_half(v.rows()), {.exclude = v}), model.recommend(v.rows(), {}));
  });
  add("tune_blend", [](const kindred::CsrView& v) {
    kindred::BlendTuneOptions how{.trials = 1};
    how.base.factors.factors = 4;
    return text_of(kindred::tune_blend(v, how).trials.front().metric.mean);
  });
  for (auto& [name, options] : all_settings())
    add("fit, " + name, [options = options](const kindred::CsrView& v) {
      kindred::ImplicitALS<float> model(options);
      const kindred::FitReport report = model.fit(v, {.record_loss = true});
      return text_of(report, model, model.recommend_all(kindred::every_user, {.exclude = v}));
    });
  add("fit, double", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<double> model(small_als());
    model.fit(v);
    model.check_data(v);
    return text_of(model);
  });
  add("fold_in_all", [](const kindred::CsrView& v) { return text_of(model_of_items(v.cols()).fold_in_all(v)); });
  add("append_users", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<float> model = model_of_items(v.cols());
    return text_of(model.append_users(v), model);
  });
  add("refit_users", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<float> model = model_of_items(v.cols());
    std::vector<kindred::Index> users(static_cast<std::size_t>(v.rows()));
    std::iota(users.begin(), users.end(), kindred::Index{0});
    model.refit_users(users, v);
    return text_of(model);
  });
  add("append_items", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<float> model(small_als());
    model.fit(random_matrix(v.rows(), 12, 0.4, 8));
    return text_of(model.append_items(v), model);
  });
  add("refit_items", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<float> model(small_als());
    model.fit(random_matrix(v.rows(), 40, 0.4, 8));
    std::vector<kindred::Index> items(static_cast<std::size_t>(v.cols()));
    std::iota(items.begin(), items.end(), kindred::Index{0});
    model.refit_items(items, v);
    return text_of(model);
  });
  add("recommend_all with a matrix to exclude", [](const kindred::CsrView& v) {
    kindred::ImplicitALS<float> model(small_als());
    model.fit(random_matrix(v.rows(), v.cols(), 0.4, 8));
    std::string streamed;
    kindred::recommend_all(model, kindred::rows_between(v, 0, v.rows()), {.count = 4},
                           [&](kindred::Index user, std::span<const kindred::Scored> list, kindred::ListSource source) {
                             put(streamed, user);
                             put(streamed, static_cast<int>(source));
                             for (const kindred::Scored& one : list) put(streamed, one);
                           });
    return text_of(model.recommend_all(kindred::every_user, {.count = 4, .exclude = v})) + streamed;
  });
  add("evaluate, the view as train", [](const kindred::CsrView& v) {
    kindred::PopularityRecommender model;
    model.fit(v);
    return text_of(kindred::evaluate(model, v, random_matrix(v.rows(), v.cols(), 0.3, 9), {.cutoffs = {1, 5}}));
  });
  add("evaluate, the view as test", [](const kindred::CsrView& v) {
    kindred::PopularityRecommender model;
    const kindred::CsrMatrix train = random_matrix(v.rows(), v.cols(), 0.3, 9);
    model.fit(train);
    return text_of(kindred::evaluate(model, train, v, {.cutoffs = {1, 5}}));
  });
  add("random_search", [](const kindred::CsrView& v) {
    return text_of(kindred::random_search<float>(v, random_matrix(v.rows(), v.cols(), 0.3, 9),
                                                 {{"confidence.alpha", kindred::SearchChoices{1.0, 2.0}}},
                                                 {.trials = 2, .base = small_als()}));
  });
  add("fit by ranks", [](const kindred::CsrView& v) {
    std::vector<std::string> texts(2);
    kindred::test::ThreadCommunicator::run(2, [&](kindred::test::ThreadCommunicator& communicator) {
      kindred::ImplicitALS<float> model(small_als());
      fit_by_ranks(communicator, model, v);
      texts[communicator.rank()] = text_of(model);
    });
    return texts[0] + texts[1];
  });
  return calls;
}

/// Calls without a matrix of the caller's, each with the same answer whatever surrounds it.
inline std::vector<ViewCall> other_calls() {
  std::vector<ViewCall> calls;
  const auto add = [&](std::string name, std::function<std::string(const kindred::CsrView&)> run) {
    calls.push_back({std::move(name), std::move(run)});
  };
  add("synthetic_listening", [](const kindred::CsrView&) {
    return text_of(kindred::synthetic_listening({.users = 80, .items = 60, .items_per_user = 9}).matrix);
  });
  const auto model_of = [](const kindred::CsrView& v, bool mapped) {
    kindred::ImplicitALS<float> model(small_als());
    model.fit(v);
    if (mapped) model.refit_users(std::vector<kindred::Index>{0}, kindred::select_rows(v, std::vector<kindred::Index>{0}));
    return model;
  };
  add("lists of every kind", [model_of](const kindred::CsrView& v) {
    const kindred::ImplicitALS<float> model = model_of(v, false);
    std::string text;
    for (kindred::Index u = 0; u < v.rows(); ++u) {
      put(text, model.recommend(u, {.count = 7, .exclude = v.row(u)}));
      put(text, model.recommend(v.row(u), {.count = 3, .filter = {.candidates = kindred::Candidates::all}}).items);
      put(text, model.similar_users(u, {.count = 5}));
      put(text, model.rank_items(u, first_half(v.cols())));
      put(text, model.fold_in(v.row(u)));
    }
    for (kindred::Index i = 0; i < v.cols(); ++i) {
      put(text, model.similar_items(i, {.count = 5}));
      put(text, model.recommend_users(i, {.count = 5}));
      put(text, model.explain(v.row(0), i));
    }
    return text;
  });
  add("rerankings", [model_of](const kindred::CsrView& v) {
    const kindred::ImplicitALS<float> model = model_of(v, true);
    std::string text;
    for (const kindred::Rerank& rerank : {kindred::maximal_marginal_relevance(model.item_factors(), 0.4),
                                          kindred::group_quota(kindred::EvaluationGroups::by_popularity(v, 3).labels, 2),
                                          kindred::calibrated(v, kindred::EvaluationGroups::by_popularity(v, 3).labels, 0.2)})
      put(text, model.recommend_all(kindred::every_user, {.count = 6, .rerank = rerank}));
    put(text, model.recommend_all(kindred::every_user, {.count = 6, .exclude = v, .popularity_penalty = 0.4}));
    return text;
  });
  add("metrics", [](const kindred::CsrView& v) {
    std::string text;
    const std::vector<kindred::Index> users = kindred::column_counts(v), ranked{3, 0, 5, 1};
    for (kindred::Index u = 0; u < v.rows(); ++u) {
      const std::span<const kindred::Index> relevant = v.row(u).columns;
      if (relevant.empty()) continue;
      for (const std::size_t k : {1u, 3u, 10u})
        for (const double value : {kindred::metrics::precision(ranked, relevant, k), kindred::metrics::recall(ranked, relevant, k),
                                   kindred::metrics::ndcg(ranked, relevant, k), kindred::metrics::average_precision(ranked, relevant, k),
                                   kindred::metrics::reciprocal_rank(ranked, relevant, k), kindred::metrics::hit_rate(ranked, relevant, k)})
          put(text, value);
    }
    put(text, kindred::metrics::novelty(ranked, users, v.rows()));
    return text;
  });
  add("compare, compare_splits, holm", [](const kindred::CsrView& v) {
    kindred::PopularityRecommender plays, users({.by = kindred::PopularityOptions::By::users});
    plays.fit(v);
    users.fit(v);
    const kindred::CsrMatrix test = random_matrix(v.rows(), v.cols(), 0.3, 9);
    const kindred::EvaluateOptions keep{.keep_per_user = true};
    const kindred::Comparison c = kindred::compare(kindred::evaluate(plays, v, test, keep), kindred::evaluate(users, v, test, keep));
    const kindred::MeanDifference d = kindred::compare_splits(std::vector<double>{0.1, 0.2, 0.15, 0.05, 0.12}, 0.2);
    return text_of(c.first, c.second, c.difference.low, c.difference.p_value, d.low, d.high, d.p_value,
                   kindred::holm(std::vector<double>{0.01, 0.2, 0.03}));
  });
  add("statistics", [](const kindred::CsrView& v) {
    const std::vector<double> sums = kindred::statistics::row_sums(v), columns = kindred::statistics::column_sums(v);
    const kindred::statistics::Summary s = kindred::statistics::summarize(sums);
    return text_of(s.mean, s.median, s.quantile_99, kindred::statistics::gini(columns),
                   kindred::statistics::spearman(sums, sums).value_or(-7.0), kindred::metrics::mean_and_error(sums).standard_error);
  });
  return calls;
}

}  // namespace kindred_test
