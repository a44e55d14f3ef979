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
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Random first factors, rows x options.factors: a row depends on the seed, the stream and its own index alone.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> random_factors(const AlsOptions& options, Index rows, RandomStream stream) {
  FactorMatrix<Scalar> factors(rows, static_cast<Index>(options.factors));
  const double sd = options.init_scale / std::sqrt(static_cast<double>(options.factors));
  for (Index r = 0; r < rows; ++r) {
    Random random(options.seed, stream, static_cast<std::uint64_t>(r));
    for (Scalar& value : factors.row(r))
      value = static_cast<Scalar>(options.init != Init::uniform ? sd * random.normal() : 0.01 * random.uniform());
  }
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
