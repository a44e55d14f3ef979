// SPDX-License-Identifier: MIT
// Implicit ALS as a textbook writes it: dense matrices of weights, every pair visited, one full k x k system a row. Slow and plain, written from the
// objective at AlsOptions and sharing no code with the library: the reference that the fast solver has to agree with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/statistics.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred_test {

/// n_rows x factors, row-major, without padding.
template <typename T>
struct Rows {
  std::size_t rows = 0;
  std::size_t factors = 0;
  std::vector<T> values;

  Rows() = default;
  Rows(std::size_t n_rows, std::size_t n_factors) : rows(n_rows), factors(n_factors), values(n_rows * n_factors, T(0)) {}
  template <typename Scalar>
  explicit Rows(const kindred::FactorMatrix<Scalar>& matrix)
      : Rows(static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.factors())) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t f = 0; f < factors; ++f) at(r, f) = static_cast<T>(matrix.row(static_cast<kindred::Index>(r))[f]);
  }

  T& at(std::size_t r, std::size_t f) { return values[r * factors + f]; }
  const T& at(std::size_t r, std::size_t f) const { return values[r * factors + f]; }
};

/// Every weight of the objective, pair by pair. Dense matrices are n_users x n_items, row-major.
struct TextbookProblem {
  std::size_t users = 0;
  std::size_t items = 0;
  std::vector<long double> confidence;  ///< c, 0 where not observed.
  std::vector<long double> preference;  ///< p, 0 where not observed.
  std::vector<long double> background;  ///< w0 a_u b_i where the pair is in the background, else 0.
  std::vector<long double> user_penalty;
  std::vector<long double> item_penalty;
  std::size_t observed = 0;

  [[nodiscard]] std::size_t cell(std::size_t u, std::size_t i) const { return u * items + i; }
};

/// The objective of `o` on `train`, in long double.
inline TextbookProblem textbook_problem(const kindred::AlsOptions& options, const kindred::CsrView& train) {
  const kindred::detail::AlsSettings o = kindred::detail::settings_of(options);
  const bool of_data = o.units == kindred::Units::data;
  TextbookProblem p;
  p.users = static_cast<std::size_t>(train.rows());
  p.items = static_cast<std::size_t>(train.cols());
  const std::size_t cells = p.users * p.items;
  std::vector<long double> value(cells, 0.0L);
  std::vector<double> magnitudes;
  std::vector<long double> n_u(p.users, 0.0L), n_i(p.items, 0.0L), likes_u(p.users, 0.0L), likes_i(p.items, 0.0L);
  long double likes = 0.0L;
  for (std::size_t u = 0; u < p.users; ++u) {
    const kindred::SparseRow row = train.row(static_cast<kindred::Index>(u));
    for (std::size_t n = 0; n < row.size(); ++n) {
      if (row.values[n] == 0.0F) continue;
      const auto i = static_cast<std::size_t>(row.columns[n]);
      value[p.cell(u, i)] = static_cast<long double>(row.values[n]);
      magnitudes.push_back(std::abs(static_cast<double>(row.values[n])));
      ++n_u[u];
      ++n_i[i];
      ++p.observed;
      if (of_data && row.values[n] < 0.0F) continue;
      ++likes_u[u];
      ++likes_i[i];
      ++likes;
    }
  }

  long double cap = o.cap ? static_cast<long double>(*o.cap) : HUGE_VALL;
  if (o.cap_quantile) {  // linear interpolation between the neighbours
    std::sort(magnitudes.begin(), magnitudes.end());
    const long double place = static_cast<long double>(*o.cap_quantile) * static_cast<long double>(magnitudes.size() - 1);
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = (std::min)(low + 1, magnitudes.size() - 1);
    const auto below = static_cast<long double>(magnitudes[low]), above = static_cast<long double>(magnitudes[high]);
    cap = below + (place - static_cast<long double>(low)) * (above - below);
  }
  const auto mean_one = [](const std::vector<long double>& counts, double exponent) {
    std::vector<long double> weights(counts.size(), 1.0L);
    if (exponent == 0.0) return weights;
    long double sum = 0.0L;
    for (std::size_t n = 0; n < counts.size(); ++n) sum += weights[n] = std::pow(counts[n], static_cast<long double>(exponent));
    for (long double& weight : weights) weight *= static_cast<long double>(counts.size()) / sum;
    return weights;
  };
  const std::vector<long double> a = mean_one(likes_u, o.user_exponent), b = mean_one(likes_i, o.item_exponent);
  const long double density = likes / static_cast<long double>(cells);
  const long double w0 = o.ratio ? static_cast<long double>(*o.ratio) * density : static_cast<long double>(o.weight);
  const long double mean_n = likes / static_cast<long double>(p.items);

  long double log_scale = o.log_scale ? static_cast<long double>(*o.log_scale) : 0.0L;
  if (!o.log_scale) {
    std::vector<double> liked;
    for (const long double r : value)
      if (r > 0.0L) liked.push_back(static_cast<double>(r));
    log_scale = static_cast<long double>(kindred::statistics::quantile(liked, 0.05));
  }
  const auto g = [&](std::size_t u, std::size_t i) -> long double {
    const long double r = (std::min)(std::abs(value[p.cell(u, i)]), cap);
    if (o.curve == kindred::Confidence::log) return std::log(1.0L + r / log_scale);
    if (o.curve == kindred::Confidence::one) return 1.0L;
    if (o.curve == kindred::Confidence::custom)
      return static_cast<long double>(
          o.function(static_cast<double>(r), static_cast<kindred::Offset>(n_u[u]), static_cast<kindred::Offset>(n_i[i])));
    return r;
  };
  long double alpha = static_cast<long double>(o.alpha);
  if (of_data) {
    long double sum = 0.0L;
    for (std::size_t u = 0; u < p.users; ++u)
      for (std::size_t i = 0; i < p.items; ++i)
        if (value[p.cell(u, i)] > 0.0L) sum += g(u, i);
    alpha = (1.0L - static_cast<long double>(o.base)) * likes / sum;
  }

  p.confidence.assign(cells, 0.0L);
  p.preference.assign(cells, 0.0L);
  p.background.assign(cells, 0.0L);
  for (std::size_t u = 0; u < p.users; ++u) {
    for (std::size_t i = 0; i < p.items; ++i) {
      const std::size_t at = p.cell(u, i);
      const bool observed = value[at] != 0.0L;
      if (!observed || o.pairs == kindred::Background::all) p.background[at] = w0 * a[u] * b[i];
      if (!observed) continue;
      const long double strength = g(u, i) * (value[at] < 0.0L ? static_cast<long double>(o.dislike_weight) : 1.0L);
      p.confidence[at] = (static_cast<long double>(o.base) + alpha * strength) *
                         std::pow(likes_i[i] / mean_n, -static_cast<long double>(o.popularity_damping));
      if (likes_i[i] == 0.0L && o.popularity_damping > 0.0) p.confidence[at] = 0.0L;
      p.preference[at] = value[at] > 0.0L ? 1.0L : 0.0L;
    }
  }
  const auto nu = static_cast<long double>(o.regularization_exponent);
  const auto penalty = [&](long double n, long double mean, long double background) {
    const auto mu = static_cast<long double>(o.regularization);
    if (!of_data) return mu * std::pow(n + background, nu);
    return mu * mean * std::pow((n + background) / (mean * (1.0L + static_cast<long double>(*o.ratio))), nu);
  };
  for (std::size_t u = 0; u < p.users; ++u)
    p.user_penalty.push_back(penalty(likes_u[u], likes / static_cast<long double>(p.users), w0 * a[u] * static_cast<long double>(p.items)));
  for (std::size_t i = 0; i < p.items; ++i)
    p.item_penalty.push_back(penalty(likes_i[i], mean_n, w0 * b[i] * static_cast<long double>(p.users)));
  return p;
}

/// Minimises sum_n c_n (p_n - x.y_n)^2 + sum_n w_n (x.y_n)^2 + penalty |x - prior|^2 over x: the normal equations, by Gaussian elimination without
/// pivoting (they are symmetric and positive definite). All spans have the length of `fixed`'s rows; `prior` may be empty for zero.
template <typename T>
std::vector<T> textbook_row(const Rows<T>& fixed, const std::vector<T>& confidence, const std::vector<T>& preference,
                            const std::vector<T>& background, T penalty, const std::vector<T>& prior = {}) {
  const std::size_t k = fixed.factors;
  std::vector<T> a(k * k, T(0)), x(k, T(0));
  for (std::size_t f = 0; f < k; ++f) {
    a[f * k + f] = penalty;
    if (!prior.empty()) x[f] = penalty * prior[f];
  }
  for (std::size_t n = 0; n < fixed.rows; ++n) {
    const T* y = &fixed.values[n * k];
    for (std::size_t f = 0; f < k; ++f) {
      const T weighted = (confidence[n] + background[n]) * y[f];
      for (std::size_t g = f; g < k; ++g) a[f * k + g] += weighted * y[g];
      x[f] += confidence[n] * preference[n] * y[f];
    }
  }
  // Nothing pulls away from 0, the least that a sum of squares can be; the weights may all be 0 too, which has no other answer.
  if (std::all_of(x.begin(), x.end(), [](T value) { return value == T(0); })) return x;
  for (std::size_t f = 0; f < k; ++f) {
    for (std::size_t row = f + 1; row < k; ++row) {
      const T factor = a[f * k + row] / a[f * k + f];  // the lower triangle mirrors the upper
      for (std::size_t g = row; g < k; ++g) a[row * k + g] -= factor * a[f * k + g];
      x[row] -= factor * x[f];
    }
  }
  for (std::size_t f = k; f-- > 0;) {
    for (std::size_t g = f + 1; g < k; ++g) x[f] -= a[f * k + g] * x[g];
    x[f] /= a[f * k + f];
  }
  return x;
}

/// The same minimiser as that of a stack of equations, sqrt(c) y.x = sqrt(c) p, sqrt(w) y.x = 0 and sqrt(penalty) x = 0, by Householder's orthogonal
/// triangularisation with the heaviest rows first and columns exchanged: right also where weights differ by 40 and more orders of magnitude, which squares
/// them out of the normal equations. Source: Higham 2002, section 20.8 (row-wise stability).
template <typename T>
std::vector<T> least_squares_row(const Rows<T>& fixed, const std::vector<T>& confidence, const std::vector<T>& preference,
                                 const std::vector<T>& background, T penalty) {
  const std::size_t k = fixed.factors;
  std::vector<std::vector<T>> rows;  // k coefficients and the right-hand side
  const auto add = [&](const T* y, T weight, T target) {
    if (!(weight > T(0))) return;
    std::vector<T> row(k + 1);
    for (std::size_t f = 0; f < k; ++f) row[f] = std::sqrt(weight) * y[f];
    row[k] = std::sqrt(weight) * target;
    rows.push_back(std::move(row));
  };
  for (std::size_t n = 0; n < fixed.rows; ++n) {
    add(&fixed.values[n * k], confidence[n], preference[n]);
    add(&fixed.values[n * k], background[n], T(0));
  }
  std::vector<T> unit(k, T(0));
  for (std::size_t f = 0; f < k; ++f) {
    unit[f] = T(1);
    add(unit.data(), penalty, T(0));
    unit[f] = T(0);
  }
  const auto largest = [&](const std::vector<T>& row) {
    T most = T(0);
    for (std::size_t f = 0; f < k; ++f) most = (std::max)(most, std::abs(row[f]));
    return most;
  };
  std::sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return largest(a) > largest(b); });
  while (rows.size() < k) rows.emplace_back(k + 1, T(0));

  std::vector<std::size_t> place(k);
  for (std::size_t f = 0; f < k; ++f) place[f] = f;
  std::size_t rank = 0;
  for (; rank < k; ++rank) {
    std::size_t pivot = rank;
    T most = T(0);
    for (std::size_t f = rank; f < k; ++f) {
      T squares = T(0);
      for (std::size_t r = rank; r < rows.size(); ++r) squares += rows[r][f] * rows[r][f];
      if (squares > most) most = squares, pivot = f;
    }
    if (!(most > T(0))) break;
    for (auto& row : rows) std::swap(row[rank], row[pivot]);
    std::swap(place[rank], place[pivot]);
    // The heaviest row on top, so that the reflection adds numbers of one size.
    std::size_t top = rank;
    for (std::size_t r = rank; r < rows.size(); ++r)
      if (std::abs(rows[r][rank]) > std::abs(rows[top][rank])) top = r;
    std::swap(rows[rank], rows[top]);
    const T norm = rows[rank][rank] > T(0) ? -std::sqrt(most) : std::sqrt(most);
    std::vector<T> v(rows.size(), T(0));
    v[rank] = rows[rank][rank] - norm;
    for (std::size_t r = rank + 1; r < rows.size(); ++r) v[r] = rows[r][rank];
    const T scale = -v[rank] * norm;  // |v|^2 / 2
    for (std::size_t f = rank; f <= k; ++f) {
      T dot = T(0);
      for (std::size_t r = rank; r < rows.size(); ++r) dot += v[r] * rows[r][f];
      for (std::size_t r = rank; r < rows.size(); ++r) rows[r][f] -= v[r] * (dot / scale);
    }
  }
  std::vector<T> x(k, T(0));
  for (std::size_t f = rank; f-- > 0;) {
    T sum = rows[f][k];
    for (std::size_t g = f + 1; g < rank; ++g) sum -= rows[f][g] * x[place[g]];
    x[place[f]] = sum / rows[f][f];
  }
  return x;
}

namespace textbook_detail {

template <typename T>
std::vector<T> column_of(const TextbookProblem& p, const std::vector<long double>& dense, std::size_t item) {
  std::vector<T> column;
  for (std::size_t u = 0; u < p.users; ++u) column.push_back(static_cast<T>(dense[p.cell(u, item)]));
  return column;
}

template <typename T>
std::vector<T> row_of(const TextbookProblem& p, const std::vector<long double>& dense, std::size_t user) {
  std::vector<T> row;
  for (std::size_t i = 0; i < p.items; ++i) row.push_back(static_cast<T>(dense[p.cell(user, i)]));
  return row;
}

}  // namespace textbook_detail

/// The factors of one user while the items are fixed.
template <typename T>
std::vector<T> textbook_user(const TextbookProblem& p, const Rows<T>& items, std::size_t user, const std::vector<T>& prior = {}) {
  using textbook_detail::row_of;
  return textbook_row<T>(items, row_of<T>(p, p.confidence, user), row_of<T>(p, p.preference, user), row_of<T>(p, p.background, user),
                         static_cast<T>(p.user_penalty[user]), prior);
}

/// The factors of one item while the users are fixed.
template <typename T>
std::vector<T> textbook_item(const TextbookProblem& p, const Rows<T>& users, std::size_t item, const std::vector<T>& prior = {}) {
  using textbook_detail::column_of;
  return textbook_row<T>(users, column_of<T>(p, p.confidence, item), column_of<T>(p, p.preference, item),
                         column_of<T>(p, p.background, item), static_cast<T>(p.item_penalty[item]), prior);
}

/// The same by least_squares_row.
template <typename T>
std::vector<T> least_squares_user(const TextbookProblem& p, const Rows<T>& items, std::size_t user) {
  using textbook_detail::row_of;
  return least_squares_row<T>(items, row_of<T>(p, p.confidence, user), row_of<T>(p, p.preference, user), row_of<T>(p, p.background, user),
                              static_cast<T>(p.user_penalty[user]));
}
template <typename T>
std::vector<T> least_squares_item(const TextbookProblem& p, const Rows<T>& users, std::size_t item) {
  using textbook_detail::column_of;
  return least_squares_row<T>(users, column_of<T>(p, p.confidence, item), column_of<T>(p, p.preference, item),
                              column_of<T>(p, p.background, item), static_cast<T>(p.item_penalty[item]));
}

struct TextbookModel {
  Rows<long double> users;
  Rows<long double> items;

  [[nodiscard]] long double score(std::size_t u, std::size_t i) const {
    long double sum = 0.0L;
    for (std::size_t f = 0; f < users.factors; ++f) sum += users.at(u, f) * items.at(i, f);
    return sum;
  }
};

/// Which of the two ways a row is solved.
enum class TextbookRows { normal_equations, least_squares };

/// `iterations` times all items, then all users, from `users`.
inline TextbookModel textbook_fit(const TextbookProblem& p, Rows<long double> users, std::size_t iterations,
                                  TextbookRows way = TextbookRows::normal_equations) {
  TextbookModel model{std::move(users), {}};
  model.items = Rows<long double>(p.items, model.users.factors);
  for (std::size_t iteration = 0; iteration < iterations; ++iteration) {
    for (std::size_t i = 0; i < p.items; ++i) {
      const std::vector<long double> y = way == TextbookRows::normal_equations ? textbook_item<long double>(p, model.users, i)
                                                                               : least_squares_item<long double>(p, model.users, i);
      std::copy(y.begin(), y.end(), &model.items.at(i, 0));
    }
    for (std::size_t u = 0; u < p.users; ++u) {
      const std::vector<long double> x = way == TextbookRows::normal_equations ? textbook_user<long double>(p, model.items, u)
                                                                               : least_squares_user<long double>(p, model.items, u);
      std::copy(x.begin(), x.end(), &model.users.at(u, 0));
    }
  }
  return model;
}

/// The objective, over all pairs.
inline long double textbook_loss(const TextbookProblem& p, const TextbookModel& model) {
  long double loss = 0.0L;
  for (std::size_t u = 0; u < p.users; ++u) {
    for (std::size_t i = 0; i < p.items; ++i) {
      const std::size_t at = p.cell(u, i);
      const long double score = model.score(u, i);
      loss += p.confidence[at] * (p.preference[at] - score) * (p.preference[at] - score) + p.background[at] * score * score;
    }
    for (std::size_t f = 0; f < model.users.factors; ++f) loss += p.user_penalty[u] * model.users.at(u, f) * model.users.at(u, f);
  }
  for (std::size_t i = 0; i < p.items; ++i)
    for (std::size_t f = 0; f < model.items.factors; ++f) loss += p.item_penalty[i] * model.items.at(i, f) * model.items.at(i, f);
  return loss;
}

/// |a - b| / |b|, or |a| where b is 0.
template <typename A, typename B>
long double distance(const A& a, const B& b) {
  long double difference = 0.0L, norm = 0.0L;
  for (std::size_t n = 0; n < b.size(); ++n) {
    const auto d = static_cast<long double>(a[n]) - static_cast<long double>(b[n]);
    difference += d * d;
    norm += static_cast<long double>(b[n]) * static_cast<long double>(b[n]);
  }
  return norm > 0.0L ? std::sqrt(difference / norm) : std::sqrt(difference);
}

/// Standard normal entries times `sd`.
template <typename Scalar>
kindred::FactorMatrix<Scalar> random_factors(kindred::Index rows, kindred::Index factors, double sd, std::uint64_t seed) {
  kindred::FactorMatrix<Scalar> matrix(rows, factors);
  for (kindred::Index r = 0; r < rows; ++r) {
    kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
    for (Scalar& value : matrix.row(r)) value = static_cast<Scalar>(sd * random.normal());
  }
  return matrix;
}

/// `matrix` with about one value in `one_in` turned into a dislike.
inline std::vector<float> with_dislikes(std::span<const float> values, std::uint32_t one_in, std::uint64_t seed) {
  kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, 999'999);
  std::vector<float> signed_values(values.begin(), values.end());
  for (float& value : signed_values)
    if (random.below(one_in) == 0) value = -value;
  return signed_values;
}

}  // namespace kindred_test
