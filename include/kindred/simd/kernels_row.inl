// SPDX-License-Identifier: MIT
// The loops of kernels.hpp, which includes this file once a level. No include guard, no #include: the region around it decides the instructions.
//
// Form. Matrices are row-major; vectors run along a row. The one shape that everything reduces to is a tile of `rows` x `wide` accumulators that
// sums outer products, a broadcast from one matrix times a vector from another: 8 x 3 vectors of 16 floats use 24 of the 32 registers of AVX-512,
// 4 x 3 use 12 of the 16 that the other levels have. Constant loops are unrolled by pragma: without it GCC at -O2 keeps accumulators in memory.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

#define KINDRED_INLINE inline __attribute__((always_inline))

template <typename T>
struct Simd;
template <>
struct Simd<float> {
  typedef float Vector __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
  typedef float Block __attribute__((vector_size(KINDRED_SIMD_ROWS * 4), may_alias, aligned(4)));  // one row of a diagonal block
};
template <>
struct Simd<double> {
  typedef double Vector __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
  typedef double Block __attribute__((vector_size(KINDRED_SIMD_ROWS * 8), may_alias, aligned(8)));
};

template <typename T>
inline constexpr std::size_t lanes = KINDRED_SIMD_BYTES / sizeof(T);
inline constexpr std::size_t rows = KINDRED_SIMD_ROWS;  // of a tile
inline constexpr std::size_t wide = 3;                  // vectors of a tile

template <typename T>
KINDRED_INLINE typename Simd<T>::Vector load(const T* from) {
  return *reinterpret_cast<const typename Simd<T>::Vector*>(from);
}

template <typename T>
KINDRED_INLINE void store(T* to, typename Simd<T>::Vector value) {
  *reinterpret_cast<typename Simd<T>::Vector*>(to) = value;
}

/// Lanes are added in a fixed order: halves first.
template <typename T>
KINDRED_INLINE T sum_lanes(typename Simd<T>::Vector v) {
  T parts[lanes<T>];
  __builtin_memcpy(parts, &v, sizeof(v));
  KINDRED_UNROLL for (std::size_t half = lanes<T> / 2; half > 0; half /= 2) {
    KINDRED_UNROLL for (std::size_t n = 0; n < half; ++n) parts[n] += parts[n + half];
  }
  return parts[0];
}

/// tile[r][v] += sum_p left[p * left_step + r] * right[p * right_step + v-th vector]
template <typename T, std::size_t V, bool negative>
KINDRED_INLINE void add_products(typename Simd<T>::Vector (&tile)[rows][V], const T* left, std::size_t left_step, const T* right, std::size_t right_step,
                                 std::size_t depth) {
  using Vector = typename Simd<T>::Vector;
  for (std::size_t p = 0; p < depth; ++p) {
    Vector b[V];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) b[v] = load(right + p * right_step + v * lanes<T>);
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      const T a = left[p * left_step + r];
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
        if constexpr (negative)
          tile[r][v] -= a * b[v];
        else
          tile[r][v] += a * b[v];
      }
    }
  }
}

// ---- gathers ----

template <typename T>
void gather(const GatherArguments<T>& from, const T* scale, const T* weight, T* out, std::size_t ld) {
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + 4 < from.count) {
      const T* ahead = from.fixed + static_cast<std::size_t>(from.columns[n + 4]) * from.stride;
      for (std::size_t f = 0; f < from.stride; f += 64 / sizeof(T)) __builtin_prefetch(ahead + f);
    }
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
    const T w = weight[n];
    for (std::size_t f = 0; f < from.stride; f += lanes<T>) store(out + n * ld + f, load(y + f) * load(scale + f) * w);
  }
}

/// One round of a perfect shuffle: a0 b0 a1 b1 ... and its upper half.
template <typename T>
KINDRED_INLINE void interleave(typename Simd<T>::Vector a, typename Simd<T>::Vector b, typename Simd<T>::Vector& low, typename Simd<T>::Vector& high) {
  if constexpr (lanes<T> == 16) {
    low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (lanes<T> == 8) {
    low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else if constexpr (lanes<T> == 4) {
    low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  } else {
    low = __builtin_shufflevector(a, b, 0, 2);
    high = __builtin_shufflevector(a, b, 1, 3);
  }
}

template <typename T>
KINDRED_INLINE void transpose(typename Simd<T>::Vector (&block)[lanes<T>]) {
  using Vector = typename Simd<T>::Vector;
  KINDRED_UNROLL for (std::size_t round = 1; round < lanes<T>; round *= 2) {
    Vector next[lanes<T>];
    KINDRED_UNROLL for (std::size_t n = 0; n < lanes<T> / 2; ++n) interleave<T>(block[n], block[n + lanes<T> / 2], next[2 * n], next[2 * n + 1]);
    KINDRED_UNROLL for (std::size_t n = 0; n < lanes<T>; ++n) block[n] = next[n];
  }
}

template <typename T>
void gather_transposed(const GatherArguments<T>& from, const T* scale, const T* weight, T* out, std::size_t ld) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  const T* y[w];
  for (std::size_t first = 0; first < ld; first += w) {
    if (first >= from.count) {
      for (std::size_t f = 0; f < from.factors; ++f) store(out + f * ld + first, Vector{});
      continue;
    }
    // Rows beyond the last have weight 0; any finite row will do for them.
    for (std::size_t n = 0; n < w; ++n) y[n] = from.fixed + static_cast<std::size_t>(from.columns[first + n < from.count ? first + n : first]) * from.stride;
    const Vector weights = load(weight + first);
    for (std::size_t f = 0; f < from.factors; f += w) {
      if (f == 0) {
        for (std::size_t n = first + w; n < first + 2 * w && n < from.count; ++n) {
          const T* ahead = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
          for (std::size_t line = 0; line < from.stride; line += 64 / sizeof(T)) __builtin_prefetch(ahead + line);
        }
      }
      Vector block[w];
      KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) block[n] = load(y[n] + f);
      transpose<T>(block);
      if (f + w <= from.factors) {
        KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) store(out + (f + n) * ld + first, block[n] * (scale[f + n] * weights));
      } else {
        KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) if (f + n < from.factors) store(out + (f + n) * ld + first, block[n] * (scale[f + n] * weights));
      }
    }
  }
}

template <typename T, std::size_t V>
KINDRED_INLINE void combine_chunk(const GatherArguments<T>& from, const T* coefficient, T* sum, std::size_t f) {
  typename Simd<T>::Vector total[V]{};
  for (std::size_t n = 0; n < from.count; ++n) {
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride + f;
    const T c = coefficient[n];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) total[v] += c * load(y + v * lanes<T>);
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(sum + f + v * lanes<T>, total[v]);
}

template <typename T>
void combine(const GatherArguments<T>& from, const T* coefficient, T* sum) {
  std::size_t f = 0;
  for (; f + 8 * lanes<T> <= from.stride; f += 8 * lanes<T>) combine_chunk<T, 8>(from, coefficient, sum, f);
  for (; f + 4 * lanes<T> <= from.stride; f += 4 * lanes<T>) combine_chunk<T, 4>(from, coefficient, sum, f);
  for (; f + 2 * lanes<T> <= from.stride; f += 2 * lanes<T>) combine_chunk<T, 2>(from, coefficient, sum, f);
  for (; f < from.stride; f += lanes<T>) combine_chunk<T, 1>(from, coefficient, sum, f);
}

/// Products of R rows with v at once: their chains of additions hide each other's latency.
template <typename T, std::size_t R>
KINDRED_INLINE void dot_rows(const T* const (&y)[R], const T* v, std::size_t stride, T (&result)[R]) {
  typename Simd<T>::Vector total[R]{};
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    const auto x = load(v + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) total[r] += load(y[r] + f) * x;
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) result[r] = sum_lanes<T>(total[r]);
}

template <typename T>
void dots(const GatherArguments<T>& from, const T* v, T* result) {
  for (std::size_t n = 0; n < from.count; ++n) {
    const T* const y[1] = {from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride};
    T dot[1];
    dot_rows<T, 1>(y, v, from.stride, dot);
    result[n] = dot[0];
  }
}

template <typename T, std::size_t R>
KINDRED_INLINE void dot_axpy_rows(const GatherArguments<T>& from, const T* weight, const T* v, T* sum, std::size_t n) {
  const T* y[R];
  KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) y[r] = from.fixed + static_cast<std::size_t>(from.columns[n + r]) * from.stride;
  T c[R];
  dot_rows<T, R>(reinterpret_cast<const T* const(&)[R]>(y), v, from.stride, c);
  KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) c[r] *= weight[n + r];
  for (std::size_t f = 0; f < from.stride; f += lanes<T>) {
    auto total = load(sum + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < R; ++r) total += c[r] * load(y[r] + f);
    store(sum + f, total);
  }
}

template <typename T>
void dot_axpy(const GatherArguments<T>& from, const T* weight, const T* v, T* sum) {
  std::size_t n = 0;
  for (; n + 4 <= from.count; n += 4) {
    for (std::size_t ahead = n + 4; ahead < n + 8 && ahead < from.count; ++ahead) {
      const T* y = from.fixed + static_cast<std::size_t>(from.columns[ahead]) * from.stride;
      for (std::size_t line = 0; line < from.stride; line += 64 / sizeof(T)) __builtin_prefetch(y + line);
    }
    dot_axpy_rows<T, 4>(from, weight, v, sum, n);
  }
  for (; n < from.count; ++n) dot_axpy_rows<T, 1>(from, weight, v, sum, n);
}

/// The system matrix of a row applied to v: product = v + scale o sum_n weight_n (y_n . (scale o v)) y_n.
template <typename T>
KINDRED_INLINE void apply_system(const CgArguments<T>& a, const T* v, T* scaled, T* product) {
  const std::size_t stride = a.from.stride;
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    store(scaled + f, load(a.scale + f) * load(v + f));
    store(product + f, typename Simd<T>::Vector{});
  }
  dot_axpy<T>(a.from, a.weight, scaled, product);
  for (std::size_t f = 0; f < stride; f += lanes<T>) store(product + f, load(v + f) + load(a.scale + f) * load(product + f));
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
  T* const scaled = a.scratch;
  T* const product = a.scratch + stride;
  T* const residual = a.scratch + 2 * stride;
  T* const direction = a.scratch + 3 * stride;
  apply_system<T>(a, a.z, scaled, product);
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    const auto r = load(a.rhs + f) - load(product + f);
    store(residual + f, r);
    store(direction + f, r);
  }
  T squared = dot_of<T>(residual, residual, stride);
  const T enough = a.tolerance * a.tolerance * dot_of<T>(a.rhs, a.rhs, stride);
  for (std::size_t step = 0; step < a.steps && squared > enough; ++step) {
    apply_system<T>(a, direction, scaled, product);
    const T curvature = dot_of<T>(direction, product, stride);
    if (!(curvature > T(0))) return;  // rounding has used up the direction, or nothing is left to gain
    const T length = squared / curvature;
    for (std::size_t f = 0; f < stride; f += lanes<T>) {
      store(a.z + f, load(a.z + f) + length * load(direction + f));
      store(residual + f, load(residual + f) - length * load(product + f));
    }
    const T next = dot_of<T>(residual, residual, stride);
    const T turn = next / squared;
    for (std::size_t f = 0; f < stride; f += lanes<T>) store(direction + f, load(residual + f) + turn * load(direction + f));
    squared = next;
  }
}

// ---- symmetric factorisation ----

/// U' D U of the block of `rows` x `rows` at `block`, which holds its upper triangle: on return row r of `unit` holds U beyond the diagonal.
/// Returns false once a pivot is not above 0 (or not a number).
template <typename T>
KINDRED_INLINE bool factorize_block(const T* block, std::size_t ld, T (&unit)[rows][rows], T* inverse, T& smallest) {
  T a[rows][rows];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t c = 0; c < rows; ++c) a[r][c] = block[r * ld + c];
  }
  bool positive = true;
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    const T pivot = a[r][r];
    positive = positive && pivot > T(0);
    smallest = pivot < smallest ? pivot : smallest;
    const T reciprocal = T(1) / pivot;
    inverse[r] = reciprocal;
    KINDRED_UNROLL for (std::size_t q = r + 1; q < rows; ++q) {
      const T u = a[r][q] * reciprocal;
      unit[r][q] = u;
      KINDRED_UNROLL for (std::size_t c = q; c < rows; ++c) a[q][c] -= u * a[r][c];
    }
  }
  return positive;
}

/// One tile of block row `i`: all its sums, then (with the block's own U known or found here) the elimination within the block row.
template <typename T, std::size_t V, bool diagonal>
KINDRED_INLINE bool factorize_tile(const FactorizeArguments<T>& a, std::size_t i, std::size_t j, T (&unit)[rows][rows], T& smallest, T& largest) {
  using Vector = typename Simd<T>::Vector;
  Vector tile[rows][V];
  if (a.start != nullptr) {
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = load(a.start + (i + r) * a.ld + j + v * lanes<T>);
    }
  } else {
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = Vector{};
    }
  }
  if (a.n_plus != 0) add_products<T, V, false>(tile, a.plus + i, a.ld, a.plus + j, a.ld, a.n_plus);
  if (a.n_minus != 0) add_products<T, V, true>(tile, a.minus + i, a.ld, a.minus + j, a.ld, a.n_minus);
  if constexpr (diagonal) {
    // The identity, and the largest diagonal entry before anything is eliminated: through memory, where single lanes are at hand.
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(a.v + (i + r) * a.ld + j + v * lanes<T>, tile[r][v]);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      T& entry = a.v[(i + r) * a.ld + i + r];
      entry = i + r < a.size ? entry + T(1) : largest;  // padding: a pivot that says nothing about the matrix
      largest = entry > largest ? entry : largest;
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = load(a.v + (i + r) * a.ld + j + v * lanes<T>);
    }
  }
  add_products<T, V, true>(tile, a.panel, rows, a.v + j, a.ld, i);
  if constexpr (diagonal) {
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(a.v + (i + r) * a.ld + j + v * lanes<T>, tile[r][v]);
    }
    if (!factorize_block<T>(a.v + i * a.ld + i, a.ld, unit, a.inverse + i, smallest)) return false;
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t q = r + 1; q < rows; ++q) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[q][v] -= unit[r][q] * tile[r][v];
    }
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(a.v + (i + r) * a.ld + j + v * lanes<T>, tile[r][v]);
  }
  return true;
}

/// Left-looking by block rows of `rows`: nothing is written before its row is final, so the sums of products never travel to memory and back.
template <typename T>
T factorize(const FactorizeArguments<T>& a) {
  constexpr std::size_t w = lanes<T>;
  const std::size_t padded = (a.size + rows - 1) / rows * rows;
  const std::size_t end = (padded + w - 1) / w * w;
  T smallest = (std::numeric_limits<T>::max)();
  T largest = T(0);
  for (std::size_t i = 0; i < padded; i += rows) {
    // U of the columns of this block row, for broadcasting: D U scaled by 1 / D, one row after the other.
    for (std::size_t p = 0; p < i; ++p)
      *reinterpret_cast<typename Simd<T>::Block*>(a.panel + p * rows) = *reinterpret_cast<const typename Simd<T>::Block*>(a.v + p * a.ld + i) * a.inverse[p];
    T unit[rows][rows];
    std::size_t j = i / w * w;
    // The tile with the diagonal must hold the whole diagonal block: `rows` columns are at most two vectors at every level.
    constexpr std::size_t first = rows > w ? rows / w : 1;
    const std::size_t vectors = (end - j) / w;
    bool positive = true;
    if (vectors >= 3) {
      positive = factorize_tile<T, 3, true>(a, i, j, unit, smallest, largest);
      j += 3 * w;
    } else if (vectors == 2) {
      positive = factorize_tile<T, 2, true>(a, i, j, unit, smallest, largest);
      j += 2 * w;
    } else {
      positive = factorize_tile<T, first, true>(a, i, j, unit, smallest, largest);
      j += first * w;
    }
    if (!positive) return T(-1);
    // Right-hand side: independent of the tiles that follow, so the processor works on both.
    typename Simd<T>::Block even{};
    typename Simd<T>::Block odd{};
    for (std::size_t p = 0; p < i; p += 2) {  // i is a multiple of `rows`, which is even
      even += *reinterpret_cast<const typename Simd<T>::Block*>(a.panel + p * rows) * a.rhs[p];
      odd += *reinterpret_cast<const typename Simd<T>::Block*>(a.panel + (p + 1) * rows) * a.rhs[p + 1];
    }
    even += odd;
    T y[rows];
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) y[r] = a.rhs[i + r] - even[r];
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t q = r + 1; q < rows; ++q) y[q] -= unit[r][q] * y[r];
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) a.rhs[i + r] = y[r];

    while (j < end) {
      const std::size_t left = (end - j) / w;
      if (left == 3 || left > 4) {
        (void)factorize_tile<T, 3, false>(a, i, j, unit, smallest, largest);
        j += 3 * w;
      } else if (left >= 2) {
        (void)factorize_tile<T, 2, false>(a, i, j, unit, smallest, largest);
        j += 2 * w;
      } else {
        (void)factorize_tile<T, 1, false>(a, i, j, unit, smallest, largest);
        j += w;
      }
    }
  }
  return smallest / largest;
}

template <typename T>
void back_substitute(const FactorizeArguments<T>& a, T* x) {
  constexpr std::size_t w = lanes<T>;
  const std::size_t padded = (a.size + rows - 1) / rows * rows;
  const std::size_t end = (padded + w - 1) / w * w;
  for (std::size_t i = padded; i != 0;) {
    i -= rows;
    // x of this block and before is still 0, so lanes left of the diagonal add nothing.
    typename Simd<T>::Vector total[rows]{};
    for (std::size_t j = i / w * w; j < end; j += w) {
      const auto known = load(x + j);
      KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) total[r] += load(a.v + (i + r) * a.ld + j) * known;
    }
    T y[rows];
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) y[r] = a.rhs[i + r] - sum_lanes<T>(total[r]);
    KINDRED_UNROLL for (std::size_t step = 0; step < rows; ++step) {
      const std::size_t r = rows - 1 - step;
      y[r] *= a.inverse[i + r];
      KINDRED_UNROLL for (std::size_t q = 0; q < r; ++q) y[q] -= a.v[(i + q) * a.ld + i + r] * y[r];
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) x[i + r] = y[r];
  }
}

// ---- sums of outer products and plain products ----

template <typename T, std::size_t V, bool negative>
KINDRED_INLINE void accumulate_tile(T* start, std::size_t ld, std::size_t i, std::size_t j, const T* from, std::size_t n_rows) {
  typename Simd<T>::Vector tile[rows][V];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = load(start + (i + r) * ld + j + v * lanes<T>);
  }
  add_products<T, V, negative>(tile, from + i, ld, from + j, ld, n_rows);
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(start + (i + r) * ld + j + v * lanes<T>, tile[r][v]);
  }
}

template <typename T, bool negative>
KINDRED_INLINE void accumulate_all(T* start, std::size_t ld, std::size_t size, const T* from, std::size_t n_rows) {
  constexpr std::size_t w = lanes<T>;
  const std::size_t padded = (size + rows - 1) / rows * rows;
  const std::size_t end = (padded + w - 1) / w * w;
  for (std::size_t i = 0; i < padded; i += rows) {
    for (std::size_t j = i / w * w; j < end;) {
      const std::size_t left = (end - j) / w;
      if (left == 3 || left > 4) {
        accumulate_tile<T, 3, negative>(start, ld, i, j, from, n_rows);
        j += 3 * w;
      } else if (left >= 2) {
        accumulate_tile<T, 2, negative>(start, ld, i, j, from, n_rows);
        j += 2 * w;
      } else {
        accumulate_tile<T, 1, negative>(start, ld, i, j, from, n_rows);
        j += w;
      }
    }
  }
}

template <typename T>
void accumulate(T* start, std::size_t ld, std::size_t size, const T* from, std::size_t n_rows, bool negative) {
  if (negative)
    accumulate_all<T, true>(start, ld, size, from, n_rows);
  else
    accumulate_all<T, false>(start, ld, size, from, n_rows);
}

/// The last rows of a product, fewer than a tile has, are worked on in a copy with zeros below them, so that a row's bytes do not depend on its neighbours.
template <typename T, std::size_t V>
KINDRED_INLINE void multiply_tile(const T* panel, const T* right, std::size_t ld, std::size_t k, T* out, std::size_t n) {
  typename Simd<T>::Vector tile[rows][V]{};
  add_products<T, V, false>(tile, panel, rows, right, ld, k);
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    if (r < n) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(out + r * ld + v * lanes<T>, tile[r][v]);
    }
  }
}

template <typename T>
void multiply(const T* left, std::size_t left_ld, std::size_t n, const T* right, std::size_t ld, std::size_t k, T* out) {
  constexpr std::size_t w = lanes<T>;
  constexpr std::size_t depth = 256;  // a panel of 8 x 256 doubles is half of the first-level cache
  alignas(64) T panel[rows * depth];
  // With more factors than the panel holds, later parts of the sum are added to the earlier ones.
  for (std::size_t first = 0; first < n; first += rows) {
    const std::size_t count = n - first < rows ? n - first : rows;
    if (k <= depth) {
      for (std::size_t p = 0; p < k; ++p) {
        KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) panel[p * rows + r] = r < count ? left[(first + r) * left_ld + p] : T(0);
      }
      for (std::size_t j = 0; j < ld;) {
        const std::size_t vectors = (ld - j) / w;
        if (vectors == 3 || vectors > 4) {
          multiply_tile<T, 3>(panel, right + j, ld, k, out + first * ld + j, count);
          j += 3 * w;
        } else if (vectors >= 2) {
          multiply_tile<T, 2>(panel, right + j, ld, k, out + first * ld + j, count);
          j += 2 * w;
        } else {
          multiply_tile<T, 1>(panel, right + j, ld, k, out + first * ld + j, count);
          j += w;
        }
      }
      continue;
    }
    for (std::size_t r = 0; r < count; ++r)
      for (std::size_t j = 0; j < ld; j += w) store(out + (first + r) * ld + j, typename Simd<T>::Vector{});
    for (std::size_t part = 0; part < k; part += depth) {
      const std::size_t length = k - part < depth ? k - part : depth;
      for (std::size_t p = 0; p < length; ++p) {
        KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) panel[p * rows + r] = r < count ? left[(first + r) * left_ld + part + p] : T(0);
      }
      for (std::size_t j = 0; j < ld; j += w) {
        typename Simd<T>::Vector tile[rows][1]{};
        add_products<T, 1, false>(tile, panel, rows, right + part * ld + j, ld, length);
        KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
          if (r < count) store(out + (first + r) * ld + j, load(out + (first + r) * ld + j) + tile[r][0]);
        }
      }
    }
  }
}

// ---- in double whatever the factors: losses and eigenvectors ----

/// dots[n] = sum_f y_n[f] v[f], every product in double.
template <typename T>
void exact_dots(const GatherArguments<T>& from, const double* v, double* result) {
  constexpr std::size_t w = lanes<double>;
  typedef T Narrow __attribute__((vector_size(sizeof(T) * w), may_alias));
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + 4 < from.count) {
      const T* ahead = from.fixed + static_cast<std::size_t>(from.columns[n + 4]) * from.stride;
      for (std::size_t f = 0; f < from.stride; f += 64 / sizeof(T)) __builtin_prefetch(ahead + f);
    }
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
    typename Simd<double>::Vector even{};
    typename Simd<double>::Vector odd{};
    for (std::size_t f = 0; f < from.stride; f += 2 * w) {
      even += __builtin_convertvector(*reinterpret_cast<const Narrow*>(y + f), typename Simd<double>::Vector) * load(v + f);
      if (f + w < from.stride) odd += __builtin_convertvector(*reinterpret_cast<const Narrow*>(y + f + w), typename Simd<double>::Vector) * load(v + f + w);
    }
    result[n] = sum_lanes<double>(even + odd);
  }
}

inline double dot(const double* x, const double* y, std::size_t n) {
  constexpr std::size_t w = lanes<double>;
  typename Simd<double>::Vector total[4]{};
  std::size_t f = 0;
  for (; f + 4 * w <= n; f += 4 * w) {
    KINDRED_UNROLL for (std::size_t v = 0; v < 4; ++v) total[v] += load(x + f + v * w) * load(y + f + v * w);
  }
  for (; f < n; f += w) total[0] += load(x + f) * load(y + f);
  return sum_lanes<double>((total[0] + total[1]) + (total[2] + total[3]));
}

inline void axpy(double a, const double* x, double* y, std::size_t n) {
  for (std::size_t f = 0; f < n; f += lanes<double>) store(y + f, load(y + f) + a * load(x + f));
}

inline void plane_rotation(double* x, double* y, double c, double s, std::size_t n) {
  for (std::size_t f = 0; f < n; f += lanes<double>) {
    const auto a = load(x + f);
    const auto b = load(y + f);
    store(x + f, c * a - s * b);
    store(y + f, s * a + c * b);
  }
}

inline double update_and_dot(double* row, double a, const double* x, double b, const double* y, const double* v, std::size_t n) {
  constexpr std::size_t w = lanes<double>;
  typename Simd<double>::Vector even{};
  typename Simd<double>::Vector odd{};
  std::size_t f = 0;
  for (; f + 2 * w <= n; f += 2 * w) {
    const auto first = load(row + f) - a * load(x + f) - b * load(y + f);
    const auto second = load(row + f + w) - a * load(x + f + w) - b * load(y + f + w);
    store(row + f, first);
    store(row + f + w, second);
    even += first * load(v + f);
    odd += second * load(v + f + w);
  }
  for (; f < n; f += w) {
    const auto first = load(row + f) - a * load(x + f) - b * load(y + f);
    store(row + f, first);
    even += first * load(v + f);
  }
  return sum_lanes<double>(even + odd);
}

constexpr VectorKernels vector_kernels() { return {.dot = dot, .axpy = axpy, .plane_rotation = plane_rotation, .update_and_dot = update_and_dot}; }

template <typename T>
constexpr MatrixKernels<T> matrix_kernels() {
  return {.accumulate = accumulate<T>, .multiply = multiply<T>};
}

template <typename T>
constexpr RowKernels<T> row_kernels() {
  return {.gather_transposed = gather_transposed<T>,
          .gather = gather<T>,
          .combine = combine<T>,
          .dots = dots<T>,
          .exact_dots = exact_dots<T>,
          .conjugate_gradient = conjugate_gradient<T>,
          .factorize = factorize<T>,
          .back_substitute = back_substitute<T>,
          .accumulate = accumulate<T>,
          .granularity = rows > lanes<T> ? rows : lanes<T>};
}

#undef KINDRED_INLINE

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
