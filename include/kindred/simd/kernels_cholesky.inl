// SPDX-License-Identifier: MIT
// One symmetric system, and a batch of small ones with a system a lane. Included by kernels.hpp, as kernels_common.inl says.
//
// Both factorise A = U' D U by rows, keep V = D U, and do the same operations on every number in the same order:
//   a_ij -= u_pi v_pj and y_i -= u_pi y_p for p = 0, 1, ..., i - 1, with u_pi = v_pi * (1 / d_p);
//   x_i = (y_i - sum over j > i of v_ij x_j) / d_i, the sum split by j modulo 4 for all but the rest of a block of 4, and folded by halves.
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
    const T reciprocal = T(1) / (pivot > T(0) ? pivot : T(1));  // no division by 0, which a program may trap
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
  add_products<T, false, V, true>(tile, a.panel, rows, a.v + j, a.ld, i);
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
  using Chunk = typename Simd<T>::Chunk;
  const std::size_t padded = (a.size + rows - 1) / rows * rows;
  for (std::size_t i = padded; i != 0;) {
    i -= 4;
    Chunk total[4][4 / chunk<T>]{};
    for (std::size_t j = i + 4; j < padded; j += 4) {
      KINDRED_UNROLL for (std::size_t part = 0; part < 4 / chunk<T>; ++part) {
        const Chunk known = *reinterpret_cast<const Chunk*>(x + j + part * chunk<T>);
        KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) total[r][part] +=
            *reinterpret_cast<const Chunk*>(a.v + (i + r) * a.ld + j + part * chunk<T>) * known;
      }
    }
    T y[4];
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
      const auto entry = [&](std::size_t c) { return total[r][c / chunk<T>][c % chunk<T>]; };
      y[r] = a.rhs[i + r] - ((entry(0) + entry(2)) + (entry(1) + entry(3)));
    }
    KINDRED_UNROLL for (std::size_t step = 0; step < 4; ++step) {
      const std::size_t r = 3 - step;
      y[r] *= a.inverse[i + r];
      KINDRED_UNROLL for (std::size_t q = 0; q < r; ++q) y[q] -= a.v[(i + q) * a.ld + i + r] * y[r];
    }
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) x[i + r] = y[r];
  }
}

// ---- a system a lane ----

/// Two chunks, or one where that fills a vector. Systems become lanes by the chunk: put together as they are loaded, two halves of a vector of 16 floats take fewer
/// shuffles than a whole one, and none that crosses a chunk.
template <typename T>
struct Pair {
  static constexpr std::size_t size = lanes<T> < 2 * chunk<T> ? lanes<T> : 2 * chunk<T>;
  typedef T Vector __attribute__((vector_size(size * sizeof(T)), may_alias));
};

/// Each chunk of c vectors as a c x c matrix, c = chunk<T>.
template <typename T>
KINDRED_INLINE void transpose_chunks(typename Pair<T>::Vector (&y)[chunk<T>]) {
  using Vector = typename Pair<T>::Vector;
  constexpr std::size_t c = chunk<T>;
  KINDRED_UNROLL for (std::size_t round = 1; round < c; round *= 2) {
    Vector next[c];
    KINDRED_UNROLL for (std::size_t n = 0; n < c / 2; ++n) {
      const Vector a = y[n], b = y[n + c / 2];
      if constexpr (Pair<T>::size == 8) {
        next[2 * n] = KINDRED_SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        next[2 * n + 1] = KINDRED_SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
      } else if constexpr (Pair<T>::size == 4) {
        next[2 * n] = KINDRED_SHUFFLE(a, b, 0, 4, 1, 5);
        next[2 * n + 1] = KINDRED_SHUFFLE(a, b, 2, 6, 3, 7);
      } else {
        next[2 * n] = KINDRED_SHUFFLE(a, b, 0, 2);
        next[2 * n + 1] = KINDRED_SHUFFLE(a, b, 1, 3);
      }
    }
    KINDRED_UNROLL for (std::size_t n = 0; n < c; ++n) y[n] = next[n];
  }
}

/// to[entry][lane] from the `n` entries of each system at from[lane]; n is a multiple of 4.
template <typename T>
KINDRED_INLINE void to_lanes(const T* const* from, std::size_t n, T* to) {
  using Chunk = typename Simd<T>::Chunk;
  constexpr std::size_t w = lanes<T>, c = chunk<T>;
  for (std::size_t e = 0; e < n; e += c) {
    KINDRED_UNROLL for (std::size_t l = 0; l < w; l += Pair<T>::size) {
      typename Pair<T>::Vector y[c];
      KINDRED_UNROLL for (std::size_t r = 0; r < c; ++r) {
        const Chunk first = *reinterpret_cast<const Chunk*>(from[l + r] + e);
        if constexpr (Pair<T>::size == c)
          y[r] = first;
        else
          y[r] = KINDRED_JOIN_FOURS(typename Pair<T>::Vector, first, *reinterpret_cast<const Chunk*>(from[l + c + r] + e));
      }
      transpose_chunks<T>(y);
      KINDRED_UNROLL for (std::size_t r = 0; r < c; ++r) * reinterpret_cast<typename Pair<T>::Vector*>(to + (e + r) * w + l) = y[r];
    }
  }
}

/// The way back.
template <typename T>
KINDRED_INLINE void from_lanes(const T* from, std::size_t n, T* const* to) {
  constexpr std::size_t w = lanes<T>, c = chunk<T>;
  for (std::size_t e = 0; e < n; e += c) {
    KINDRED_UNROLL for (std::size_t l = 0; l < w; l += Pair<T>::size) {
      typename Pair<T>::Vector y[c];
      KINDRED_UNROLL for (std::size_t r = 0; r < c; ++r) y[r] = *reinterpret_cast<const typename Pair<T>::Vector*>(from + (e + r) * w + l);
      transpose_chunks<T>(y);
      KINDRED_UNROLL for (std::size_t r = 0; r < c; ++r) {
        __builtin_memcpy(to[l + r] + e, &y[r], c * sizeof(T));
        if constexpr (Pair<T>::size != c) __builtin_memcpy(to[l + c + r] + e, reinterpret_cast<const T*>(&y[r]) + c, c * sizeof(T));
      }
    }
  }
}

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
    for (std::size_t i = 0; i <= j; ++i, matrix += 16 * w) {
      if (i == j)
        for (std::size_t l = 0; l < w; ++l) from[l] = step[l] != 0 ? from[l] : diagonal[l];
      to_lanes<T>(from, 16, matrix);
      for (std::size_t l = 0; l < w; ++l) from[l] += step[l];
    }
  }
}

/// Columns [part, part + width) of tile (i, j) less what the block rows above contribute.
template <typename T>
KINDRED_INLINE void sum_lanes_tile(typename Simd<T>::Vector (&tile)[4][tile_columns], const T* matrix, const T* panel, std::size_t i,
                                   std::size_t j, std::size_t part) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  const T* const own = matrix + (tile_index(i, j) * 16 + part) * w;
  KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
    KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) tile[c][r] = load(own + (4 * c + r) * w);
  }
  // The tiles above stand together, a row after the other.
  const T* v = matrix + (tile_index(0, j) * 16 + part) * w;
  const T* u = panel;
  for (std::size_t pair = 0; pair < 2 * i; ++pair) {
    KINDRED_UNROLL for (std::size_t p = 0; p < 2; ++p, v += 4 * w, u += 4 * w) {
      Vector known[tile_columns];
      KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) known[r] = load(v + r * w);
      KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
        const Vector factor = load(u + c * w);
        KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) tile[c][r] -= factor * known[r];
      }
    }
  }
}

template <typename T>
KINDRED_INLINE void store_lanes_tile(typename Simd<T>::Vector (&tile)[4][tile_columns], T* matrix, std::size_t i, std::size_t j,
                                     std::size_t part) {
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
    Vector own[4][4];
    KINDRED_UNROLL for (std::size_t part = 0; part < 4; part += tile_columns) {
      sum_lanes_tile<T>(tile, matrix, panel, i, i, part);
      KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
        KINDRED_UNROLL for (std::size_t r = 0; r < tile_columns; ++r) own[c][part + r] = tile[c][r];
      }
    }
    Vector unit[4][4];
    T* const stored = matrix + tile_index(i, i) * 16 * w;
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) {
      const Vector pivot = own[c][c];
      smallest = pivot < smallest ? pivot : smallest;
      const Vector reciprocal = (Vector{} + T(1)) / (pivot > T(0) ? pivot : Vector{} + T(1));  // no division by 0
      store(inverse + (4 * i + c) * w, reciprocal);
      KINDRED_UNROLL for (std::size_t q = c + 1; q < 4; ++q) {
        const Vector u = own[c][q] * reciprocal;
        unit[c][q] = u;
        store(stored + (4 * c + q) * w, own[c][q]);
        KINDRED_UNROLL for (std::size_t r = q; r < 4; ++r) own[q][r] -= u * own[c][r];
        right[q] -= u * right[c];
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
  for (std::size_t i = blocks; i-- > 0;) {
    Vector sum[4][4]{};
    for (std::size_t j = i + 1; j < blocks; ++j) {
      const T* const v = matrix + tile_index(i, j) * 16 * w;
      KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
        const Vector known = load(y + (4 * j + r) * w);
        KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) sum[c][r] += load(v + (4 * c + r) * w) * known;
      }
    }
    Vector right[4];
    KINDRED_UNROLL for (std::size_t c = 0; c < 4; ++c) right[c] =
        load(y + (4 * i + c) * w) - ((sum[c][0] + sum[c][2]) + (sum[c][1] + sum[c][3]));
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
  T* rhs[w];
  for (std::size_t l = 0; l < w; ++l) rhs[l] = a.systems[l].rhs;
  to_lanes<T>(rhs, a.size, y);
  store(a.smallest, factorize_lanes<T>(matrix, panel, inverse, y, blocks));
  back_substitute_lanes<T>(matrix, inverse, y, blocks);
  from_lanes<T>(y, a.size, rhs);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
