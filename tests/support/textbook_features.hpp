// SPDX-License-Identifier: MIT
// The prior means that features give, and what they cost, as MODELS of a regression are written in a textbook: dense matrices in long double, sharing no
// code with the library.
#pragma once

#include <cstddef>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

#include "textbook_als.hpp"

namespace kindred_test {

/// The features of one side, centred and weighted: everything that does not depend on factors.
struct TextbookFeatures {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<long double> centred;  ///< rows x columns; 0 for rows without features.
  std::vector<long double> ridge;    ///< Length columns.
  std::vector<bool> idle;            ///< Columns of fewer than two rows.

  [[nodiscard]] long double at(std::size_t r, std::size_t c) const { return centred[r * columns + c]; }
};

inline TextbookFeatures textbook_features(const kindred::CsrView& features, const std::vector<long double>& weights, long double tau,
                                          long double gamma) {
  TextbookFeatures t;
  t.rows = static_cast<std::size_t>(features.rows());
  t.columns = static_cast<std::size_t>(features.cols());
  t.centred.assign(t.rows * t.columns, 0.0L);
  std::vector<bool> has(t.rows, false);
  std::vector<std::size_t> users(t.columns, 0);
  long double total = 0.0L, n_rows = 0.0L;
  for (std::size_t r = 0; r < t.rows; ++r) {
    const kindred::SparseRow row = features.row(static_cast<kindred::Index>(r));
    for (std::size_t n = 0; n < row.size(); ++n) {
      t.centred[r * t.columns + static_cast<std::size_t>(row.columns[n])] = static_cast<long double>(row.values[n]);
      ++users[static_cast<std::size_t>(row.columns[n])];
    }
    has[r] = !row.empty();
    if (!has[r]) continue;
    total += weights[r];
    n_rows += 1.0L;
  }
  for (std::size_t c = 0; c < t.columns; ++c) {
    long double mean = 0.0L, spread = 0.0L;
    for (std::size_t r = 0; r < t.rows; ++r) mean += has[r] ? weights[r] * t.at(r, c) / total : 0.0L;
    for (std::size_t r = 0; r < t.rows; ++r) {
      if (!has[r]) continue;
      t.centred[r * t.columns + c] -= mean;
      spread += weights[r] * t.at(r, c) * t.at(r, c);
    }
    t.ridge.push_back(tau * spread + gamma * total / n_rows);
    t.idle.push_back(users[c] < 2);
  }
  return t;
}

/// Prior means, rows x factors, of a map, columns x factors. `map` may be empty for 0.
inline Rows<long double> textbook_priors(const TextbookFeatures& t, const Rows<long double>& map, std::size_t factors) {
  Rows<long double> prior(t.rows, factors);
  if (map.values.empty()) return prior;
  for (std::size_t r = 0; r < t.rows; ++r)
    for (std::size_t c = 0; c < t.columns; ++c)
      for (std::size_t f = 0; f < factors; ++f) prior.at(r, f) += t.at(r, c) * map.at(c, f);
  return prior;
}

/// sum_r l_r |x_r - m_r|^2 + sum_c ridge_c |A_c|^2.
inline long double textbook_penalty(const TextbookFeatures& t, const Rows<long double>& x, const Rows<long double>& map,
                                    const std::vector<long double>& weights) {
  const Rows<long double> prior = textbook_priors(t, map, x.factors);
  long double loss = 0.0L;
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t f = 0; f < x.factors; ++f) loss += weights[r] * (x.at(r, f) - prior.at(r, f)) * (x.at(r, f) - prior.at(r, f));
  for (std::size_t c = 0; c < map.rows; ++c)
    for (std::size_t f = 0; f < x.factors; ++f) loss += t.ridge[c] * map.at(c, f) * map.at(c, f);
  return loss;
}

/// The map that minimises textbook_penalty, by Gaussian elimination; 0 for idle columns.
inline Rows<long double> textbook_map(const TextbookFeatures& t, const Rows<long double>& x, const std::vector<long double>& weights) {
  const std::size_t d = t.columns;
  std::vector<long double> a(d * d, 0.0L);
  Rows<long double> map(d, x.factors);
  for (std::size_t i = 0; i < d; ++i) {
    if (t.idle[i]) {
      a[i * d + i] = 1.0L;
      continue;
    }
    for (std::size_t r = 0; r < t.rows; ++r) {
      for (std::size_t j = 0; j < d; ++j) a[i * d + j] += t.idle[j] ? 0.0L : weights[r] * t.at(r, i) * t.at(r, j);
      for (std::size_t f = 0; f < x.factors; ++f) map.at(i, f) += weights[r] * t.at(r, i) * x.at(r, f);
    }
    a[i * d + i] += t.ridge[i];
  }
  for (std::size_t p = 0; p < d; ++p) {
    for (std::size_t r = p + 1; r < d; ++r) {
      const long double factor = a[r * d + p] / a[p * d + p];
      for (std::size_t c = p; c < d; ++c) a[r * d + c] -= factor * a[p * d + c];
      for (std::size_t f = 0; f < x.factors; ++f) map.at(r, f) -= factor * map.at(p, f);
    }
  }
  for (std::size_t p = d; p-- > 0;) {
    for (std::size_t f = 0; f < x.factors; ++f) {
      for (std::size_t c = p + 1; c < d; ++c) map.at(p, f) -= a[p * d + c] * map.at(c, f);
      map.at(p, f) /= a[p * d + p];
    }
  }
  return map;
}

}  // namespace kindred_test
