// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
#include <kindred/core/types.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/distributed/fit.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/checkpoint.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// fit_with_checkpoints by all ranks, on a file system that they share: rank 0 writes the file, all go on from it. Whatever ended an earlier one, a rank that was
/// killed too, and whatever its number of ranks, this one ends in the same bytes. Needs kindred::persistence.
/// @throws as fit_distributed and fit_with_checkpoints do.
template <Communicator C, Real Scalar, detail::ShareableSource Source>
FitReport fit_distributed_with_checkpoints(C& communicator, ImplicitALS<Scalar>& model, const Source& train, const Path& path,
                                           const CheckpointOptions& checkpoints = {}, typename ImplicitALS<Scalar>::FitOptions fit = {}) {
  detail::Agreement<C> agree(communicator);
  const AlsOptions& options = model.options();
  std::optional<FitSnapshot<Scalar>> before;
  agree.on([&] { fit.execution.simd = detail::resolve_level(fit.execution.simd); });
  // The level is part of what a checkpoint belongs to, and the lowest one is what all will use.
  for (const auto& [level] : detail::gathered<C, 1>(communicator, {static_cast<double>(fit.execution.simd)}))
    fit.execution.simd = (std::min)(fit.execution.simd, static_cast<SimdLevel>(static_cast<int>(level)));
  agree.on([&] { detail::keep_checkpoints<Scalar>(options, detail::fingerprint(train), path, checkpoints, fit, before); });
  if (communicator.rank() != 0) fit.on_snapshot = {};
  communicator.barrier();  // all ranks have read before one writes
  ImplicitALS<Scalar> next(options);
  FitReport report = fit_distributed(communicator, next, train, std::move(fit));
  model = std::move(next);
  return report;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
