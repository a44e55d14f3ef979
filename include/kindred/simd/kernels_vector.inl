// SPDX-License-Identifier: MIT
// Vectors of doubles, for the eigenproblem. Included by kernels.hpp, as kernels_common.inl says.

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

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
