// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/data/csr_matrix.hpp>

double left_best_score(const kindred::CsrMatrix& train);
double right_best_score(const kindred::CsrMatrix& train);
/// Throws kindred::Error.
void right_refuses();
