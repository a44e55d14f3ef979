// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <kindred/kindred.hpp>

namespace reproduce {

/// A linear model of items on items with a closed form: B = I - P diag(P)^-1, P = (X'X + lambda I)^-1, scores x B, with X = log(1 + plays) or 1 a pair.
///
/// Dense, items x items: for catalogues of some thousands. A model of somebody else's for Kindred: it meets RecommenderModel, so evaluate() takes it.
/// Source: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
class Ease {
 public:
  struct Options {
    double regularization = 300.0;
    bool log_counts = true;
  };

  explicit Ease(Options options) : options_(options) {}

  void fit(const kindred::CsrView& train) {
    const Eigen::Index items = train.cols();
    Eigen::MatrixXf gram = Eigen::MatrixXf::Zero(items, items);
    for (kindred::Index u = 0; u < train.rows(); ++u) {
      const kindred::SparseRow row = train.row(u);
      for (std::size_t a = 0; a < row.size(); ++a)
        for (std::size_t b = 0; b < row.size(); ++b) gram(row.columns[b], row.columns[a]) += weight(row.values[a]) * weight(row.values[b]);
    }
    gram.diagonal().array() += static_cast<float>(options_.regularization);
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> factorised(gram);
    weights_ = factorised.solve(Eigen::MatrixXf::Identity(items, items));
    const Eigen::VectorXf diagonal = weights_.diagonal();
    for (Eigen::Index column = 0; column < items; ++column) weights_.col(column) /= -diagonal[column];
    weights_.diagonal().setZero();
    weights_.transposeInPlace();  // what an item votes for is read in one piece

    train_ = kindred::CsrMatrix(train.shape(), {train.offsets().begin(), train.offsets().end()},
                                {train.columns().begin(), train.columns().end()}, {train.values().begin(), train.values().end()});
    trained_.assign(static_cast<std::size_t>(items), false);
    for (const kindred::Index column : train.columns()) trained_[static_cast<std::size_t>(column)] = true;
  }

  [[nodiscard]] kindred::MatrixShape shape() const { return train_.shape(); }

  [[nodiscard]] std::vector<kindred::Scored> recommend(kindred::Index user, const kindred::RecommendOptions& options) const {
    Eigen::VectorXf scores = Eigen::VectorXf::Zero(weights_.cols());
    const kindred::SparseRow row = train_.row(user);
    for (std::size_t n = 0; n < row.size(); ++n) scores += weight(row.values[n]) * weights_.col(row.columns[n]);
    std::vector<kindred::Scored> list;
    for (kindred::Index item = 0; item < train_.cols(); ++item)
      if (trained_[static_cast<std::size_t>(item)] && !std::binary_search(options.exclude.begin(), options.exclude.end(), item) &&
          (!options.filter.allow || std::binary_search(options.filter.allow->begin(), options.filter.allow->end(), item)))
        list.push_back({item, static_cast<double>(scores[item])});
    const auto middle = list.begin() + static_cast<std::ptrdiff_t>((std::min)(options.count, list.size()));
    std::partial_sort(list.begin(), middle, list.end(), kindred::ranks_before);
    list.erase(middle, list.end());
    return list;
  }

 private:
  [[nodiscard]] float weight(float plays) const { return options_.log_counts ? std::log1p(plays) : 1.0F; }

  Options options_;
  kindred::CsrMatrix train_;
  std::vector<bool> trained_;
  Eigen::MatrixXf weights_;  // column i: what item i votes for
};

}  // namespace reproduce
