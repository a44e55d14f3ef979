// SPDX-License-Identifier: MIT
// Scores of score_kernels.hpp, which includes this file once a level. No include guard, no #include: the region around it decides the instructions.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

template <typename T>
struct Simd {
  typedef T Vector __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
};

template <typename T>
inline constexpr std::size_t lanes = KINDRED_SIMD_BYTES / sizeof(T);

template <typename T>
KINDRED_INLINE typename Simd<T>::Vector load(const T* from) {
  return *reinterpret_cast<const typename Simd<T>::Vector*>(from);
}

template <typename T>
KINDRED_INLINE void store(T* to, typename Simd<T>::Vector value) {
  *reinterpret_cast<typename Simd<T>::Vector*>(to) = value;
}

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

template <typename T>
void pack(const T* factors, std::size_t stride, const Index* rows, std::size_t count, std::size_t k, T* panel) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::size_t w = lanes<T>;
  constexpr std::size_t line = 64 / sizeof(T);
  const T* y[w];
  for (std::size_t first = 0; first < count; first += w) {
    // Rows lie in memory at random: ask for the next ones while these are transposed.
    for (std::size_t n = first + w; n < first + 2 * w && n < count; ++n) {
      const T* ahead = factors + static_cast<std::size_t>(rows[n]) * stride;
      for (std::size_t f = 0; f < stride; f += line) __builtin_prefetch(ahead + f);
    }
    for (std::size_t n = 0; n < w; ++n) y[n] = factors + static_cast<std::size_t>(rows[first + n < count ? first + n : first]) * stride;
    for (std::size_t f = 0; f < k; f += w) {
      Vector block[w];
      KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) block[n] = load(y[n] + f);
      KINDRED_UNROLL for (std::size_t round = 1; round < w; round *= 2) {
        Vector next[w];
        KINDRED_UNROLL for (std::size_t n = 0; n < w / 2; ++n) interleave<T>(block[n], block[n + w / 2], next[2 * n], next[2 * n + 1]);
        KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) block[n] = next[n];
      }
      KINDRED_UNROLL for (std::size_t n = 0; n < w; ++n) if (f + n < k) store(panel + (f + n) * score_block + first, block[n]);
    }
  }
}

/// U users times two vectors of items.
template <typename T, std::size_t U>
KINDRED_INLINE void score_tile(const T* const* users, const T* panel, std::size_t k, T* scores) {
  constexpr std::size_t V = 2;
  using Vector = typename Simd<T>::Vector;
  Vector tile[U][V]{};
  const T* x[U];
  KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) x[u] = users[u];
  for (std::size_t f = 0; f < k; ++f) {
    Vector y[V];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) y[v] = load(panel + f * score_block + v * lanes<T>);
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) { KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) tile[u][v] += x[u][f] * y[v]; }
  }
  KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(scores + u * score_block + v * lanes<T>, tile[u][v]);
  }
}

/// Two vectors of items at a time, also where the second has nothing in it: a shape less to compile, and the panel is there anyway.
template <typename T>
void score(const T* const* users, std::size_t n_users, const T* panel, std::size_t count, std::size_t k, T* scores) {
  for (std::size_t n = 0; n < count; n += 2 * lanes<T>) {
    std::size_t u = 0;
    for (; u + 4 <= n_users; u += 4) score_tile<T, 4>(users + u, panel + n, k, scores + u * score_block + n);
    for (; u < n_users; ++u) score_tile<T, 1>(users + u, panel + n, k, scores + u * score_block + n);
  }
}

/// Users of their own for each group of columns, up to eight vectors of sums at a time.
template <typename T>
void score_groups(const T* const* users, const T* panel, std::size_t k, T* scores) {
  constexpr std::size_t V = score_group / lanes<T>, U = V >= 4 ? 2 : groups_of_block;
  for (std::size_t first = 0; first < groups_of_block; first += U) {
    typename Simd<T>::Vector sums[U][V]{};
    const T* const from = panel + first * score_group;
    const T* x[U];
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) x[u] = users[first + u];
    for (std::size_t f = 0; f < k; ++f) {
      KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
        KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) sums[u][v] +=
            x[u][f] * load(from + f * score_block + u * score_group + v * lanes<T>);
      }
    }
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(scores + (first + u) * score_group + v * lanes<T>, sums[u][v]);
    }
  }
}

/// Two sums at a time, as score has them: GCC tuned for some processors fuses no loop that has but one, and a row's score with itself would be another number.
template <typename T>
void squares(const T* panel, std::size_t count, std::size_t k, T* sums) {
  constexpr std::size_t V = 2;
  for (std::size_t n = 0; n < count; n += V * lanes<T>) {
    typename Simd<T>::Vector sum[V]{};
    for (std::size_t f = 0; f < k; ++f) {
      KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
        const auto y = load(panel + f * score_block + n + v * lanes<T>);
        sum[v] += y * y;
      }
    }
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(sums + n + v * lanes<T>, sum[v]);
  }
}

template <typename T>
QuerySize widen(const T* x, const double* scale, std::size_t k, double* to) {
  constexpr std::size_t w = KINDRED_SIMD_BYTES / sizeof(double);
  typedef double Wide __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias, aligned(8)));
  typedef T Narrow __attribute__((vector_size(w * sizeof(T)), may_alias, aligned(sizeof(T))));
  QuerySize size;
  Wide squares{}, largest{};
  std::size_t f = 0;
  for (; f + w <= k; f += w) {
    const Wide y = __builtin_convertvector(*reinterpret_cast<const Narrow*>(x + f), Wide) * *reinterpret_cast<const Wide*>(scale + f);
    const Wide magnitude = y < 0.0 ? -y : y;
    *reinterpret_cast<Wide*>(to + f) = y;
    squares += y * y;
    largest = magnitude > largest ? magnitude : largest;
  }
  for (std::size_t n = 0; n < w; ++n) {
    size.squares += squares[n];
    size.largest = largest[n] > size.largest ? largest[n] : size.largest;
  }
  for (; f < k; ++f) {
    to[f] = static_cast<double>(x[f]) * scale[f];
    size.squares += to[f] * to[f];
    size.largest = std::abs(to[f]) > size.largest ? std::abs(to[f]) : size.largest;
  }
  return size;
}

template <typename T>
constexpr ScoreKernels<T> score_kernels() {
  return {.pack = pack<T>, .score = score<T>, .score_groups = score_groups<T>, .squares = squares<T>, .widen = widen<T>};
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
