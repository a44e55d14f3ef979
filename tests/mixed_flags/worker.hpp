// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <kindred/core/aligned.hpp>
#include <kindred/data/csr_matrix.hpp>

/// What every object file of this test offers, whatever flags it was compiled with. Matrices and factors cross the border, errors too.
struct Worker {
  const char* name;
  /// Fits a small model on `train` and returns its user factors.
  kindred::FactorMatrix<float> (*fit)(const kindred::CsrMatrix& train);
  /// A fingerprint of the lists of the same model, and of a fit in double.
  std::uint64_t (*fingerprint)(const kindred::CsrMatrix& train);
  /// Throws what `ImplicitALS` throws for a bad option.
  void (*misuse)();
  /// True if values and factors that are not finite are noticed.
  bool (*notices_what_is_not_finite)();
};
