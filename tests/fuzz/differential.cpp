// SPDX-License-Identifier: MIT
// Small matrices and options through filters, splits, fit, recommend, evaluate, explain, save and load, each against brute force in long double.
//
// An input is one byte for each of some 40 choices, then one for each cell. What may differ is bounded by the condition of each system, kappa = (the sum of the
// absolute terms) / penalty: rounding moves the solution of a row by eps kappa at most, times a small power of the sizes. So nothing here depends on luck.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/data/filters.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/split/leave_last_out.hpp>
#include <kindred/split/per_user_splitter.hpp>
#include <kindred/split/temporal.hpp>
#include <kindred/split/user_holdout.hpp>

#include "../support/als_instances.hpp"
#include "../support/brute_force_evaluation.hpp"
#include "../support/brute_force_ranking.hpp"
#include "../support/filter_by_sets.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
#include "../support/split_checks.hpp"
#include "../support/textbook_als.hpp"
#include "input.hpp"

namespace kd = kindred;
using kindred_test::Rows;
using kindred_test::TextbookProblem;

namespace kindred_fuzz {

namespace {

/// Options of the paper's units that are valid together, and how to run.
kd::AlsOptions options_of(Input& input, kd::Execution& run) {
  kd::AlsOptions o = kd::AlsOptions::paper();
  o.factors = 1 + input.below(6);
  o.regularization = input.pick({0.1, 0.01, 0.5, 2.0, 20.0, 1.0});
  o.confidence.alpha = input.pick({1.0, 0.0, 0.1, 5.0, 40.0});
  o.iterations = 1 + input.below(3);
  o.confidence.curve = input.pick({kd::Confidence::linear, kd::Confidence::log, kd::Confidence::one, kd::Confidence::custom});
  if (o.confidence.curve == kd::Confidence::custom)
    o.confidence.function = [](double r, kd::Offset users, kd::Offset items) {
      return 0.1 * r + 1.0 / static_cast<double>(users) + 0.25 * static_cast<double>(items);
    };
  o.confidence.base = input.pick({1.0, 0.0, 0.1, 2.0});
  const double log_scale = input.pick({1.0, 0.1, 4.0});
  if (o.confidence.curve == kd::Confidence::log) o.confidence.log_scale = log_scale;
  switch (input.below(4)) {
    case 1: o.confidence.cap = 3.5; break;
    case 2: o.confidence.cap_quantile = input.pick({0.5, 0.9, 1.0}); break;
    default: break;
  }
  if (o.confidence.curve == kd::Confidence::one) o.confidence.cap = o.confidence.cap_quantile = std::nullopt;
  o.background.pairs = input.flag() ? kd::Background::all : kd::Background::unobserved;
  o.background.weight = input.pick({1.0, 0.0, 0.1, 3.0});
  if (input.below(4) == 1) {
    o.background.ratio = 2.5;
    o.background.weight = std::nullopt;
  }
  o.confidence.popularity_damping = input.pick({0.0, 0.3, 1.0});
  o.background.item_exponent = input.pick({0.0, 0.3, 1.0});
  o.background.user_exponent = input.pick({0.0, 0.3, 1.0});
  o.regularization_exponent = input.pick({0.0, 0.5, 1.0, 2.0});
  o.start.kind = input.flag() ? kd::Start::uniform : kd::Start::normal;
  const double start_scale = input.pick({0.1, 1.0});
  if (o.start.kind == kd::Start::normal) o.start.scale = start_scale;
  o.seed = input.byte();
  run.threads = input.pick({1U, 1U, 1U, 1U, 1U, 1U, 1U, 3U});  // threads cost more than all the rest
  run.simd = input.flag() ? kd::SimdLevel::base : kd::SimdLevel::best;
  o.solver.kind = input.below(8) == 1 ? kd::Solver::conjugate_gradient : kd::Solver::cholesky;
  return o;
}

float cell(std::uint8_t byte) {
  if (byte < 130) return 0.0F;
  if (byte < 240) return static_cast<float>((byte - 130) % 9 + 1);
  constexpr float rare[] = {-1.0F, -3.0F, 0.5F, 100.0F, 1000.0F, 0.01F, 30.0F, 7.25F, -100.0F, 1.0F, 1e-6F, 2.0F, 3.0F, 4.0F, 250.0F, 1.5F};
  return rare[byte - 240];
}

/// Cells from the rest of the input; now and then a stored zero.
kd::CsrMatrix matrix_of(Input& input, kd::MatrixShape shape) {
  std::vector<kd::Offset> offsets{0};
  std::vector<kd::Index> columns;
  std::vector<float> values;
  for (kd::Index u = 0; u < shape.users; ++u) {
    for (kd::Index i = 0; i < shape.items; ++i) {
      const std::uint8_t byte = input.byte();
      const float value = cell(byte);
      if (value == 0.0F && byte != 129) continue;
      columns.push_back(i);
      values.push_back(value);
    }
    offsets.push_back(static_cast<kd::Offset>(columns.size()));
  }
  return {shape, std::move(offsets), std::move(columns), std::move(values)};
}

std::vector<std::string> sorted_keys(const kd::IdMap& ids) {
  std::vector<std::string> keys;
  for (kd::Index n = 0; n < ids.size(); ++n) keys.emplace_back(ids.key(n));
  std::sort(keys.begin(), keys.end());
  return keys;
}

kd::Dataset check_filters(Input& input, const kd::Dataset& data) {
  const kd::ActivityFilter filter{.min_items_per_user = input.below(4),
                                  .min_users_per_item = input.below(4),
                                  .passes = input.flag() ? kd::ActivityFilter::Passes::until_stable : kd::ActivityFilter::Passes::once,
                                  .count = input.flag() ? kd::ActivityFilter::Count::raw_rows : kd::ActivityFilter::Count::distinct_pairs};
  kd::Dataset kept = kd::filter_active(data, filter);
  kept.check();
  const kindred_test::FilteredSets wanted = kindred_test::filter_by_sets(data, filter);
  check(sorted_keys(kept.users) == std::vector<std::string>(wanted.users.begin(), wanted.users.end()), "filter_active: users");
  check(sorted_keys(kept.items) == std::vector<std::string>(wanted.items.begin(), wanted.items.end()), "filter_active: items");
  check(kindred_test::pairs_of(kept, filter.count) == wanted.pairs, "filter_active: pairs");

  const auto n_users = static_cast<kd::Index>(1 + input.below(8));
  const kd::Dataset active = kd::keep_most_active_users(data, n_users);
  std::vector<std::pair<std::ptrdiff_t, std::string>> order;
  for (kd::Index u = 0; u < data.users.size(); ++u)
    order.emplace_back(-static_cast<std::ptrdiff_t>(data.matrix.row(u).size()), std::string(data.users.key(u)));
  std::sort(order.begin(), order.end());
  order.resize((std::min)(order.size(), static_cast<std::size_t>(n_users)));
  std::vector<std::string> keys;
  for (const auto& [count, key] : order) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  check(sorted_keys(active.users) == keys, "keep_most_active_users");
  return kept;
}

kd::TrainTestSplit check_splits(Input& input, const kd::Dataset& data) {
  const kd::CsrMatrix& matrix = data.matrix;
  const kd::PerUserSplitter::Options options{.test_fraction = input.pick({0.2, 0.5, 0.01, 0.9, 1.0 / 3.0}),
                                             .min_interactions = static_cast<kd::Index>(1 + input.below(5)),
                                             .at_least_one = input.flag(),
                                             .seed = input.byte()};
  kd::TrainTestSplit split = kd::PerUserSplitter(options).split(matrix);
  check(kindred_test::is_partition(split, matrix), "PerUserSplitter: a partition");
  for (kd::Index u = 0; u < matrix.rows(); ++u) {
    const std::size_t n = matrix.row(u).size();
    auto wanted =
        static_cast<std::size_t>(std::floor(static_cast<long double>(options.test_fraction) * static_cast<long double>(n) + 1e-9L));
    if (options.at_least_one) wanted = (std::max)(wanted, std::size_t{1});
    wanted = n < static_cast<std::size_t>(options.min_interactions) ? 0 : (std::min)(wanted, n - 1);
    check(split.test.row(u).size() == wanted, "PerUserSplitter: how many");
  }

  const auto count = static_cast<kd::Index>(1 + input.below(2));
  std::vector<std::int64_t> times(data.times);
  for (std::int64_t& time : times) time %= 3;  // many are equal
  const kd::TrainTestSplit last = kd::leave_last_out(matrix, times, {.count = count, .min_interactions = count + 1});
  check(kindred_test::is_partition(last, matrix), "leave_last_out: a partition");
  for (kd::Index u = 0; u < matrix.rows(); ++u) {
    std::vector<std::pair<std::int64_t, kd::Index>> order;
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n)
      order.emplace_back(times[static_cast<std::size_t>(matrix.offsets()[static_cast<std::size_t>(u)]) + n], matrix.row(u).columns[n]);
    std::sort(order.rbegin(), order.rend());
    std::vector<kd::Index> wanted;
    if (order.size() > static_cast<std::size_t>(count))
      for (kd::Index n = 0; n < count; ++n) wanted.push_back(order[static_cast<std::size_t>(n)].second);
    std::sort(wanted.begin(), wanted.end());
    check(std::equal(wanted.begin(), wanted.end(), last.test.row(u).columns.begin(), last.test.row(u).columns.end()),
          "leave_last_out: which");
  }
  const kd::TrainTestSplit cut = kd::temporal_split(matrix, times, {.cut_time = 1});
  check(kindred_test::is_partition(cut, matrix), "temporal_split: a partition");
  check(cut.train.nnz() == std::count(times.begin(), times.end(), 0), "temporal_split: how many");
  try {
    const kd::UserHoldout held =
        kd::user_holdout(matrix, {.heldout_users = 1, .target_fraction = options.test_fraction, .min_interactions = 2});
    check(held.train.nnz() + held.fold_in.nnz() + held.target.nnz() == matrix.nnz(), "user_holdout: every interaction");
    check(!held.fold_in.row(0).empty() && !held.target.row(0).empty(), "user_holdout: something to tell and something to ask");
  } catch (const kd::InvalidArgument&) {  // nobody to hold out, or nobody left
  }
  return split;
}

/// The objective in long double, and what its rows may differ by.
struct Truth {
  TextbookProblem problem;
  std::vector<long double> background;  // w0 a_u b_i of every pair, observed or not
  long double eps;
  std::size_t factors;

  Truth(const kd::AlsOptions& options, const kd::CsrView& train, long double epsilon)
      : problem(kindred_test::textbook_problem(options, train)), eps(epsilon), factors(*options.factors) {
    kd::AlsOptions all = options;
    all.background.pairs = kd::Background::all;
    background = kindred_test::textbook_problem(all, train).background;
  }

  static long double square(const Rows<long double>& rows, std::size_t r) {
    long double sum = 0.0L;
    for (std::size_t f = 0; f < rows.factors; ++f) sum += rows.at(r, f) * rows.at(r, f);
    return sum;
  }
  [[nodiscard]] long double user_condition(const Rows<long double>& items, std::size_t u) const {
    long double sum = problem.user_penalty[u];
    for (std::size_t i = 0; i < problem.items; ++i)
      sum += (problem.confidence[problem.cell(u, i)] + background[problem.cell(u, i)]) * square(items, i);
    return sum / problem.user_penalty[u];
  }
  [[nodiscard]] long double item_condition(const Rows<long double>& users, std::size_t i) const {
    long double sum = problem.item_penalty[i];
    for (std::size_t u = 0; u < problem.users; ++u)
      sum += (problem.confidence[problem.cell(u, i)] + background[problem.cell(u, i)]) * square(users, u);
    return sum / problem.item_penalty[i];
  }
  /// By how much a row may be off, as a share of its norm.
  [[nodiscard]] long double share(long double condition) const {
    return 64.0L * static_cast<long double>(factors + problem.users + problem.items) * eps * condition;
  }
};

long double dot(const Rows<long double>& a, std::size_t r, const Rows<long double>& b, std::size_t s) {
  long double sum = 0.0L;
  for (std::size_t f = 0; f < a.factors; ++f) sum += a.at(r, f) * b.at(s, f);
  return sum;
}

/// The users belong to the items as they are.
template <typename Scalar>
void check_users(const Truth& truth, const kd::ImplicitALS<Scalar>& model) {
  const Rows<long double> items(model.item_factors()), users(model.user_factors());
  for (std::size_t u = 0; u < users.rows; ++u) {
    const std::vector<long double> wanted = kindred_test::textbook_user<long double>(truth.problem, items, u);
    long double off = 0.0L, norm = 0.0L;
    for (std::size_t f = 0; f < wanted.size(); ++f) {
      off += (users.at(u, f) - wanted[f]) * (users.at(u, f) - wanted[f]);
      norm += wanted[f] * wanted[f];
    }
    const long double most = norm > 0.0L ? truth.share(truth.user_condition(items, u)) * std::sqrt(norm) : 0.0L;
    if (!(std::sqrt(off) <= most + static_cast<long double>((std::numeric_limits<Scalar>::min)())))
      fail("user " + std::to_string(u) + " is off by " + kd::detail::number_text(static_cast<double>(std::sqrt(off))) + ", at most " +
           kd::detail::number_text(static_cast<double>(most)) + " of " + kd::detail::number_text(static_cast<double>(std::sqrt(norm))));
  }
}

/// The items belong to the users before them; the basis has turned since, so products of items are compared.
template <typename Scalar>
void check_items(const Truth& truth, const Rows<long double>& before, const kd::ImplicitALS<Scalar>& model) {
  const Rows<long double> items(model.item_factors());
  Rows<long double> wanted(items.rows, items.factors);
  std::vector<long double> most(items.rows), norm(items.rows);
  for (std::size_t i = 0; i < items.rows; ++i) {
    const std::vector<long double> y = kindred_test::textbook_item<long double>(truth.problem, before, i);
    std::copy(y.begin(), y.end(), &wanted.at(i, 0));
    norm[i] = std::sqrt(Truth::square(wanted, i));
    most[i] = norm[i] > 0.0L ? truth.share(truth.item_condition(before, i)) * norm[i] : 0.0L;
  }
  for (std::size_t i = 0; i < items.rows; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const long double off = std::abs(dot(items, i, items, j) - dot(wanted, i, wanted, j));
      const long double bound = most[i] * norm[j] + most[j] * norm[i] + most[i] * most[j];
      if (!(off <= bound + static_cast<long double>((std::numeric_limits<Scalar>::min)())))
        fail("items " + std::to_string(i) + " and " + std::to_string(j) + ": their product is off by " +
             kd::detail::number_text(static_cast<double>(off)) + ", at most " + kd::detail::number_text(static_cast<double>(bound)));
    }
}

/// A fit may fail where its systems are beyond the precision; this finds out.
void check_failure(const Truth& truth, const Rows<long double>& start, const kd::AlsOptions& options, const std::string& what) {
  long double worst = 1.0L;
  const auto see = [&](long double condition) { worst = condition <= worst ? worst : condition; };  // a NaN too
  Rows<long double> users = start, items(truth.problem.items, *options.factors);
  for (std::size_t n = 0; n < *options.iterations; ++n) {
    for (std::size_t i = 0; i < items.rows; ++i) {
      if (truth.problem.item_penalty[i] > 0.0L) see(truth.item_condition(users, i));
      const std::vector<long double> y = kindred_test::textbook_item<long double>(truth.problem, users, i);
      std::copy(y.begin(), y.end(), &items.at(i, 0));
    }
    for (std::size_t u = 0; u < users.rows; ++u) {
      if (truth.problem.user_penalty[u] > 0.0L) see(truth.user_condition(items, u));
      const std::vector<long double> x = kindred_test::textbook_user<long double>(truth.problem, items, u);
      std::copy(x.begin(), x.end(), &users.at(u, 0));
    }
  }
  if (worst * truth.eps < 1e-5L) fail("a condition of " + kd::detail::number_text(static_cast<double>(worst)) + " and yet: " + what);
}

template <typename Scalar>
void check_explanations(const Truth& truth, const kd::ImplicitALS<Scalar>& model, const kd::CsrView& train) {
  const Rows<long double> items(model.item_factors());
  for (kd::Index u = 0; u < train.rows(); ++u) {
    const kd::SparseRow row = train.row(u);
    const auto user = static_cast<std::size_t>(u);
    const std::vector<Scalar> folded = model.fold_in(row);
    check(std::equal(folded.begin(), folded.end(), model.user_factors().row(u).begin()), "fold_in gives other bytes than fit");
    const auto stored =
        static_cast<std::size_t>(std::count_if(row.values.begin(), row.values.end(), [](float value) { return value != 0.0F; }));
    if (stored == 0) continue;
    const auto i = static_cast<kd::Index>(user % items.rows);
    const kd::Explanation why = model.explain(row, i);
    check(why.parts.size() == stored, "explain: a part for each interaction");
    const std::vector<long double> x = kindred_test::textbook_user<long double>(truth.problem, items, user);
    long double score = 0.0L, sum = 0.0L, pull = 0.0L;
    for (std::size_t f = 0; f < x.size(); ++f) score += x[f] * items.at(static_cast<std::size_t>(i), f);
    for (const kd::Scored& part : why.parts) sum += static_cast<long double>(part.score);
    for (std::size_t n = 0; n < items.rows; ++n)
      pull += truth.problem.confidence[truth.problem.cell(user, n)] * truth.problem.preference[truth.problem.cell(user, n)] *
              std::sqrt(Truth::square(items, n));
    // |v| <= |y| / penalty, and what v is off by is that times eps kappa; every part multiplies it with c |y_n|.
    const long double bound = truth.share(truth.user_condition(items, user)) * pull *
                                  std::sqrt(Truth::square(items, static_cast<std::size_t>(i))) / truth.problem.user_penalty[user] +
                              static_cast<long double>((std::numeric_limits<Scalar>::min)());
    check(std::abs(static_cast<long double>(why.score) - score) <= bound, "explain: the score");
    check(std::abs(sum - score) <= bound, "explain: the sum of the parts");
  }
}

/// A model whose predict() is a table: brute force asks for every score many times.
template <typename Model>
class Tabled {
 public:
  explicit Tabled(const Model& model) : model_(model) {
    for (kd::Index u = 0; u < shape().users; ++u)
      for (kd::Index i = 0; i < shape().items; ++i) scores_.push_back(model.predict(u, i));
  }
  [[nodiscard]] kd::MatrixShape shape() const { return model_.shape(); }
  [[nodiscard]] double predict(kd::Index user, kd::Index item) const {
    return scores_[static_cast<std::size_t>(user * shape().items + item)];
  }
  [[nodiscard]] bool knows(kd::Index user) const requires requires(const Model& model) { model.knows(user); }
  { return model_.knows(user); }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    return model_.recommend(user, options);
  }
  [[nodiscard]] kd::RankedLists recommend_all(std::span<const kd::Index> users, const kd::RecommendAllOptions& options) const {
    return model_.recommend_all(users, options);
  }

 private:
  const Model& model_;
  std::vector<double> scores_;
};

void check_estimate(const kd::MeanAndError& found, const kindred_test::BruteEstimate& wanted, const char* what) {
  check(std::abs(found.mean - wanted.mean) < 1e-12 && std::abs(found.standard_error - wanted.standard_error) < 1e-12, what);
}

template <typename Model>
void check_evaluation(const Model& model, const kd::TrainTestSplit& split) {
  const std::vector<std::size_t> cutoffs{1, 3, 7};
  std::vector<std::vector<kd::Index>> lists;
  std::vector<kd::Index> users(static_cast<std::size_t>(split.train.rows()));
  std::iota(users.begin(), users.end(), 0);
  const kd::CsrMatrix known = kd::without_zeros(split.train);
  for (const kd::Index u : users) {
    lists.emplace_back();
    for (const kd::Scored& one : kindred_test::brute_force_recommend(model, known, u, {.count = 7, .exclude = known.row(u)}))
      lists.back().push_back(one.item);
  }
  const kindred_test::BruteReport wanted = kindred_test::brute_force_evaluate(lists, split.train, split.test, users, cutoffs);
  try {
    const kd::RankingReport found = kd::evaluate(model, split.train, split.test, {.cutoffs = cutoffs, .execution = {.threads = 1}});
    check(wanted.users > 0, "evaluate: nobody to measure");
    check(static_cast<std::size_t>(found.users) == wanted.users &&
              static_cast<std::size_t>(found.users_without_test) == wanted.users_without_test &&
              static_cast<std::size_t>(found.test_interactions) == wanted.test_interactions &&
              static_cast<std::size_t>(found.untrained_test_items) == wanted.untrained_test_items,
          "evaluate: counts");
    for (const std::size_t cutoff : cutoffs) {
      const kindred_test::BruteCutoff& brute = wanted.cutoffs.at(cutoff);
      check_estimate(found.at(cutoff).precision, brute.precision, "evaluate: precision");
      check_estimate(found.at(cutoff).recall, brute.recall, "evaluate: recall");
      check_estimate(found.at(cutoff).ndcg, brute.ndcg, "evaluate: NDCG");
      check_estimate(found.at(cutoff).map, brute.map, "evaluate: MAP");
      check_estimate(found.at(cutoff).mrr, brute.mrr, "evaluate: MRR");
      check_estimate(found.at(cutoff).hit_rate, brute.hit_rate, "evaluate: hit rate");
      check(static_cast<std::size_t>(found.at(cutoff).distinct_items) == brute.distinct.size(), "evaluate: coverage");
    }
    check(std::abs(found.novelty - wanted.novelty) < 1e-12, "evaluate: novelty");
    check(std::abs(found.gini - wanted.gini) < 1e-12, "evaluate: Gini");
  } catch (const kd::InvalidArgument&) {
    bool lists_something = false;
    for (const kd::Index u : users) {
      const std::span<const float> wished_for = split.test.row(u).values;
      lists_something = lists_something || (!lists[static_cast<std::size_t>(u)].empty() &&
                                            std::any_of(wished_for.begin(), wished_for.end(), [](float value) { return value > 0.0F; }));
    }
    check(wanted.users == 0 || !lists_something, "evaluate refuses what it can measure");
  }
}

template <typename Scalar>
void check_round_trip(const kd::ImplicitALS<Scalar>& model, const kd::Execution& run, const kd::CsrView& train) {
  std::stringstream stream;
  kd::save(model, stream);
  const kd::LoadOptions options{.confidence_function = model.options().confidence.function, .execution = {.threads = 1, .simd = run.simd}};
  const auto loaded = kd::load<kd::ImplicitALS<Scalar>>(stream, options);
  check(loaded.user_factors().same_bytes(model.user_factors()) && loaded.item_factors().same_bytes(model.item_factors()), "load: factors");
  for (kd::Index u = 0; u < (std::min)(train.rows(), kd::Index{2}); ++u) {
    check(loaded.recommend(u, {.exclude = train.row(u)}) == model.recommend(u, {.exclude = train.row(u)}), "load: lists");
    check(loaded.fold_in(train.row(u)) == model.fold_in(train.row(u)), "load: fold_in");
  }
}

template <typename Scalar>
void check_model(const kd::AlsOptions& options, const kd::Execution& run, const kd::TrainTestSplit& split, std::uint8_t choice) {
  const kd::CsrMatrix& train = split.train;
  const auto stored = std::count_if(train.values().begin(), train.values().end(), [](float value) { return value != 0.0F; });
  kd::ImplicitALS<Scalar> model(options);
  const kd::FactorMatrix<Scalar> start =
      kindred_test::random_factors<Scalar>(train.rows(), static_cast<kd::Index>(*options.factors), 0.5, options.seed);
  if (stored == 0) {
    try {
      model.fit(train);
    } catch (const kd::InvalidArgument&) {
      return;
    }
    fail("fit learns from nothing");
  }
  const bool exact = options.solver.kind == kd::Solver::cholesky;
  const bool given = (choice & 2) != 0;
  const Truth truth(options, train, static_cast<long double>(std::numeric_limits<Scalar>::epsilon()));
  Rows<long double> before(start);
  bool know_before = given;
  typename kd::ImplicitALS<Scalar>::FitOptions fit{.record_loss = (choice & 4) != 0, .execution = run};
  if (given) fit.initial_users = start;
  fit.after_iteration = [&](const kd::ImplicitALS<Scalar>& so_far, const kd::FitReport::Iteration& report) {
    for (const auto* factors : {&so_far.user_factors(), &so_far.item_factors()})
      for (kd::Index r = 0; r < factors->rows(); ++r)
        for (const Scalar value : factors->row(r)) check(std::isfinite(value), "a factor that is not finite");
    if (!exact) return;
    if (know_before) check_items(truth, before, so_far);
    check_users(truth, so_far);
    before = Rows<long double>(so_far.user_factors());
    know_before = true;
    if (!report.loss) return;
    const kindred_test::TextbookModel copy{before, Rows<long double>(so_far.item_factors())};
    const long double wanted = kindred_test::textbook_loss(truth.problem, copy);
    long double scale = wanted;
    for (const long double one : truth.problem.confidence) scale += one;
    for (std::size_t u = 0; u < truth.problem.users; ++u)
      for (std::size_t i = 0; i < truth.problem.items; ++i)
        scale += truth.background[truth.problem.cell(u, i)] * copy.score(u, i) * copy.score(u, i);
    check(std::abs(static_cast<long double>(report.loss->total) - wanted) <= 1000.0L * truth.eps * scale, "the loss");
  };
  try {
    model.fit(train, fit);
  } catch (const kd::NumericalError& error) {
    check(!model.fitted(), "a fit that failed left something");
    if (exact && given) check_failure(truth, Rows<long double>(start), options, error.what());
    return;
  }

  const Tabled tabled(model);
  const Rows<long double> users(model.user_factors()), items(model.item_factors());
  for (std::size_t u = 0; u < users.rows; ++u)
    for (std::size_t i = 0; i < items.rows; ++i) {
      long double scale = 0.0L;
      for (std::size_t f = 0; f < users.factors; ++f) scale += std::abs(users.at(u, f) * items.at(i, f));
      const auto score = static_cast<long double>(tabled.predict(static_cast<kd::Index>(u), static_cast<kd::Index>(i)));
      check(std::abs(score - dot(users, u, items, i)) <=
                static_cast<long double>(users.factors + 2) *
                    (truth.eps * scale + static_cast<long double>((std::numeric_limits<Scalar>::min)())),
            "predict");
    }
  // Lists leave out stored zeros as they do everything else in a row.
  check(kindred_test::agrees_with_brute_force(tabled, train, options.seed, 1), "recommend");
  check_evaluation(tabled, split);
  if (exact) check_explanations(truth, model, train);
  check_round_trip(model, run, train);
}

}  // namespace

void differential(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t choice = input.byte();
  kd::Execution run;
  const kd::AlsOptions options = options_of(input, run);
  const kd::MatrixShape shape{static_cast<kd::Index>(1 + input.below(10)), static_cast<kd::Index>(1 + input.below(10))};
  Input filters = input, splits = input;  // they take the first cells for choices too
  for (int n = 0; n < 5; ++n) (void)splits.byte();
  const kd::Dataset data = kindred_test::dataset_of(matrix_of(input, shape), options.seed);
  const kd::Dataset kept = check_filters(filters, data);
  const kd::TrainTestSplit split = check_splits(splits, (choice & 8) != 0 ? kept : data);
  if (split.train.rows() == 0 || split.train.cols() == 0) return;
  kd::PopularityRecommender popularity(
      {.by = (choice & 16) != 0 ? kd::PopularityOptions::By::users : kd::PopularityOptions::By::summed_values});
  if (split.train.nnz() > 0) {
    popularity.fit(split.train);
    check(kindred_test::agrees_with_brute_force(Tabled(popularity), split.train, options.seed, 1), "recommend by popularity");
    check_evaluation(popularity, split);
  }
  // Nothing holds the factors: the options must say so.
  try {
    kd::validate(options);
  } catch (const kd::InvalidArgument&) {
    check(options.background.weight == 0.0 && options.regularization == 0.0, "validate");
    return;
  }
  (choice & 1) != 0 ? check_model<double>(options, run, split, choice) : check_model<float>(options, run, split, choice);
}

}  // namespace kindred_fuzz
