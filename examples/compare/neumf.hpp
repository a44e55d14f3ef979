// SPDX-License-Identifier: MIT
// Neural matrix factorization with libtorch: He, Liao, Zhang, Nie, Hu, Chua, "Neural collaborative filtering", WWW 2017.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include <kindred/kindred.hpp>

#include "../lastfm/stopwatch.hpp"
#include "../random_numbers.hpp"
#include "adam.hpp"

namespace compare {

namespace kd = kindred;

/// The parts of the network: products of factors, layers over joined factors, or both under one output.
enum class NeumfPart { products, layers, both };

struct NeumfOptions {
  std::int64_t factors = 16;  ///< f, of the last layer of each part; layers of 4f, 2f and f, factors of 2f under them.
  std::size_t batch = 256;
  float rate = 0.001F;
  std::size_t negatives = 4;                      ///< For each positive, drawn anew for each epoch.
  std::array<std::size_t, 3> epochs{20, 20, 20};  ///< At most, of products, of layers (both by Adam) and of both (by gradient descent).
  std::size_t patience = 3;                       ///< Epochs without a better validation before a part ends.
  std::uint64_t seed = 1;
};

/// A part with its factors. Everything is trained by Adam, or by plain gradient descent where the parts were trained before.
class NeumfNetwork {
 public:
  NeumfNetwork(NeumfPart part, kd::MatrixShape shape, const NeumfOptions& options) : part_(part), factors_(options.factors) {
    const std::int64_t f = factors_, users = shape.users, items = shape.items;
    if (part != NeumfPart::layers)
      for (const std::int64_t rows : {users, items}) tables_.push_back(parameter(torch::randn({rows, f}) * 0.01));
    if (part != NeumfPart::products) {
      for (const std::int64_t rows : {users, items}) tables_.push_back(parameter(torch::randn({rows, 2 * f}) * 0.01));
      for (const auto& [in, out] : {std::pair{4 * f, 4 * f}, std::pair{4 * f, 2 * f}, std::pair{2 * f, f}}) {
        const double width = std::sqrt(6.0 / static_cast<double>(in + out));
        weights_.push_back(parameter((torch::rand({in, out}) * 2.0 - 1.0) * width));
        weights_.push_back(parameter(torch::zeros({out})));
      }
    }
    const std::int64_t last = part == NeumfPart::both ? 2 * f : f;
    weights_.push_back(parameter((torch::rand({last, 1}) * 2.0 - 1.0) * std::sqrt(3.0 / static_cast<double>(last))));
    weights_.push_back(parameter(torch::zeros({1})));
    for (Parameter& weight : weights_) weight.values.requires_grad_(true);
  }

  /// Both parts under one output, each with half of its own output's weight.
  NeumfNetwork(const NeumfNetwork& products, const NeumfNetwork& layers, kd::MatrixShape shape, const NeumfOptions& options)
      : NeumfNetwork(NeumfPart::both, shape, options) {
    const torch::NoGradGuard constant;
    const auto take = [](Parameter& to, const torch::Tensor& from) { to.values.copy_(from); };
    for (std::size_t n = 0; n < 2; ++n) {
      take(tables_[n], products.tables_[n].values);
      take(tables_[n + 2], layers.tables_[n].values);
    }
    for (std::size_t n = 0; n < 6; ++n) take(weights_[n], layers.weights_[n].values);
    take(weights_[6], 0.5 * torch::cat({products.weights_[0].values, layers.weights_[6].values}));
    take(weights_[7], 0.5 * (products.weights_[1].values + layers.weights_[7].values));
  }

  NeumfNetwork(const NeumfNetwork&) = delete;
  NeumfNetwork& operator=(const NeumfNetwork&) = delete;
  NeumfNetwork(NeumfNetwork&&) noexcept = default;
  NeumfNetwork& operator=(NeumfNetwork&&) noexcept = default;
  ~NeumfNetwork() = default;

  /// One step on the mean binary cross entropy of a batch.
  void learn(const torch::Tensor& users, const torch::Tensor& items, const torch::Tensor& labels, float rate) {
    std::vector<torch::Tensor> rows;
    for (std::size_t t = 0; t < tables_.size(); ++t)
      rows.push_back(tables_[t].values.index_select(0, t % 2 == 0 ? users : items).requires_grad_(true));
    torch::binary_cross_entropy_with_logits(logits(rows), labels).backward();
    const torch::NoGradGuard constant;
    if (part_ == NeumfPart::both) {
      for (std::size_t t = 0; t < tables_.size(); ++t) tables_[t].values.index_add_(0, t % 2 == 0 ? users : items, rows[t].grad(), -rate);
      for (Parameter& weight : weights_) {
        weight.values.add_(weight.values.grad(), -rate);
        weight.values.mutable_grad().zero_();
      }
      return;
    }
    ++steps_;
    const double steps = static_cast<double>(steps_);
    const AdamStep step{.rate = rate * static_cast<float>(std::sqrt(1.0 - std::pow(0.999, steps)) / (1.0 - std::pow(0.9, steps)))};
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      tables_[t].gradient.index_add_(0, t % 2 == 0 ? users : items, rows[t].grad());
      tables_[t].step(tables_[t].gradient, step);
    }
    for (Parameter& weight : weights_) weight.step(weight.values.mutable_grad(), step);
  }

  /// Scores of pairs.
  [[nodiscard]] torch::Tensor scores(const torch::Tensor& users, const torch::Tensor& items) const {
    const torch::NoGradGuard constant;
    std::vector<torch::Tensor> rows;
    for (std::size_t t = 0; t < tables_.size(); ++t) rows.push_back(tables_[t].values.index_select(0, t % 2 == 0 ? users : items));
    return logits(rows);
  }

  [[nodiscard]] std::vector<torch::Tensor> state() const {
    std::vector<torch::Tensor> copies;
    for (const auto* group : {&tables_, &weights_})
      for (const Parameter& parameter : *group) copies.push_back(parameter.values.detach().clone());
    return copies;
  }

  void set_state(const std::vector<torch::Tensor>& copies) {
    const torch::NoGradGuard constant;
    std::size_t n = 0;
    for (auto* group : {&tables_, &weights_})
      for (Parameter& parameter : *group) parameter.values.copy_(copies[n++]);
  }

 private:
  struct Parameter {
    torch::Tensor values, gradient, first, second;

    void step(torch::Tensor& slope, const AdamStep& with) {
      adam(values.data_ptr<float>(), slope.data_ptr<float>(), first.data_ptr<float>(), second.data_ptr<float>(),
           static_cast<std::size_t>(values.numel()), with);
    }
  };

  static Parameter parameter(const torch::Tensor& values) {
    return {values.contiguous(), torch::zeros_like(values), torch::zeros_like(values), torch::zeros_like(values)};
  }

  [[nodiscard]] torch::Tensor logits(const std::vector<torch::Tensor>& rows) const {
    torch::Tensor last;
    if (part_ != NeumfPart::layers) last = rows[0] * rows[1];
    if (part_ != NeumfPart::products) {
      const std::size_t from = part_ == NeumfPart::both ? 2 : 0;
      torch::Tensor hidden = torch::cat({rows[from], rows[from + 1]}, 1);
      for (std::size_t layer = 0; layer < 3; ++layer)
        hidden = torch::relu(torch::addmm(weights_[2 * layer + 1].values, hidden, weights_[2 * layer].values));
      last = part_ == NeumfPart::both ? torch::cat({last, hidden}, 1) : hidden;
    }
    return torch::addmm(weights_[weights_.size() - 1].values, last, weights_[weights_.size() - 2].values).squeeze(1);
  }

  NeumfPart part_;
  std::int64_t factors_;
  std::vector<Parameter> tables_;   // users and items by turns
  std::vector<Parameter> weights_;  // of layers and of the output: matrix, shift
  std::int64_t steps_ = 0;
};

/// A network as a model of Kindred's: evaluate() takes it.
class Neumf {
 public:
  /// A value to be maximised, of a network in training.
  using Validation = std::function<double(const Neumf&)>;

  explicit Neumf(NeumfOptions options) : options_(options) {}

  /// Trains the parts, then both together. With a validation each part keeps the weights of its best epoch.
  void fit(const kd::CsrView& train, const Validation& validation = {}) {
    torch::manual_seed(options_.seed);
    shape_ = train.shape();
    epochs_ = {};
    NeumfNetwork products(NeumfPart::products, shape_, options_), layers(NeumfPart::layers, shape_, options_);
    run(products, 0, train, validation);
    run(layers, 1, train, validation);
    NeumfNetwork both(products, layers, shape_, options_);
    run(both, 2, train, validation);
    network_ = std::make_unique<NeumfNetwork>(std::move(both));
    current_ = network_.get();
  }

  /// Of the best epoch of each part, 0 for none.
  [[nodiscard]] const std::array<std::size_t, 3>& epochs() const { return epochs_; }

  [[nodiscard]] kd::MatrixShape shape() const { return shape_; }

  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    std::vector<std::int64_t> items;
    const auto wanted = [&](kd::Index item) { return !std::binary_search(options.exclude.begin(), options.exclude.end(), item); };
    if (options.filter.allow) {
      std::copy_if(options.filter.allow->begin(), options.filter.allow->end(), std::back_inserter(items), wanted);
    } else {
      for (kd::Index item = 0; item < shape_.items; ++item)
        if (wanted(item)) items.push_back(item);
    }
    const torch::Tensor columns = torch::tensor(items), rows = torch::full_like(columns, static_cast<std::int64_t>(user));
    const torch::Tensor scores = current_->scores(rows, columns);
    std::vector<kd::Scored> list;
    for (std::size_t n = 0; n < items.size(); ++n) list.push_back({static_cast<kd::Index>(items[n]), scores.data_ptr<float>()[n]});
    const auto middle = list.begin() + static_cast<std::ptrdiff_t>((std::min)(options.count, list.size()));
    std::partial_sort(list.begin(), middle, list.end(), kd::ranks_before);
    list.erase(middle, list.end());
    return list;
  }

 private:
  struct Sample {
    std::int32_t user, item;
    float label;
  };

  /// Each positive of train with negatives that are not in train, in random order.
  [[nodiscard]] std::vector<Sample> samples(const kd::CsrView& train, std::uint64_t epoch) const {
    const auto columns = static_cast<std::size_t>(train.cols());
    std::vector<Sample> drawn;
    drawn.reserve(static_cast<std::size_t>(train.nnz()) * (options_.negatives + 1));
    std::vector<bool> has(columns);
    for (kd::Index u = 0; u < train.rows(); ++u) {
      examples::Random random(options_.seed * 1000 + epoch, 7, static_cast<std::uint64_t>(u));
      const std::span<const kd::Index> row = train.row(u).columns;
      for (const kd::Index item : row) has[static_cast<std::size_t>(item)] = true;
      for (const kd::Index item : row) {
        drawn.push_back({u, item, 1.0F});
        for (std::size_t n = 0; n < options_.negatives; ++n) {
          std::uint32_t other = random.below(static_cast<std::uint32_t>(columns));
          while (has[other]) other = random.below(static_cast<std::uint32_t>(columns));
          drawn.push_back({u, static_cast<std::int32_t>(other), 0.0F});
        }
      }
      for (const kd::Index item : row) has[static_cast<std::size_t>(item)] = false;
    }
    examples::Random random(options_.seed * 1000 + epoch, 8);
    random.shuffle_front(std::span<Sample>(drawn), drawn.size());
    return drawn;
  }

  /// One pass over train with fresh negatives.
  void run_epoch(NeumfNetwork& network, const kd::CsrView& train, std::uint64_t epoch) const {
    const std::vector<Sample> all = samples(train, epoch);
    for (std::size_t from = 0; from < all.size(); from += options_.batch) {
      const std::size_t count = (std::min)(options_.batch, all.size() - from);
      const auto length = static_cast<std::int64_t>(count);
      torch::Tensor users = torch::empty({length}, torch::kInt64), items = torch::empty({length}, torch::kInt64),
                    labels = torch::empty({length});
      for (std::size_t n = 0; n < count; ++n) {
        users.data_ptr<std::int64_t>()[n] = all[from + n].user;
        items.data_ptr<std::int64_t>()[n] = all[from + n].item;
        labels.data_ptr<float>()[n] = all[from + n].label;
      }
      network.learn(users, items, labels, options_.rate);
    }
  }

  void run(NeumfNetwork& network, std::size_t part, const kd::CsrView& train, const Validation& validation) {
    current_ = &network;
    std::vector<torch::Tensor> best = network.state();
    double highest = validation && part == 2 ? validation(*this) : -1.0;
    for (std::size_t epoch = 1; epoch <= options_.epochs[part]; ++epoch) {
      const study::Stopwatch watch;
      run_epoch(network, train, 100 * part + epoch);
      if (!validation) continue;
      const double value = validation(*this);
      std::fprintf(stderr, "  part %zu, epoch %zu: %.4f, %.1f s\n", part + 1, epoch, value, watch.seconds());
      if (value > highest) {
        highest = value;
        best = network.state();
        epochs_[part] = epoch;
      } else if (epoch >= epochs_[part] + options_.patience) {
        break;
      }
    }
    if (validation) network.set_state(best);
  }

  NeumfOptions options_;
  kd::MatrixShape shape_{};
  std::array<std::size_t, 3> epochs_{};
  std::unique_ptr<NeumfNetwork> network_;
  const NeumfNetwork* current_ = nullptr;
};

}  // namespace compare
