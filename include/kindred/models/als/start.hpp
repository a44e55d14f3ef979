// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Random first factors, rows x settings.factors: a row depends on the seed, the stream and its own index alone.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> random_factors(const AlsSettings& settings, Index rows, RandomStream stream,
                                                  const ParallelOptions& parallel = {.threads = 1}) {
  FactorMatrix<Scalar> factors(rows, static_cast<Index>(settings.factors), parallel);
  const double sd = settings.start_scale / std::sqrt(static_cast<double>(settings.factors));
  parallel_for(static_cast<std::size_t>(rows), {.threads = parallel.threads, .grain = 256, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t r = first; r < last; ++r) {
                   Random random(settings.seed, stream, r);
                   for (Scalar& value : factors.row(static_cast<Index>(r)))
                     value = static_cast<Scalar>(settings.start == Start::uniform ? 0.01 * random.uniform() : sd * random.normal());
                 }
               });
  return factors;
}

/// A copy of the caller's first factors. @throws ShapeError, InvalidArgument naming `name` if they do not fit or are not finite.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> checked_factors(const FactorMatrix<Scalar>& given, std::string_view name, Index rows,
                                                   std::size_t factors) {
  if (given.rows() != rows || static_cast<std::size_t>(given.factors()) != factors)
    throw ShapeError(std::string(name) + " is " + std::to_string(given.rows()) + " x " + std::to_string(given.factors()) +
                     "; this fit needs " + std::to_string(rows) + " x " + std::to_string(factors));
  for (Index r = 0; r < rows; ++r)
    for (const Scalar value : given.row(r))
      if (!is_finite(value)) throw InvalidArgument(std::string(name) + ", row " + std::to_string(r), value, "finite");
  return given;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
