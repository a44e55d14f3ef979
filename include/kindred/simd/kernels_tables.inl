// SPDX-License-Identifier: MIT
// The tables of one level. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

template <typename T>
constexpr MatrixKernels<T> matrix_kernels() {
  return {.accumulate = accumulate<T>, .multiply = multiply<T>, .scale_to_double = scale_to_double<T>, .sum_rows = sum_rows<T>};
}

constexpr VectorKernels vector_kernels() {
  return {.dot = dot, .update_rows = update_rows, .reflect_rows = reflect_rows, .rotate_rows = rotate_rows};
}

template <typename T>
constexpr RowKernels<T> row_kernels() {
  return {.prefetch = prefetch,
          .terms = terms<T>,
          .regular_weights = regular_weights<T>,
          .narrow = narrow<T>,
          .scale_by = scale_by<T>,
          .gather = gather<T>,
          .gather_and_sum = gather_and_sum<T>,
          .gather_blocks = gather_blocks<T>,
          .combine = combine<T>,
          .expand = expand<T>,
          .dots = dots<T>,
          .exact_dots = exact_dots<T>,
          .conjugate_gradient = conjugate_gradient<T>,
          .row_products = row_products<T>,
          .accumulate = accumulate<T>,
          .factorize = factorize<T>,
          .back_substitute = back_substitute<T>,
          .tiles_of = tiles_of<T>,
          .solve_batch = solve_batch<T>,
          .lanes = lanes<T>,
          .rows = rows};
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
