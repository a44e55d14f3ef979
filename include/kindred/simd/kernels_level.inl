// SPDX-License-Identifier: MIT
// All loops of one level, in the order in which they use each other.
#include <kindred/simd/kernels_common.inl>

#include <kindred/simd/kernels_gather.inl>
#include <kindred/simd/kernels_products.inl>

#include <kindred/simd/kernels_cg.inl>
#include <kindred/simd/kernels_cholesky.inl>
#include <kindred/simd/kernels_vector.inl>
#include <kindred/simd/kernels_weights.inl>

#include <kindred/simd/kernels_tables.inl>
