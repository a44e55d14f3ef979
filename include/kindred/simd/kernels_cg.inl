// SPDX-License-Identifier: MIT
// Conjugate gradients on the system of one row. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// Sums of the lanes of four vectors of at least 4 lanes, in every chunk of the result.
template <typename T>
KINDRED_INLINE typename Simd<T>::Vector sum_four(const typename Simd<T>::Vector (&v)[4]) {
  typename Simd<T>::Vector sum = fold_pairs<T>(fold_chunks<T>(v[0], v[1]), fold_chunks<T>(v[2], v[3]));
  if constexpr (lanes<T> == 16) {
    sum += KINDRED_SHUFFLE(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    sum += KINDRED_SHUFFLE(sum, sum, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  } else if constexpr (lanes<T> == 8) {
    sum += KINDRED_SHUFFLE(sum, sum, 4, 5, 6, 7, 0, 1, 2, 3);
  }
  return sum;
}

/// sum += sum_r c_r row_r over R packed rows, with c_r = weight_r (row_r . v), or target_r - weight_r (row_r . v) for the residual: the dot products are folded together, and the second pass finds the rows in the cache.
template <typename T, std::size_t R>
KINDRED_INLINE void add_rows(const T* from, bool residual, std::size_t stride, const T* weight, const T* target, const T* v, T* sum) {
  using Vector = typename Simd<T>::Vector;
  alignas(64) T c[R];
  Vector dot[R]{};
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    const Vector x = load(v + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) dot[r] += load(from + r * stride + f) * x;
  }
  if constexpr (R % lanes<T> == 0) {
    sum_each<T>(dot, c);
  } else if constexpr (R == 4 && chunk<T> == 4) {
    const Vector sums = sum_four<T>(dot);
    __builtin_memcpy(c, &sums, sizeof(c));
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

#if KINDRED_SIMD_BYTES == 64
/// Entry r of every chunk, in all its places.
template <typename T, int r>
KINDRED_INLINE typename Simd<T>::Vector entry_of_chunks(typename Simd<T>::Vector v) {
  if constexpr (lanes<T> == 16)
    return KINDRED_SHUFFLE(v, v, r, r, r, r, r + 4, r + 4, r + 4, r + 4, r + 8, r + 8, r + 8, r + 8, r + 12, r + 12, r + 12, r + 12);
  else
    return KINDRED_SHUFFLE(v, v, r, r, r, r, r + 4, r + 4, r + 4, r + 4);
}

/// add_rows for all `count` rows from `first` on, of V vectors: few enough that four rows stay in registers between the two passes, and the sum all the while.
/// With `gathers` the rows come from the fixed side, and are packed on the way if they are wanted again.
template <typename T, std::size_t V, bool gathers>
void add_narrow_rows(const CgArguments<T>& a, bool residual, std::size_t first, std::size_t count, bool packs, const T* v, T* sum,
                     GatherArguments<T>& ahead) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t soon = 8;
  const Index* const columns = a.from.columns + first;
  const auto fixed_row = [&](std::size_t n) { return a.from.fixed + static_cast<std::size_t>(columns[n]) * (V * lanes<T>); };
  Vector total[V];
  KINDRED_UNROLL for (std::size_t i = 0; i < V; ++i) total[i] = load(sum + i * lanes<T>);
  T* packed = a.rows;
  for (std::size_t n = 0; n < count; n += 4, packed += 4 * V * lanes<T>) {
    Vector row[4][V];
    Vector dot[4];
    if constexpr (gathers) {
      for (std::size_t next = n + soon; next < n + soon + 4 && next < count; ++next) prefetch_row<T, true>(fixed_row(next), V * lanes<T>);
    } else {
      prefetch_next<T>(ahead, 1);
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
      const T* const from = gathers ? fixed_row(n + r < count ? n + r : n) : packed + r * V * lanes<T>;  // beyond the last the weight is 0
      KINDRED_UNROLL for (std::size_t i = 0; i < V; ++i) {
        row[r][i] = load(from + i * lanes<T>);
        if constexpr (gathers) {
          row[r][i] *= load(a.scale + i * lanes<T>);
          if (packs) store(packed + (r * V + i) * lanes<T>, row[r][i]);
        }
        __asm__("" : "+v"(row[r][i]));  // or GCC loads it once more for the second pass
        const Vector x = load(v + i * lanes<T>);
        dot[r] = i == 0 ? row[r][i] * x : dot[r] + row[r][i] * x;
      }
    }
    const Vector products = repeat<T>(a.weight + first + n) * sum_four<T>(dot);
    const Vector c = residual ? repeat<T>(a.target + first + n) - products : products;
    const Vector each[4] = {entry_of_chunks<T, 0>(c), entry_of_chunks<T, 1>(c), entry_of_chunks<T, 2>(c), entry_of_chunks<T, 3>(c)};
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
      KINDRED_UNROLL for (std::size_t i = 0; i < V; ++i) total[i] += each[r] * row[r][i];
    }
  }
  KINDRED_UNROLL for (std::size_t i = 0; i < V; ++i) store(sum + i * lanes<T>, total[i]);
}
#endif

/// The sum over all rows of the system, added to `sum`. Unless they stand `packed` from the last call, few rows are packed now, many block by block.
template <typename T>
void add_all_rows(const CgArguments<T>& a, bool residual, bool packed, GatherArguments<T>& ahead, const T* v, T* sum) {
  const std::size_t stride = a.from.stride;
  for (std::size_t first = 0; first < a.from.count; first += a.block) {
    GatherArguments<T> part = a.from;
    part.columns += first;
    part.count = a.from.count - first < a.block ? a.from.count - first : a.block;
#if KINDRED_SIMD_BYTES == 64
    const bool fits = a.from.count <= a.block;
    switch (stride / lanes<T>) {
      case 1:
        packed ? add_narrow_rows<T, 1, false>(a, residual, first, part.count, fits, v, sum, ahead)
               : add_narrow_rows<T, 1, true>(a, residual, first, part.count, fits, v, sum, ahead);
        continue;
      case 2:
        packed ? add_narrow_rows<T, 2, false>(a, residual, first, part.count, fits, v, sum, ahead)
               : add_narrow_rows<T, 2, true>(a, residual, first, part.count, fits, v, sum, ahead);
        continue;
      case 3:
        packed ? add_narrow_rows<T, 3, false>(a, residual, first, part.count, fits, v, sum, ahead)
               : add_narrow_rows<T, 3, true>(a, residual, first, part.count, fits, v, sum, ahead);
        continue;
      case 4:
        packed ? add_narrow_rows<T, 4, false>(a, residual, first, part.count, fits, v, sum, ahead)
               : add_narrow_rows<T, 4, true>(a, residual, first, part.count, fits, v, sum, ahead);
        continue;
      default: break;
    }
#endif
    if (!packed) gather<T>(part, a.scale, a.ones, a.rows, stride);
    const std::size_t n = (part.count + 3) / 4 * 4;
    const T* const weight = a.weight + first;
    const T* const target = a.target + first;
    constexpr std::size_t many = KINDRED_SIMD_BYTES == 64 ? 16 : 8;
    std::size_t r = 0;
    for (; r + many <= n; r += many) {
      prefetch_next<T>(ahead, many / 4);
      add_rows<T, many>(a.rows + r * stride, residual, stride, weight + r, target + r, v, sum);
    }
    for (; r < n; r += 4) {
      prefetch_next<T>(ahead, 1);
      add_rows<T, 4>(a.rows + r * stride, residual, stride, weight + r, target + r, v, sum);
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
  using Vector = typename Simd<T>::Vector;
  const std::size_t stride = a.from.stride;
  T* const product = a.scratch;
  T* const residual = a.scratch + stride;
  T* const direction = a.scratch + 2 * stride;
  GatherArguments<T> ahead = a.ahead;
  const auto base = [&](std::size_t f) { return a.base != nullptr ? load(a.base + f) : Vector{}; };
  T enough = 0;
  if (a.tolerance > T(0)) {
    for (std::size_t f = 0; f < stride; f += lanes<T>) {
      store(direction + f, Vector{});
      store(product + f, base(f));
    }
    add_all_rows<T>(a, true, false, ahead, direction, product);
    enough = a.tolerance * a.tolerance * dot_of<T>(product, product, stride);
  }
  // Right-hand side and first product in one pass.
  for (std::size_t f = 0; f < stride; f += lanes<T>) store(residual + f, base(f) - load(a.z + f));
  add_all_rows<T>(a, true, false, ahead, a.z, residual);
  const bool packed = a.from.count <= a.block;
  for (std::size_t f = 0; f < stride; f += lanes<T>) store(direction + f, load(residual + f));
  T squared = dot_of<T>(residual, residual, stride);
  for (std::size_t step = 0; step < a.steps && squared > enough; ++step) {
    for (std::size_t f = 0; f < stride; f += lanes<T>) store(product + f, load(direction + f));
    add_all_rows<T>(a, false, packed, ahead, direction, product);
    const T curvature = dot_of<T>(direction, product, stride);
    if (!(curvature > T(0))) return;  // rounding has used up the direction, or nothing is left to gain
    const T length = squared / curvature;
    Vector squares{};
    for (std::size_t f = 0; f < stride; f += lanes<T>) {
      store(a.z + f, load(a.z + f) + length * load(direction + f));
      const auto rest = load(residual + f) - length * load(product + f);
      store(residual + f, rest);
      squares += rest * rest;
    }
    if (step + 1 == a.steps) return;
    const T next = sum_lanes<T>(squares);
    const T turn = next / squared;
    for (std::size_t f = 0; f < stride; f += lanes<T>) store(direction + f, load(residual + f) + turn * load(direction + f));
    squared = next;
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
