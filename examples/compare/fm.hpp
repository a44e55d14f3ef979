// SPDX-License-Identifier: MIT
// A factorization machine of second order, trained by gradient with libtorch.
// Rendle, "Factorization machines", ICDM 2010; its loss for lists: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR", UAI 2009.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include <kindred/kindred.hpp>

#include "../random_numbers.hpp"
#include "adam.hpp"

namespace compare {

namespace kd = kindred;

struct FmOptions {
  std::int64_t factors = 64;
  std::size_t batch = 4096;
  float rate = 0.003F;
  double penalty = 1e-3;  ///< On the squares of the summed factors of what a batch draws.
  double forget =
      0.0;  ///< The share of rows and columns with features whose ids a batch does not see, so that features learn to stand alone.
  std::size_t epochs = 60;   ///< At most.
  std::size_t patience = 5;  ///< Measurements without a better validation before the end.
  std::uint64_t seed = 1;
};

/// Ranks columns for a row: of two columns the one that train has gets the higher score.
///
///   score = bias + sum of w_f x_f + sum over pairs of features of v_f . v_g x_f x_g, over ids and features of a row and of a column
/// Parts of the row alone do not change the order of its columns and are left out.
class FactorizationMachine {
 public:
  /// A value to be maximised, of a model in training.
  using Validation = std::function<double(const FactorizationMachine&)>;

  explicit FactorizationMachine(FmOptions options) : options_(options) {}

  /// With a validation the weights of the best epoch are kept. Tables have a row for each row and column of train.
  void fit(const kd::CsrView& train, const kd::FeatureTable& rows, const kd::FeatureTable& columns, const Validation& validation = {}) {
    torch::manual_seed(options_.seed);
    rows_ = side_of(rows), columns_ = side_of(columns);
    std::vector<std::pair<kd::Index, kd::Index>> pairs;
    for (kd::Index r = 0; r < train.rows(); ++r)
      for (const kd::Index c : train.row(r).columns) pairs.emplace_back(r, c);
    epochs_ = 0;
    double highest = -1.0;
    std::pair<torch::Tensor, torch::Tensor> best;
    for (std::size_t epoch = 1; epoch <= options_.epochs; ++epoch) {
      run_epoch(train, pairs, epoch);
      if (!validation) continue;
      const double value = validation(*this);
      if (value > highest) {
        highest = value;
        best = {rows_.values.clone(), columns_.values.clone()};
        epochs_ = epoch;
      } else if (epoch >= epochs_ + options_.patience) {
        break;
      }
    }
    if (validation) rows_.values = best.first, columns_.values = best.second;
  }

  [[nodiscard]] std::size_t epochs() const { return epochs_; }

  /// Scores of all columns for rows of train: rows x columns.
  [[nodiscard]] torch::Tensor scores(const std::vector<std::int64_t>& rows) const {
    const torch::NoGradGuard constant;
    return scores_of(taken(rows_, entries(rows_)).factors.index_select(0, torch::tensor(rows)));
  }

  /// Scores of all columns for new rows, of which only features are known.
  [[nodiscard]] torch::Tensor scores(const kd::FeatureTable& fresh) const {
    const torch::NoGradGuard constant;
    Entries of;
    for (kd::Index row = 0; row < fresh.rows(); ++row) {
      const kd::SparseRow features = fresh.row(row);
      for (std::size_t n = 0; n < features.size(); ++n) of.add(row, rows_.ids + features.columns[n], features.values[n]);
    }
    of.samples = fresh.rows();
    return scores_of(taken(rows_, of).factors);
  }

 private:
  /// Ids and features of one side. A line of `values`: the factors of an id or a feature, and its weight.
  struct Side {
    const kd::FeatureTable* features = nullptr;
    std::int64_t ids = 0;
    torch::Tensor values, gradient, first, second;
  };

  /// Lines that rows or columns have.
  struct Entries {
    std::vector<std::size_t> sample, line;
    std::vector<float> value;
    std::int64_t samples = 0;

    void add(kd::Index of, std::int64_t at, float with) {
      sample.push_back(static_cast<std::size_t>(of));
      line.push_back(static_cast<std::size_t>(at));
      value.push_back(with);
    }
  };

  /// Of rows or columns: the sum of factors, and the weight with the pairs inside the side.
  struct Taken {
    torch::Tensor factors, inner;
  };

  [[nodiscard]] Side side_of(const kd::FeatureTable& features) const {
    Side side;
    side.features = &features;
    side.ids = features.rows();
    const std::int64_t lines = side.ids + features.columns().size();
    side.values = torch::randn({lines, options_.factors + 1}) * 0.05;
    side.values.select(1, options_.factors).zero_();
    side.gradient = torch::zeros_like(side.values);
    side.first = torch::zeros_like(side.values);
    side.second = torch::zeros_like(side.values);
    return side;
  }

  static Entries entries(const Side& side, examples::Random* forgetting = nullptr, double share = 0.0) {
    Entries found;
    for (kd::Index row = 0; row < side.ids; ++row) {
      const kd::SparseRow features = side.features->row(row);
      if (forgetting == nullptr || features.empty() || forgetting->uniform() >= share) found.add(row, row, 1.0F);
      for (std::size_t n = 0; n < features.size(); ++n) found.add(row, side.ids + features.columns[n], features.values[n]);
    }
    found.samples = side.ids;
    return found;
  }

  [[nodiscard]] Taken taken(const Side& side, const Entries& of) const {
    const auto k = static_cast<std::size_t>(options_.factors);
    Taken out{torch::zeros({of.samples, options_.factors}), torch::zeros({of.samples})};
    float *const factors = out.factors.data_ptr<float>(), *const inner = out.inner.data_ptr<float>();
    const float* const values = side.values.data_ptr<float>();
    for (std::size_t n = 0; n < of.line.size(); ++n) {
      const float *const line = values + of.line[n] * (k + 1), x = of.value[n];
      float* const sum = factors + of.sample[n] * k;
      float squares = 0.0F;
      for (std::size_t f = 0; f < k; ++f) {
        const float part = x * line[f];
        sum[f] += part;
        squares += part * part;
      }
      inner[of.sample[n]] += x * line[k] - 0.5F * squares;
    }
    const torch::NoGradGuard constant;
    out.inner += 0.5 * out.factors.square().sum(1);
    return out;
  }

  /// Adds the gradient of what was taken to that of its lines.
  void give_back(Side& side, const Entries& of, const Taken& out) const {
    const auto k = static_cast<std::size_t>(options_.factors);
    const torch::Tensor slopes = out.factors.grad().contiguous(), inner_slopes = out.inner.grad();
    const bool inside = inner_slopes.defined();
    const float *const factors = out.factors.data_ptr<float>(), *const slope = slopes.data_ptr<float>(),
                       *const values = side.values.data_ptr<float>();
    for (std::size_t n = 0; n < of.line.size(); ++n) {
      const float x = of.value[n], weight = inside ? x * inner_slopes.data_ptr<float>()[of.sample[n]] : 0.0F;
      const float *const line = values + of.line[n] * (k + 1), *const sum = factors + of.sample[n] * k,
                         *const towards = slope + of.sample[n] * k;
      float* const gradient = side.gradient.data_ptr<float>() + of.line[n] * (k + 1);
      for (std::size_t f = 0; f < k; ++f) gradient[f] += x * towards[f] + weight * (sum[f] - x * line[f]);
      gradient[k] += weight;
    }
  }

  [[nodiscard]] torch::Tensor scores_of(const torch::Tensor& factors) const {
    const Taken columns = taken(columns_, entries(columns_));
    return torch::addmm(columns.inner.unsqueeze(0), factors, columns.factors.t());
  }

  void run_epoch(const kd::CsrView& train, std::vector<std::pair<kd::Index, kd::Index>>& pairs, std::uint64_t epoch) {
    examples::Random random(options_.seed, 10, epoch);
    random.shuffle_front(std::span<std::pair<kd::Index, kd::Index>>(pairs), pairs.size());
    for (std::size_t from = 0; from < pairs.size(); from += options_.batch) {
      const std::size_t count = (std::min)(options_.batch, pairs.size() - from);
      std::vector<std::int64_t> rows, liked, others;
      for (std::size_t n = from; n < from + count; ++n) {
        rows.push_back(pairs[n].first);
        liked.push_back(pairs[n].second);
        const std::span<const kd::Index> has = train.row(pairs[n].first).columns;
        kd::Index other = 0;
        do other = static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(train.cols())));
        while (std::binary_search(has.begin(), has.end(), other));
        others.push_back(other);
      }
      learn(torch::tensor(rows), torch::tensor(liked), torch::tensor(others), random);
    }
  }

  void learn(const torch::Tensor& rows, const torch::Tensor& liked, const torch::Tensor& others, examples::Random& random) {
    const Entries of_rows = entries(rows_, &random, options_.forget), of_columns = entries(columns_, &random, options_.forget);
    const Taken row = taken(rows_, of_rows), column = taken(columns_, of_columns);
    for (const torch::Tensor& leaf : {row.factors, column.factors, column.inner}) leaf.set_requires_grad(true);
    const torch::Tensor of = row.factors.index_select(0, rows), better = column.factors.index_select(0, liked),
                        worse = column.factors.index_select(0, others), worse_inner = column.inner.index_select(0, others);
    const torch::Tensor high = (of * better).sum(1) + column.inner.index_select(0, liked);
    const torch::Tensor loss = torch::softplus((of * worse).sum(1) + worse_inner - high).mean() +
                               options_.penalty * (of.square().sum(1) + better.square().sum(1) + worse.square().sum(1)).mean();
    loss.backward();
    const torch::NoGradGuard constant;
    give_back(rows_, of_rows, row);
    give_back(columns_, of_columns, column);
    const double steps = static_cast<double>(++steps_);
    const AdamStep step{.rate = options_.rate * static_cast<float>(std::sqrt(1.0 - std::pow(0.999, steps)) / (1.0 - std::pow(0.9, steps)))};
    for (Side* side : {&rows_, &columns_}) {
      adam(side->values.data_ptr<float>(), side->gradient.data_ptr<float>(), side->first.data_ptr<float>(), side->second.data_ptr<float>(),
           static_cast<std::size_t>(side->values.numel()), step);
    }
  }

  FmOptions options_;
  Side rows_, columns_;
  std::int64_t steps_ = 0;
  std::size_t epochs_ = 0;
};

}  // namespace compare
