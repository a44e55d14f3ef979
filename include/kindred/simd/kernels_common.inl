// SPDX-License-Identifier: MIT
// Vectors and what all loops share. kernels.hpp includes this file and the other kernels_*.inl once a level. No include guard, no #include: the region around
// them decides the instructions.
//
// Form. Matrices are row-major and vectors run along a row, except where lanes are systems (solve_batch). Sums of products are kept in a tile of
// accumulators: 8 x 3 vectors of 16 floats, for dot products 3 x 2 tiles of 4, use 24 of the 32 registers of AVX-512; 4 x 3 and 4 x 2 use at most 12 of
// the 16 that the other levels have. Constant loops are unrolled by pragma: without it GCC at -O2 keeps accumulators in memory.
// A product that is added to or taken from an accumulator in one expression is fused where the level has FMA, by the default contraction of both compilers
// (of GCC from -O2 on).

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

template <typename T>
inline constexpr std::size_t lanes = KINDRED_SIMD_BYTES / sizeof(T);
template <typename T>
inline constexpr std::size_t chunk = lanes<T> < 4 ? lanes<T> : 4;  // scalars of a row that stand together where rows are interleaved

template <typename T>
struct Simd {
  typedef T Vector __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
  typedef T Block
      __attribute__((vector_size(KINDRED_SIMD_ROWS * sizeof(T)), may_alias, aligned(sizeof(T))));  // one row of a diagonal block
  typedef T Chunk __attribute__((vector_size(chunk<T> * sizeof(T)), may_alias));
};

/// The same, or half as wide: as a member, since a type that is an argument of a template loses its attributes.
template <typename T, bool half>
struct Wide {
  typedef T Vector __attribute__((vector_size(KINDRED_SIMD_BYTES / (half ? 2 : 1)), may_alias));
  static constexpr std::size_t size = sizeof(Vector) / sizeof(T);
};

inline constexpr std::size_t rows = KINDRED_SIMD_ROWS;                         // of a tile of outer products
inline constexpr std::size_t tile_columns = KINDRED_SIMD_BYTES == 64 ? 4 : 2;  // of a tile of systems, which has 4 rows

template <typename T>
KINDRED_INLINE typename Simd<T>::Vector load(const T* from) {
  return *reinterpret_cast<const typename Simd<T>::Vector*>(from);
}

template <typename T>
KINDRED_INLINE void store(T* to, typename Simd<T>::Vector value) {
  *reinterpret_cast<typename Simd<T>::Vector*>(to) = value;
}

/// Remembers whether a number that is not finite has been seen: tested on bits, so that it holds under -ffast-math.
template <typename T>
struct ExponentCheck {
  typedef std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t> Bits;
  typedef Bits BitVector __attribute__((vector_size(KINDRED_SIMD_BYTES)));
  static constexpr Bits exponent = static_cast<Bits>(sizeof(T) == 4 ? 0x7F800000 : 0x7FF0000000000000);

  KINDRED_INLINE void look_at(typename Simd<T>::Vector v) {
    const BitVector bits = reinterpret_cast<BitVector>(v) & exponent;
    seen |= bits == exponent;
  }
  KINDRED_INLINE bool operator()() const {
    Bits any = 0;
    for (std::size_t n = 0; n < lanes<T>; ++n) any |= seen[n];
    return any == 0;
  }

  BitVector seen{};
};

/// One round of a perfect shuffle: a0 b0 a1 b1 ... and its upper half.
template <typename T>
KINDRED_INLINE void interleave(typename Simd<T>::Vector a, typename Simd<T>::Vector b, typename Simd<T>::Vector& low,
                               typename Simd<T>::Vector& high) {
  if constexpr (lanes<T> == 16) {
    low = KINDRED_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = KINDRED_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (lanes<T> == 8) {
    low = KINDRED_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    high = KINDRED_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else if constexpr (lanes<T> == 4) {
    low = KINDRED_SHUFFLE(a, b, 0, 4, 1, 5);
    high = KINDRED_SHUFFLE(a, b, 2, 6, 3, 7);
  } else {
    low = KINDRED_SHUFFLE(a, b, 0, 2);
    high = KINDRED_SHUFFLE(a, b, 1, 3);
  }
}

/// The lanes of `2 * half` vectors are added up together, which costs two shuffles a vector instead of several: v[0] gets a sum a lane, in order.
/// Every sum adds halves first, so it does not matter how many vectors go together.
template <typename T, std::size_t half>
KINDRED_INLINE void fold(typename Simd<T>::Vector* v) {
  KINDRED_UNROLL for (std::size_t n = 0; n < half; ++n) {
    typename Simd<T>::Vector low, high;
    interleave<T>(v[n], v[n + half], low, high);
    v[n] = low + high;
  }
  if constexpr (half > 1) fold<T, half / 2>(v);
}

/// out[n] = sum of the lanes of v[n]; N is a multiple of the lanes.
template <typename T, std::size_t N>
KINDRED_INLINE void sum_each(typename Simd<T>::Vector (&v)[N], T* out) {
  KINDRED_UNROLL for (std::size_t n = 0; n < N; n += lanes<T>) {
    if constexpr (lanes < T >> 1) fold<T, lanes<T> / 2>(v + n);
    store(out + n, v[n]);
  }
}

/// Halves first, as in sum_each.
template <typename T>
KINDRED_INLINE T sum_lanes(typename Simd<T>::Vector v) {
  if constexpr (lanes<T> == 16) {
    v += KINDRED_SHUFFLE(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v += KINDRED_SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3);
    v += KINDRED_SHUFFLE(v, v, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1);
    return v[0] + v[1];
  } else if constexpr (lanes<T> == 8) {
    v += KINDRED_SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    v += KINDRED_SHUFFLE(v, v, 2, 3, 0, 1, 2, 3, 0, 1);
    return v[0] + v[1];
  } else if constexpr (lanes<T> == 4) {
    v += KINDRED_SHUFFLE(v, v, 2, 3, 0, 1);
    return v[0] + v[1];
  } else {
    return v[0] + v[1];
  }
}

/// tile[r][v] += sum_p left[p * left_step + r] * right[p * right_step + v-th vector]
template <typename T, bool half, std::size_t V, bool negative>
KINDRED_INLINE void add_products(typename Wide<T, half>::Vector (&tile)[rows][V], const T* left, std::size_t left_step, const T* right,
                                 std::size_t right_step, std::size_t depth) {
  using Vector = typename Wide<T, half>::Vector;
  for (std::size_t p = 0; p < depth; ++p) {
    Vector b[V];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) b[v] =
        *reinterpret_cast<const Vector*>(right + p * right_step + v * Wide<T, half>::size);
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

/// Tile (i, j) of an upper triangle of tiles, column after column: its place does not depend on how many there are, and what is above a tile stands together.
KINDRED_INLINE constexpr std::size_t tile_index(std::size_t i, std::size_t j) { return j * (j + 1) / 2 + i; }

/// The row ahead into the first-level cache, or into the second.
template <typename T, bool first_level>
KINDRED_INLINE void prefetch_row(const T* row, std::size_t stride) {
  for (std::size_t f = 0; f < stride; f += 64 / sizeof(T)) __builtin_prefetch(row + f, 0, first_level ? 3 : 2);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
