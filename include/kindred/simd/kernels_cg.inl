// SPDX-License-Identifier: MIT
// Conjugate gradients on the system of one row. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// sum += sum_r c_r row_r over R packed rows, with c_r = weight_r (row_r . v), or target_r - weight_r (row_r . v) for the residual: the dot products are folded together, and the second pass finds the rows in the cache.
template <typename T, std::size_t R, bool residual>
KINDRED_INLINE void add_rows(const T* from, std::size_t stride, const T* weight, const T* target, const T* v, T* sum) {
  using Vector = typename Simd<T>::Vector;
  alignas(64) T c[R];
  Vector dot[R]{};
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    const Vector x = load(v + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) dot[r] += load(from + r * stride + f) * x;
  }
  if constexpr (R % lanes<T> == 0) {
    sum_each<T>(dot, c);
  } else {
    KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) c[r] = sum_lanes<T>(dot[r]);
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) c[r] = residual ? target[r] - weight[r] * c[r] : c[r] * weight[r];
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    Vector even = load(sum + f);
    Vector odd{};
    KINDRED_UNROLL for (std::size_t r = 0; r < R; r += 2) {
      even += c[r] * load(from + r * stride + f);
      odd += c[r + 1] * load(from + (r + 1) * stride + f);
    }
    store(sum + f, even + odd);
  }
}

/// The sum over all rows of the system, added to `sum`. Few rows are packed once, many block by block each time.
template <typename T, bool residual>
void add_all_rows(const CgArguments<T>& a, bool packed, GatherArguments<T>& ahead, const T* v, T* sum) {
  const std::size_t stride = a.from.stride;
  for (std::size_t first = 0; first < a.from.count; first += a.block) {
    GatherArguments<T> part = a.from;
    part.columns += first;
    part.count = a.from.count - first < a.block ? a.from.count - first : a.block;
    if (!packed) gather<T>(part, a.scale, a.ones, a.rows, stride);
    const std::size_t n = (part.count + 3) / 4 * 4;
    const T* const weight = a.weight + first;
    const T* const target = a.target + first;
    constexpr std::size_t many = KINDRED_SIMD_BYTES == 64 ? 16 : 8;
    std::size_t r = 0;
    for (; r + many <= n; r += many) {
      prefetch_next<T>(ahead, many / 4);
      add_rows<T, many, residual>(a.rows + r * stride, stride, weight + r, target + r, v, sum);
    }
    for (; r < n; r += 4) {
      prefetch_next<T>(ahead, 1);
      add_rows<T, 4, residual>(a.rows + r * stride, stride, weight + r, target + r, v, sum);
    }
  }
}

template <typename T>
KINDRED_INLINE T dot_of(const T* x, const T* y, std::size_t stride) {
  typename Simd<T>::Vector total{};
  for (std::size_t f = 0; f < stride; f += lanes<T>) total += load(x + f) * load(y + f);
  return sum_lanes<T>(total);
}

template <typename T>
void conjugate_gradient(const CgArguments<T>& a) {
  const std::size_t stride = a.from.stride;
  T* const product = a.scratch;
  T* const residual = a.scratch + stride;
  T* const direction = a.scratch + 2 * stride;
  const bool packed = a.from.count <= a.block;
  GatherArguments<T> ahead = a.ahead;
  if (packed) gather<T>(a.from, a.scale, a.ones, a.rows, stride);
  T enough = 0;
  if (a.tolerance > T(0)) {
    for (std::size_t f = 0; f < stride; f += lanes<T>) {
      store(direction + f, typename Simd<T>::Vector{});
      store(product + f, load(a.base + f));
    }
    add_all_rows<T, true>(a, packed, ahead, direction, product);
    enough = a.tolerance * a.tolerance * dot_of<T>(product, product, stride);
  }
  // Right-hand side and first product in one pass.
  for (std::size_t f = 0; f < stride; f += lanes<T>) store(residual + f, load(a.base + f) - load(a.z + f));
  add_all_rows<T, true>(a, packed, ahead, a.z, residual);
  for (std::size_t f = 0; f < stride; f += lanes<T>) store(direction + f, load(residual + f));
  T squared = dot_of<T>(residual, residual, stride);
  for (std::size_t step = 0; step < a.steps && squared > enough; ++step) {
    for (std::size_t f = 0; f < stride; f += lanes<T>) store(product + f, load(direction + f));
    add_all_rows<T, false>(a, packed, ahead, direction, product);
    const T curvature = dot_of<T>(direction, product, stride);
    if (!(curvature > T(0))) return;  // rounding has used up the direction, or nothing is left to gain
    const T length = squared / curvature;
    typename Simd<T>::Vector squares{};
    for (std::size_t f = 0; f < stride; f += lanes<T>) {
      store(a.z + f, load(a.z + f) + length * load(direction + f));
      const auto rest = load(residual + f) - length * load(product + f);
      store(residual + f, rest);
      squares += rest * rest;
    }
    const T next = sum_lanes<T>(squares);
    const T turn = next / squared;
    for (std::size_t f = 0; f < stride; f += lanes<T>) store(direction + f, load(residual + f) + turn * load(direction + f));
    squared = next;
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
