// SPDX-License-Identifier: MIT
// Compiled once for each set of flags, with KINDRED_WORKER and KINDRED_WORKER_NAME saying as what.
#include "worker.hpp"

#include <bit>
#include <cstdint>
#include <limits>

#include <kindred/models/implicit_als.hpp>

namespace {

namespace kd = kindred;

kd::ImplicitALS<float> fitted(const kd::CsrMatrix& train) {
  kd::AlsOptions options{.factors = 20, .iterations = 3, .units = kd::Units::paper, .confidence = {.alpha = 2.0}};
  kd::ImplicitALS<float> als(options);
  als.fit(train, {.execution = {.threads = 2}});
  return als;
}

kd::FactorMatrix<float> fit(const kd::CsrMatrix& train) { return fitted(train).user_factors(); }

std::uint64_t fingerprint(const kd::CsrMatrix& train) {
  std::uint64_t hash = 14695981039346656037u;
  const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  const kd::ImplicitALS<float> als = fitted(train);
  for (kd::Index user = 0; user < train.rows(); ++user)
    for (const kd::Scored& scored : als.recommend(user, {.count = 5, .exclude = train.row(user)})) {
      mix(static_cast<std::uint64_t>(scored.item));
      mix(std::bit_cast<std::uint64_t>(scored.score));
    }
  for (kd::Index item = 0; item < train.cols(); ++item)
    for (const kd::Scored& scored : als.similar_items(item, {.count = 5})) {
      mix(static_cast<std::uint64_t>(scored.item));
      mix(std::bit_cast<std::uint64_t>(scored.score));
    }
  kd::ImplicitALS<double> exact(
      {.factors = 9, .iterations = 2, .units = kd::Units::paper, .solver = {.kind = kd::Solver::conjugate_gradient}});
  exact.fit(train);
  for (const double value : exact.item_factors().row(0)) mix(std::bit_cast<std::uint64_t>(value));
  return hash;
}

void misuse() { kd::ImplicitALS<float>({.factors = 0, .units = kd::Units::paper}); }

template <typename Error, typename Call>
bool throws(Call&& call) {
  try {
    call();
  } catch (const Error&) {
    return true;
  }
  return false;
}

bool notices() {
  bool noticed = true;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    noticed = noticed && throws<kd::InvalidArgument>([&] { kd::CsrMatrix({.users = 1, .items = 1}, {0, 1}, {0}, {bad}); });
    kd::FactorMatrix<float> factors(1, 2);
    factors.row(0)[1] = bad;
    const kd::CsrMatrix one({.users = 1, .items = 1}, {0, 1}, {0}, {1.0F});
    noticed = noticed && throws<kd::InvalidArgument>([&] {
                kd::ImplicitALS<float>({.factors = 2, .units = kd::Units::paper}).fit(one, {.initial_users = factors});
              });
  }
  // Confidences that overflow a double, and systems that overflow a float.
  const kd::CsrMatrix large({.users = 2, .items = 2}, {0, 2, 4}, {0, 1, 0, 1}, {3e38F, 1.0F, 1.0F, 3e38F});
  noticed = noticed && throws<kd::Error>([&] {
              kd::ImplicitALS<float>({.factors = 2, .units = kd::Units::paper, .confidence = {.alpha = 1e300}}).fit(large);
            });
  return noticed;
}

}  // namespace

extern const Worker KINDRED_WORKER;
const Worker KINDRED_WORKER{KINDRED_WORKER_NAME, fit, fingerprint, misuse, notices};
