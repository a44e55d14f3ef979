// SPDX-License-Identifier: MIT
// One symmetric system, and a batch of small ones with a system a lane. Included by kernels.hpp, as kernels_common.inl says.
//
// Both factorise A = U' D U by rows, keep V = D U, and do the same operations on every number in the same order:
//   a_ij -= u_pi v_pj and y_i -= u_pi y_p for p = 0, 1, ..., i - 1, with u_pi = v_pi * (1 / d_p);
//   x_i = (y_i - sum over j > i of v_ij x_j) / d_i, the sum split by j modulo the lanes for all but the rest of a block of 4, and folded by halves.
// So a system has the same bytes alone as in a batch, whatever the others in it.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// The upper triangle of `blocks` x `blocks` blocks of 4 x 4, in tiles as BatchSystem has them.
template <typename T>
void tiles_of(const T* matrix, std::size_t ld, std::size_t blocks, T* tiles) {
  for (std::size_t j = 0; j < blocks; ++j) {
    for (std::size_t i = 0; i <= j; ++i, tiles += 16) {
      KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) __builtin_memcpy(tiles + 4 * r, matrix + (4 * i + r) * ld + 4 * j, 4 * sizeof(T));
    }
  }
}

template <typename T>
alignas(64) inline constexpr T lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The block of `rows` x `rows` at `block`, which holds its upper triangle: on return row r of `unit` holds U beyond the diagonal, `inverse` 1 / D.
/// Returns false once a pivot is not above 0 (or not a number).
template <typename T>
KINDRED_INLINE bool factorize_block(const T* block, std::size_t ld, T (&unit)[rows][rows], T* inverse, T& smallest) {
  T a[rows][rows];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t c = r; c < rows; ++c) a[r][c] = block[r * ld + c];
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

/// One tile of block row `i`: all its sums, then (with the block's own U known or found here) the elimination within the block row, in the right-hand side too.
template <typename T, std::size_t V, bool diagonal>
KINDRED_INLINE bool factorize_tile(const FactorizeArguments<T>& a, std::size_t i, std::size_t j, T (&unit)[rows][rows], T& smallest) {
  using Vector = typename Simd<T>::Vector;
  Vector tile[rows][V];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = load(a.v + (i + r) * a.ld + j + v * lanes<T>);
  }
  add_products<T, V, true>(tile, a.panel, rows, a.v + j, a.ld, i);
  if constexpr (diagonal) {
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(a.v + (i + r) * a.ld + j + v * lanes<T>, tile[r][v]);
    }
    if (!factorize_block<T>(a.v + i * a.ld + i, a.ld, unit, a.inverse + i, smallest)) return false;
    T y[rows];
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) y[r] = a.rhs[i + r];
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      KINDRED_UNROLL for (std::size_t q = r + 1; q < rows; ++q) y[q] -= unit[r][q] * y[r];
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) a.rhs[i + r] = y[r];
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t q = r + 1; q < rows; ++q) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[q][v] -= unit[r][q] * tile[r][v];
    }
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(a.v + (i + r) * a.ld + j + v * lanes<T>, tile[r][v]);
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
    const Vector before = load(a.rhs + j + v * lanes<T>);
    Vector after = before;
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) after -= (tile[r][v] * a.inverse[i + r]) * a.rhs[i + r];
    if constexpr (diagonal)  // what stands before the end of this block is final
      after = load(lane_numbers<T>) + static_cast<T>(j + v * lanes<T>) < static_cast<T>(i + rows) ? before : after;
    store(a.rhs + j + v * lanes<T>, after);
  }
  return true;
}

/// Left-looking by block rows of `rows`: nothing is written before its row is final, so the sums of products never travel to memory and back.
template <typename T>
T factorize(const FactorizeArguments<T>& a) {
  using Block = typename Simd<T>::Block;
  constexpr std::size_t w = lanes<T>;
  const std::size_t padded = (a.size + rows - 1) / rows * rows;
  const std::size_t end = (padded + w - 1) / w * w;
  T smallest = (std::numeric_limits<T>::max)();
  for (std::size_t i = 0; i < padded; i += rows) {
    // U of the columns of this block row, for broadcasting: D U scaled by 1 / D, one row after the other.
    for (std::size_t p = 0; p < i; ++p)
      *reinterpret_cast<Block*>(a.panel + p * rows) = *reinterpret_cast<const Block*>(a.v + p * a.ld + i) * a.inverse[p];
    T unit[rows][rows];
    std::size_t j = i / w * w;
    // The tile with the diagonal holds the diagonal block and little else: its code is long, and one form of it is enough.
    constexpr std::size_t first = rows > w ? rows / w : 1;
    if (!factorize_tile<T, first, true>(a, i, j, unit, smallest)) return T(-1);
    j += first * w;
    while (j < end) {
      const std::size_t width = tile_width((end - j) / w);
      if (width == 3)
        (void)factorize_tile<T, 3, false>(a, i, j, unit, smallest);
      else
        (void)factorize_tile<T, 1, false>(a, i, j, unit, smallest);
      j += width * w;
    }
  }
  return smallest;
}

template <typename T>
void back_substitute(const FactorizeArguments<T>& a, T* x) {
  constexpr std::size_t w = lanes<T>;
  const std::size_t padded = (a.size + rows - 1) / rows * rows;
  const std::size_t end = (padded + w - 1) / w * w;
  for (std::size_t i = padded; i != 0;) {
    i -= 4;
    // x of this block and before is still 0, so lanes left of the diagonal add nothing.
    typename Simd<T>::Vector total[4]{};
    for (std::size_t j = i / w * w; j < end; j += w) {
      const auto known = load(x + j);
      KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) total[r] += load(a.v + (i + r) * a.ld + j) * known;
    }
    T y[4];
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) y[r] = a.rhs[i + r] - sum_lanes<T>(total[r]);
    KINDRED_UNROLL for (std::size_t step = 0; step < 4; ++step) {
      const std::size_t r = 3 - step;
      y[r] *= a.inverse[i + r];
      KINDRED_UNROLL for (std::size_t q = 0; q < r; ++q) y[q] -= a.v[(i + q) * a.ld + i + r] * y[r];
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) x[i + r] = y[r];
  }
}

// ---- a system a lane ----

/// matrix[tile][entry][lane] from the systems' own tiles; beyond a system's size stands a diagonal that says nothing about it.
template <typename T>
KINDRED_INLINE void systems_to_lanes(const BatchArguments<T>& a, T* matrix) {
  constexpr std::size_t w = lanes<T>;
  alignas(64) T diagonal[w][16];
  alignas(64) const T zeros[16]{};
  for (std::size_t l = 0; l < w; ++l)
    for (std::size_t e = 0; e < 16; ++e) diagonal[l][e] = e % 5 == 0 ? a.systems[l].largest : T(0);
  const T* from[w];
  std::size_t step[w];
  for (std::size_t j = 0; j < a.size / 4; ++j) {
    for (std::size_t l = 0; l < w; ++l) {
      const bool own = 4 * j < a.systems[l].size;
      from[l] = own ? a.systems[l].tiles + 16 * tile_index(0, j) : zeros;
      step[l] = own ? 16 : 0;
    }
    for (std::size_t i = 0; i <= j; ++i) {
      if (i == j)
        for (std::size_t l = 0; l < w; ++l) from[l] = step[l] != 0 ? from[l] : diagonal[l];
      for (std::size_t part = 0; part < 16; part += w) {
        typename Simd<T>::Vector block[w];
        KINDRED_UNROLL for (std::size_t l = 0; l < w; ++l) block[l] = load(from[l] + part);
        transpose<T>(block);
        KINDRED_UNROLL for (std::size_t e = 0; e < w; ++e) store(matrix + e * w, block[e]);
        matrix += w * w;
      }
      for (std::size_t l = 0; l < w; ++l) from[l] += step[l];
    }
  }
}

/// Vectors of `size` entries, one a system, to entries of a lane a system, or back.
template <typename T, bool back>
KINDRED_INLINE void vectors_to_lanes(const BatchArguments<T>& a, T* y) {
  constexpr std::size_t w = lanes<T>;
  for (std::size_t i = 0; i < a.size; i += w) {
    typename Simd<T>::Vector block[w];
    KINDRED_UNROLL for (std::size_t l = 0; l < w; ++l) block[l] = load(back ? y + (i + l) * w : a.systems[l].rhs + i);
    transpose<T>(block);
    KINDRED_UNROLL for (std::size_t l = 0; l < w; ++l) store(back ? a.systems[l].rhs + i : y + (i + l) * w, block[l]);
  }
}

/// Columns [part, part + width) of tile (i, j) less what the block rows above contribute.
template <typename T>
KINDRED_INLINE void sum_lanes_tile(typename Simd<T>::Vector (&tile)[4][tile_columns], const T* matrix, const T* panel, std::size_t i, std::size_t j, std::size_t part) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  const T* const own = matrix + (tile_index(i, j) * 16 + part) * w;
  KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
    KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) tile[c][r] = load(own + (4 * c + r) * w);
  }
  for (std::size_t above = 0; above < i; ++above) {
    const T* const v = matrix + (tile_index(above, j) * 16 + part) * w;
    const T* const u = panel + 16 * above * w;
    KINDRED_UNROLL for (std::size_t p = 0; p < 4; ++p) {
      Vector known[tile_columns];
      KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) known[r] = load(v + (4 * p + r) * w);
      KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
        const Vector factor = load(u + (4 * p + c) * w);
        KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) tile[c][r] -= factor * known[r];
      }
    }
  }
}

template <typename T>
KINDRED_INLINE void store_lanes_tile(typename Simd<T>::Vector (&tile)[4][tile_columns], T* matrix, std::size_t i, std::size_t j, std::size_t part) {
  T* const own = matrix + (tile_index(i, j) * 16 + part) * lanes<T>;
  KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
    KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) store(own + (4 * c + r) * lanes<T>, tile[c][r]);
  }
}

/// U' D U of all lanes and U'^-1 of the right-hand sides `y`; returns the smallest pivots.
template <typename T>
KINDRED_INLINE typename Simd<T>::Vector factorize_lanes(T* matrix, T* panel, T* inverse, T* y, std::size_t blocks) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  Vector smallest = Vector{} + (std::numeric_limits<T>::max)();
  for (std::size_t i = 0; i < blocks; ++i) {
    Vector right[4];
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) right[c] = load(y + (4 * i + c) * w);
    for (std::size_t p = 0; p < 4 * i; ++p) {
      const T* const v = matrix + (tile_index(p / 4, i) * 16 + p % 4 * 4) * w;
      const Vector reciprocal = load(inverse + p * w);
      const Vector known = load(y + p * w);
      KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
        const Vector u = load(v + c * w) * reciprocal;
        store(panel + (4 * p + c) * w, u);  // of the 4 columns at hand
        right[c] -= u * known;
      }
    }

    Vector tile[4][tile_columns];
    KINDRED_UNROLL for (std::size_t part = 0; part < 4; part += tile_columns) {
      sum_lanes_tile<T>(tile, matrix, panel, i, i, part);
      store_lanes_tile<T>(tile, matrix, i, i, part);
    }
    Vector unit[4][4];
    T* const own = matrix + tile_index(i, i) * 16 * w;
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
      const Vector pivot = load(own + 5 * c * w);
      smallest = pivot < smallest ? pivot : smallest;
      const Vector reciprocal = (Vector{} + T(1)) / pivot;
      store(inverse + (4 * i + c) * w, reciprocal);
      KINDRED_UNROLL for (std::size_t q = c + 1; q < 4; ++q) {
        unit[c][q] = load(own + (4 * c + q) * w) * reciprocal;
        KINDRED_UNROLL for (std::size_t r = q; r < 4; ++r)
          store(own + (4 * q + r) * w, load(own + (4 * q + r) * w) - unit[c][q] * load(own + (4 * c + r) * w));
        right[q] -= unit[c][q] * right[c];
      }
    }
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) store(y + (4 * i + c) * w, right[c]);

    for (std::size_t j = i + 1; j < blocks; ++j) {
      KINDRED_UNROLL for (std::size_t part = 0; part < 4; part += tile_columns) {
        sum_lanes_tile<T>(tile, matrix, panel, i, j, part);
        KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
          KINDRED_UNROLL for (std::size_t q = c + 1; q < 4; ++q) {
            KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) tile[q][r] -= unit[c][q] * tile[c][r];
          }
        }
        store_lanes_tile<T>(tile, matrix, i, j, part);
      }
    }
  }
  return smallest;
}

template <typename T>
KINDRED_INLINE void back_substitute_lanes(const T* matrix, const T* inverse, T* y, std::size_t blocks) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  // Blocks of 4 columns begin at 0, 4, 8 or 12 of the lanes that a system alone would be summed in.
  constexpr std::size_t places = w > 4 ? w / 4 : 1;
  for (std::size_t i = blocks; i-- > 0;) {
    Vector sums[places][16];
    for (std::size_t place = 0; place < places; ++place) {
      Vector sum[16]{};
      for (std::size_t j = i + 1 + (place - i - 1) % places; j < blocks; j += places) {
        const T* const v = matrix + tile_index(i, j) * 16 * w;
        KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
          const Vector known = load(y + (4 * j + r) * w);
          KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) sum[4 * c + (w < 4 ? r % w : r)] += load(v + (4 * c + r) * w) * known;
        }
      }
      KINDRED_UNROLL for (std::size_t e = 0; e < 16; ++e) sums[place][e] = sum[e];
    }
    KINDRED_UNROLL for (std::size_t half = places / 2; half > 0; half /= 2) {
      KINDRED_UNROLL for (std::size_t place = 0; place < half; ++place) {
        KINDRED_UNROLL for (std::size_t e = 0; e < 16; ++e) sums[place][e] += sums[place + half][e];
      }
    }
    Vector right[4];
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
      const Vector* const s = sums[0] + 4 * c;
      const Vector sum = w < 4 ? s[0] + s[1] : (s[0] + s[2]) + (s[1] + s[3]);
      right[c] = load(y + (4 * i + c) * w) - sum;
    }
    const T* const v = matrix + tile_index(i, i) * 16 * w;
    KINDRED_UNROLL for (std::size_t step = 0; step < 4; ++step) {
      const std::size_t c = 3 - step;
      right[c] *= load(inverse + (4 * i + c) * w);
      KINDRED_UNROLL for (std::size_t q = 0; q < c; ++q) right[q] -= load(v + (4 * q + c) * w) * right[c];
    }
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) store(y + (4 * i + c) * w, right[c]);
  }
}

template <typename T>
void solve_batch(const BatchArguments<T>& a) {
  constexpr std::size_t w = lanes<T>;
  const std::size_t blocks = a.size / 4;
  T* const matrix = a.work;
  T* const panel = matrix + tile_index(0, blocks) * 16 * w;
  T* const inverse = panel + a.size * 4 * w;
  T* const y = inverse + a.size * w;
  systems_to_lanes<T>(a, matrix);
  vectors_to_lanes<T, false>(a, y);
  store(a.smallest, factorize_lanes<T>(matrix, panel, inverse, y, blocks));
  back_substitute_lanes<T>(matrix, inverse, y, blocks);
  vectors_to_lanes<T, true>(a, y);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
