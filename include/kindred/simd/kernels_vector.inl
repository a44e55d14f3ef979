// SPDX-License-Identifier: MIT
// Rows of doubles, for the eigenproblem. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

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

inline void update_rows(const UpdateArguments& a) {
  constexpr std::size_t w = lanes<double>;
  typename Simd<double>::Vector total[4]{};
  for (std::size_t f = 0; f < a.count; f += w) {
    const auto x = load(a.x + f), y = load(a.y + f), v = load(a.v + f);
    typename Simd<double>::Vector mirrored{};
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {
      const auto row = load(a.rows + r * a.ld + f) - a.along_x[r] * x - a.along_y[r] * y;
      store(a.rows + r * a.ld + f, row);
      total[r] += row * v;
      mirrored += a.mirror[r] * row;
    }
    if (f >= a.skip) store(a.product + f, load(a.product + f) + mirrored);
  }
  for (std::size_t r = 0; r < 4; ++r) a.dots[r] = sum_lanes<double>(total[r]);
}

inline void reflect_rows(double* at, std::size_t ld, const double* v, double factor, std::size_t n) {
  constexpr std::size_t w = lanes<double>;
  typename Simd<double>::Vector total[4]{};
  for (std::size_t f = 0; f < n; f += w) {
    const auto x = load(v + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) total[r] += load(at + r * ld + f) * x;
  }
  double along[4];
  for (std::size_t r = 0; r < 4; ++r) along[r] = factor * sum_lanes<double>(total[r]);
  for (std::size_t f = 0; f < n; f += w) {
    const auto x = load(v + f);
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) store(at + r * ld + f, load(at + r * ld + f) - along[r] * x);
  }
}

/// V vectors of every row; what the next rotation wants of its lower row stays in registers.
template <std::size_t V>
KINDRED_INLINE void rotate_strip(double* bottom, std::size_t ld, const double* c, const double* s, std::size_t count) {
  constexpr std::size_t w = lanes<double>;
  typename Simd<double>::Vector carried[V];
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) carried[v] = load(bottom + v * w);
  for (std::size_t n = 0; n < count; ++n) {
    double* const upper = bottom - ld;
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
      const auto x = load(upper + v * w);
      store(bottom + v * w, s[n] * x + c[n] * carried[v]);
      carried[v] = c[n] * x - s[n] * carried[v];
    }
    bottom = upper;
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(bottom + v * w, carried[v]);
}

inline void rotate_rows(double* bottom, std::size_t ld, const double* c, const double* s, std::size_t count, std::size_t n) {
  constexpr std::size_t w = lanes<double>;
  std::size_t f = 0;
  for (; f + 4 * w <= n; f += 4 * w) rotate_strip<4>(bottom + f, ld, c, s, count);
  for (; f < n; f += w) rotate_strip<1>(bottom + f, ld, c, s, count);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
