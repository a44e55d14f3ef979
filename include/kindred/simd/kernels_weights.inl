// SPDX-License-Identifier: MIT
// What the interactions of a row weigh, in double. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// A vector of doubles from numbers of another type, or of the same.
template <typename T>
KINDRED_INLINE typename Simd<double>::Vector load_doubles(const T* from) {
  typedef T Narrow __attribute__((vector_size(sizeof(T) * lanes<double>), may_alias, aligned(sizeof(T))));
  return __builtin_convertvector(*reinterpret_cast<const Narrow*>(from), typename Simd<double>::Vector);
}

KINDRED_INLINE typename Simd<double>::Vector square_root(typename Simd<double>::Vector x) {
#if KINDRED_SIMD_BYTES == 64
  __asm__("vsqrtpd %1, %0" : "=v"(x) : "v"(x));
#elif KINDRED_SIMD_BYTES == 32
  __asm__("vsqrtpd %1, %0" : "=x"(x) : "x"(x));
#else
  for (std::size_t n = 0; n < lanes<double>; ++n) x[n] = __builtin_sqrt(x[n]);
#endif
  return x;
}

inline void prefetch(const Index* columns, const float* values, std::size_t count) {
  if (count == 0) return;
  for (std::size_t n = 0; n < count + 15; n += 16) {  // the last line too, wherever the first begins
    const std::size_t at = n < count ? n : count - 1;
    __builtin_prefetch(columns + at);
    __builtin_prefetch(values + at);
  }
}

template <typename T>
bool terms(const TermsArguments<T>& a) {
  using Vector = typename Simd<double>::Vector;
  constexpr std::size_t w = lanes<double>;
  ExponentCheck<double> finite;
  Vector negative{};
  std::size_t n = 0;
  for (; n + w <= a.count; n += w) {
    const Vector value = load_doubles(a.values + n);
    Vector strength = value < 0.0 ? -value : value;
    strength = strength > a.cap ? Vector{} + a.cap : strength;
    if (a.strengths != nullptr) strength = load_doubles(a.strengths + n);
    const Vector rest = a.alpha * strength;
    const Vector confidence = a.base + rest;
    finite.look_at(confidence);
    negative = confidence < 0.0 ? confidence : negative;
    store(a.excess + n, a.excess_base + rest);
    store(a.target + n, value > 0.0 ? confidence : Vector{});
  }
  bool good = finite();
  for (std::size_t l = 0; l < w; ++l) good = good && !(negative[l] < 0.0);
  for (; n < a.count; ++n) {
    const auto value = static_cast<double>(a.values[n]);
    double strength = value < 0.0 ? -value : value;
    strength = strength > a.cap ? a.cap : strength;
    if (a.strengths != nullptr) strength = static_cast<double>(a.strengths[n]);
    const double rest = a.alpha * strength;
    const double confidence = a.base + rest;
    good = good && is_finite(confidence) && !(confidence < 0.0);
    a.excess[n] = a.excess_base + rest;
    a.target[n] = value > 0.0 ? confidence : 0.0;
  }
  return good;
}

template <typename T>
bool regular_weights(const double* excess, const double* target, std::size_t count, double smallest_share, T* weight, T* rhs) {
  using Vector = typename Simd<double>::Vector;
  constexpr std::size_t w = lanes<double>;
  typedef T Narrow __attribute__((vector_size(sizeof(T) * w), may_alias));
  Vector least = Vector{} + 1.0;
  std::size_t n = 0;
  for (; n + w <= count; n += w) {
    const Vector d = load_doubles(excess + n);
    const Vector t = load_doubles(target + n);
    least = d > 0.0 ? least : Vector{};
    least = d >= smallest_share * t ? least : Vector{};
    // Results of other rows are not used; with 1 instead of their weight nothing traps in a program that traps division by zero.
    const Vector root = square_root(d > 0.0 ? d : Vector{} + 1.0);
    *reinterpret_cast<Narrow*>(weight + n) = __builtin_convertvector(root, Narrow);
    *reinterpret_cast<Narrow*>(rhs + n) = __builtin_convertvector(t / root, Narrow);
  }
  bool regular = true;
  for (std::size_t l = 0; l < w; ++l) regular = regular && least[l] > 0.0;
  for (; n < count; ++n) {
    const double d = excess[n];
    regular = regular && d > 0.0 && d >= smallest_share * target[n];
    const double root = __builtin_sqrt(d > 0.0 ? d : 1.0);
    weight[n] = static_cast<T>(root);
    rhs[n] = static_cast<T>(target[n] / root);
  }
  return regular;
}

template <typename T>
void narrow(const double* from, std::size_t count, T* to) {
  constexpr std::size_t w = lanes<double>;
  typedef T Narrow __attribute__((vector_size(sizeof(T) * w), may_alias, aligned(sizeof(T))));
  std::size_t n = 0;
  for (; n + w <= count; n += w) *reinterpret_cast<Narrow*>(to + n) = __builtin_convertvector(load_doubles(from + n), Narrow);
  for (; n < count; ++n) to[n] = static_cast<T>(from[n]);
}

/// out = from * scale, in double.
template <typename T>
void scale_to_double(const T* from, double scale, std::size_t count, double* out) {
  constexpr std::size_t w = lanes<double>;
  std::size_t n = 0;
  for (; n + w <= count; n += w) store(out + n, load_doubles(from + n) * scale);
  for (; n < count; ++n) out[n] = static_cast<double>(from[n]) * scale;
}

/// out = a o b; false if an entry is not finite.
template <typename T>
bool scale_by(const T* a, const T* b, std::size_t stride, T* out) {
  ExponentCheck<T> finite;
  for (std::size_t f = 0; f < stride; f += lanes<T>) {
    const typename Simd<T>::Vector product = load(a + f) * load(b + f);
    finite.look_at(product);
    store(out + f, product);
  }
  return finite();
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
