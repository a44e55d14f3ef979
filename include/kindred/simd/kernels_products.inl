// SPDX-License-Identifier: MIT
// Sums of outer products, dot products of all pairs of rows, plain products. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// Vectors of the next tile when `left` are still to do: two at a time are no faster than one and one.
KINDRED_INLINE constexpr std::size_t tile_width(std::size_t left) { return left >= 3 ? 3 : 1; }

/// Rows of a tile's sum between two times that lines are prefetched. With 8 rows the loop ends so often that sums take 5 % longer.
inline constexpr std::size_t accumulated_part = 32;

/// V vectors of block row i, of the level's size or half of it.
template <typename T, bool half, std::size_t V>
KINDRED_INLINE void accumulate_tile(T* start, std::size_t ld, std::size_t i, std::size_t j, const T* left, const T* right,
                                    std::size_t n_rows, std::size_t share, Ahead<T>& ahead) {
  using Vector = typename Wide<T, half>::Vector;
  constexpr std::size_t w = Wide<T, half>::size;
  T* const own = start + i * ld + j;
  Vector tile[rows][V];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] = *reinterpret_cast<const Vector*>(own + r * ld + v * w);
  }
  for (std::size_t p = 0; p < n_rows; p += accumulated_part) {
    ahead.prefetch(share);
    add_products<T, half, V, false>(tile, left + p * ld + i, ld, right + p * ld + j, ld,
                                    n_rows - p < accumulated_part ? n_rows - p : accumulated_part);
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) * reinterpret_cast<Vector*>(own + r * ld + v * w) = tile[r][v];
  }
}

/// Up to three whole vectors of block row i from place j on.
template <typename T>
KINDRED_INLINE void accumulate_vectors(std::size_t vectors, T* start, std::size_t ld, std::size_t i, std::size_t j, const T* left,
                                       const T* right, std::size_t n_rows, std::size_t share, Ahead<T>& ahead) {
  if (vectors == 3) return accumulate_tile<T, false, 3>(start, ld, i, j, left, right, n_rows, share, ahead);
  for (; vectors > 0; --vectors, j += lanes<T>) accumulate_tile<T, false, 1>(start, ld, i, j, left, right, n_rows, share, ahead);
}

/// By strips of up to three vectors of `right`, of which so many rows are taken at a time that they stay in the first-level cache while all block rows above
/// the diagonal meet them. The narrowest strip is the first, where the triangle is low.
template <typename T>
void accumulate(T* start, std::size_t ld, std::size_t size, const T* left, const T* right, std::size_t n_rows,
                const GatherArguments<T>& wanted) {
  constexpr std::size_t w = lanes<T>;
  constexpr std::size_t together = 128;
  // Where a block row is half a vector high, half vectors at its ends leave only the diagonal block itself half wasted.
  constexpr bool halves = KINDRED_SIMD_BYTES == 64 && w == 2 * rows;
  Ahead<T> ahead(wanted);
  const std::size_t padded = (size + rows - 1) / rows * rows;
  const std::size_t vectors = (halves ? padded : padded + w - 1) / w;
  const std::size_t tiles = padded / rows * (vectors / 3 + 1) / 2 + 1;  // about
  const std::size_t share = 1 + ahead.lines() / (tiles * ((n_rows + accumulated_part - 1) / accumulated_part) + 1);
  for (std::size_t first = 0; first < n_rows; first += together) {
    const std::size_t count = n_rows - first < together ? n_rows - first : together;
    const T* const l = left + first * ld;
    const T* const r = right + first * ld;
    for (std::size_t j = 0, end; j < vectors * w; j = end) {
      end = j + (j == 0 && vectors % 3 != 0 ? vectors % 3 : 3) * w;
      for (std::size_t i = 0; i < end && i < padded; i += rows) {
        std::size_t at = i < j ? j : i / w * w;
        if constexpr (halves) {
          if (at < i) {
            accumulate_tile<T, true, 1>(start, ld, i, i, l, r, count, share, ahead);
            at += w;
          }
        }
        accumulate_vectors<T>((end - at) / w, start, ld, i, at, l, r, count, share, ahead);
      }
    }
    if constexpr (halves) {
      if (vectors * w < padded)
        for (std::size_t i = 0; i < padded; i += rows) accumulate_tile<T, true, 1>(start, ld, i, vectors * w, l, r, count, share, ahead);
    }
  }
}

/// First round of the sums of two accumulators, or of two pairs of them: within every chunk of 4 lanes, a0 + a2, b0 + b2, a1 + a3, b1 + b3.
template <typename T>
KINDRED_INLINE typename Simd<T>::Vector fold_chunks(typename Simd<T>::Vector a, typename Simd<T>::Vector b) {
  if constexpr (lanes<T> == 16)
    return KINDRED_SHUFFLE(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
           KINDRED_SHUFFLE(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  else if constexpr (lanes<T> == 8)
    return KINDRED_SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13) + KINDRED_SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  else if constexpr (lanes<T> == 4)
    return KINDRED_SHUFFLE(a, b, 0, 4, 1, 5) + KINDRED_SHUFFLE(a, b, 2, 6, 3, 7);
  else
    return KINDRED_SHUFFLE(a, b, 0, 2) + KINDRED_SHUFFLE(a, b, 1, 3);
}

/// Second round: within every chunk of 4 lanes a0 + a2, a1 + a3, b0 + b2, b1 + b3.
template <typename T>
KINDRED_INLINE typename Simd<T>::Vector fold_pairs(typename Simd<T>::Vector a, typename Simd<T>::Vector b) {
  if constexpr (lanes<T> == 16)
    return KINDRED_SHUFFLE(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           KINDRED_SHUFFLE(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  else if constexpr (lanes<T> == 8)
    return KINDRED_SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13) + KINDRED_SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  else
    return KINDRED_SHUFFLE(a, b, 0, 1, 4, 5) + KINDRED_SHUFFLE(a, b, 2, 3, 6, 7);
}

/// A chunk in every chunk of a vector. By assembly, because GCC makes a detour through memory of the shuffle that says the same.
template <typename T>
KINDRED_INLINE typename Simd<T>::Vector repeat(const T* from) {
  if constexpr (lanes<T> == chunk<T>) {
    return load(from);
  } else {
    using Chunk = typename Simd<T>::Chunk;
    typename Simd<T>::Vector repeated;
    const auto& one = *reinterpret_cast<const Chunk*>(from);
#if KINDRED_SIMD_BYTES == 64
    if constexpr (sizeof(T) == 4)
      __asm__("vbroadcastf32x4 %1, %0" : "=v"(repeated) : "m"(one));
    else
      __asm__("vbroadcastf64x4 %1, %0" : "=v"(repeated) : "m"(one));
#elif KINDRED_SIMD_BYTES == 32
    __asm__("vbroadcastf128 %1, %0" : "=x"(repeated) : "m"(one));
#endif
    return repeated;
  }
}

/// Dot products of the 4 rows of each of C blocks from `right` on with the 4 rows of each of G blocks from `left` on, a tile each; tiles of a block at
/// `right` stand together.
template <typename T, std::size_t G, std::size_t C>
KINDRED_INLINE void product_tiles(const T* left, const T* right, std::size_t ld, std::size_t depth, T* const (&out)[C], std::size_t share,
                                  Ahead<T>& ahead) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t parts = 4 * chunk<T> / lanes<T>;  // vectors that a chunk of 4 rows takes
  constexpr std::size_t section = 32 * 4 * chunk<T>;      // between two times that lines are prefetched
  Vector sum[C][G][parts][4]{};
  for (std::size_t first = 0; first < 4 * depth; first += section) {
    ahead.prefetch(share);
    const std::size_t end = 4 * depth - first < section ? 4 * depth : first + section;
    for (std::size_t f = first; f < end; f += 4 * chunk<T>) {
      Vector x[G][parts];
      KINDRED_UNROLL for (std::size_t g = 0; g < G; ++g) {
        KINDRED_UNROLL for (std::size_t p = 0; p < parts; ++p) x[g][p] = load(left + 4 * g * ld + f + p * lanes<T>);
      }
      KINDRED_UNROLL for (std::size_t c = 0; c < C; ++c) {
        KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
          const Vector y = repeat(right + 4 * c * ld + f + r * chunk<T>);
          KINDRED_UNROLL for (std::size_t g = 0; g < G; ++g) {
            KINDRED_UNROLL for (std::size_t p = 0; p < parts; ++p) sum[c][g][p][r] += x[g][p] * y;
          }
        }
      }
    }
  }
  KINDRED_UNROLL for (std::size_t c = 0; c < C; ++c) {
    KINDRED_UNROLL for (std::size_t g = 0; g < G; ++g) {
      KINDRED_UNROLL for (std::size_t p = 0; p < parts; ++p) {
        const Vector first = fold_chunks<T>(sum[c][g][p][0], sum[c][g][p][1]);
        const Vector second = fold_chunks<T>(sum[c][g][p][2], sum[c][g][p][3]);
        if constexpr (chunk<T> == 4) {
          store(out[c] + 16 * g + p * lanes<T>, fold_pairs<T>(first, second));
        } else {
          store(out[c] + 16 * g + 4 * p, first);
          store(out[c] + 16 * g + 4 * p + 2, second);
        }
      }
    }
  }
}

/// Dot products of all pairs of `n` rows (a multiple of 4) as gather_blocks lays them out: a vector holds a chunk of each of several rows and meets the same chunk
/// of one row, repeated, so that two foldings end a sum where a dot product along whole rows takes four; a row count is padded to 4 and not to a vector, and
/// nothing has to be transposed.
template <typename T>
void row_products(const T* from, std::size_t ld, std::size_t n, std::size_t depth, T* tiles, const GatherArguments<T>& wanted) {
  Ahead<T> ahead(wanted);
  const std::size_t blocks = n / 4;
  const std::size_t groups = blocks * blocks / 8 + blocks / 2 + 1;
  const std::size_t share = 1 + ahead.lines() / (groups * ((depth + 127) / 128));  // lines to prefetch for each section
  std::size_t j = 0;
  if constexpr (KINDRED_SIMD_BYTES == 64 && lanes<T> == 16) {
    // Two block columns at a time, so that rows read from the second-level cache serve both. The tile below the diagonal is one too many.
    for (; j + 2 <= blocks; j += 2) {
      const T* const right = from + 4 * j * ld;
      T* const second = tiles + 16 * (j + 1);
      alignas(64) T rest[32];
      for (std::size_t i = 0; i <= j;) {
        if (i < j && (j - i) % 3 == 0) {
          product_tiles<T, 3, 2>(from + 4 * i * ld, right, ld, depth, {tiles + 16 * i, second + 16 * i}, share, ahead);
          i += 3;
        } else {
          product_tiles<T, 2, 2>(from + 4 * i * ld, right, ld, depth, {i < j ? tiles + 16 * i : rest, second + 16 * i}, share, ahead);
          i += 2;
        }
      }
      __builtin_memcpy(tiles + 16 * j, rest, 16 * sizeof(T));
      tiles = second + 16 * (j + 2);
    }
  }
  for (; j < blocks; ++j) {
    const T* const right = from + 4 * j * ld;
    std::size_t i = 0;
    if constexpr (KINDRED_SIMD_BYTES == 64) {
      for (; i + 2 <= j + 1; i += 2, tiles += 32) product_tiles<T, 2, 1>(from + 4 * i * ld, right, ld, depth, {tiles}, share, ahead);
    }
    for (; i <= j; ++i, tiles += 16) product_tiles<T, 1, 1>(from + 4 * i * ld, right, ld, depth, {tiles}, share, ahead);
  }
}

/// A tile of a product; of the rows of `left` and `out` the first `n`, at least 1. A row's bytes do not depend on how many others there are.
template <typename T, std::size_t V>
KINDRED_INLINE void multiply_tile(const T* left, std::size_t left_ld, std::size_t n, const T* right, std::size_t ld, std::size_t k, T* out,
                                  std::size_t out_ld, bool add) {
  using Vector = typename Simd<T>::Vector;
  const T* from[rows];
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) from[r] = left + (r < n ? r : 0) * left_ld;
  Vector tile[rows][V]{};
  for (std::size_t p = 0; p < k; ++p) {
    Vector b[V];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) b[v] = load(right + p * ld + v * lanes<T>);
    KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
      const T a = from[r][p];
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[r][v] += a * b[v];
    }
  }
  KINDRED_UNROLL for (std::size_t r = 0; r < rows; ++r) {
    if (r < n) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
        T* const to = out + r * out_ld + v * lanes<T>;
        store(to, add ? load(to) + tile[r][v] : tile[r][v]);
      }
    }
  }
}

template <typename T>
void multiply(const T* left, std::size_t left_ld, std::size_t n, const T* right, std::size_t ld, std::size_t width, std::size_t k, T* out,
              std::size_t out_ld) {
  constexpr std::size_t w = lanes<T>;
  constexpr std::size_t depth = 256;
  // Where `right` leaves the second-level cache a strip of it serves more rows before it goes.
  const std::size_t together = width * depth * sizeof(T) > (std::size_t{1} << 19) ? 32 : rows;
  for (std::size_t first = 0; first < n; first += together) {
    const std::size_t last = n - first < together ? n : first + together;
    // Of many factors later parts of the sum are added to the earlier ones.
    for (std::size_t part = 0; part < k; part += depth) {
      const std::size_t length = k - part < depth ? k - part : depth;
      for (std::size_t j = 0; j < width;) {
        const std::size_t vectors = tile_width((width - j) / w);
        const T* const strip = right + part * ld + j;
        for (std::size_t row = first; row < last; row += rows) {
          const T* const from = left + row * left_ld + part;
          T* const to = out + row * out_ld + j;
          if (vectors == 3)
            multiply_tile<T, 3>(from, left_ld, last - row, strip, ld, length, to, out_ld, part != 0);
          else
            multiply_tile<T, 1>(from, left_ld, last - row, strip, ld, length, to, out_ld, part != 0);
        }
        j += vectors * w;
      }
    }
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
