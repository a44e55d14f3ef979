// SPDX-License-Identifier: MIT
// What a call answered, as a text: every number to the bit, or the error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

namespace kindred_test {

template <typename Number>
requires std::is_arithmetic_v<Number>
inline void put(std::string& text, Number value) {
  char digits[64];
  if constexpr (std::is_floating_point_v<Number>) {
    std::uint64_t bits = 0;  // not %a, whose point is the locale's
    const double wide = static_cast<double>(value);
    static_assert(sizeof(bits) == sizeof(wide));
    __builtin_memcpy(&bits, &wide, sizeof(bits));
    std::snprintf(digits, sizeof(digits), "x%016llx ", static_cast<unsigned long long>(bits));
  } else {
    std::snprintf(digits, sizeof(digits), "%lld ", static_cast<long long>(value));
  }
  text += digits;
}
inline void put(std::string& text, const std::string& value) { text += "'" + value + "' "; }
inline void put(std::string& text, const kindred::Scored& one) {
  put(text, one.item);
  put(text, one.score);
}
inline void put(std::string& text, const kindred::MatrixShape& shape) {
  put(text, shape.users);
  put(text, shape.items);
}
inline void put(std::string& text, const kindred::CsrView& matrix) {
  put(text, matrix.shape());
  for (kindred::Index u = 0; u < matrix.rows(); ++u) {
    text += "| ";
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n) {
      put(text, matrix.row(u).columns[n]);
      put(text, matrix.row(u).values[n]);
    }
  }
}
inline void put(std::string& text, const kindred::CsrMatrix& matrix) {
  put(text, matrix.view());
  for (const kindred::Offset offset : matrix.offsets()) put(text, offset);
}
template <typename Scalar>
void put(std::string& text, const kindred::FactorMatrix<Scalar>& factors) {
  put(text, factors.rows());
  for (kindred::Index r = 0; r < factors.rows(); ++r)
    for (const Scalar value : factors.row(r)) put(text, value);
}
template <typename Scalar>
void put(std::string& text, const kindred::ImplicitALS<Scalar>& model) {
  put(text, model.user_factors());
  put(text, model.item_factors());
}
template <typename T>
void put(std::string& text, const std::vector<T>& values) {
  put(text, values.size());
  for (const T& value : values) put(text, value);
}
inline void put(std::string& text, const kindred::RankedLists& lists) {
  for (std::size_t n = 0; n < lists.size(); ++n) {
    put(text, static_cast<int>(lists.source(n)));
    for (const kindred::Scored& one : lists.row(n)) put(text, one);
  }
}
inline void put(std::string& text, const kindred::TrainTestSplit& split) {
  put(text, split.train);
  put(text, split.test);
}
inline void put(std::string& text, const kindred::EvaluationGroups& groups) {
  put(text, groups.names);
  put(text, groups.labels);
}
inline void put(std::string& text, const kindred::RankingReport& report) {
  put(text, report.protocol);
  put(text, report.novelty);
  put(text, report.gini);
  for (const kindred::CutoffReport& at : report.cutoffs)
    for (const double value :
         {at.precision.mean, at.recall.mean, at.ndcg.mean, at.ndcg.standard_error, at.map.mean, at.mrr.mean, at.coverage})
      put(text, value);
}
inline void put(std::string& text, const kindred::Explanation& explanation) {
  put(text, explanation.score);
  put(text, explanation.parts);
}
inline void put(std::string& text, const kindred::SearchResult& result) {
  put(text, result.best.value_or(1000));
  for (const kindred::SearchTrial& trial : result.trials) {
    put(text, trial.error);
    put(text, trial.metric.mean);
    put(text, trial.final_loss);
  }
}
inline void put(std::string& text, const kindred::FitReport& report) {
  for (const kindred::FitReport::Iteration& done : report.iterations)
    if (done.loss) put(text, done.loss->total);
}

/// The texts of all `values`.
template <typename... Values>
[[nodiscard]] std::string text_of(const Values&... values) {
  std::string text;
  (put(text, values), ...);
  return text;
}

/// What `call` returns, or the error it ends with.
template <typename Call>
[[nodiscard]] std::string outcome_of(const Call& call) {
  try {
    return call();
  } catch (const kindred::Error& error) {
    return std::string("Error: ") + error.what();
  }
}

}  // namespace kindred_test
