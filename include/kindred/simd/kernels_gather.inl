// SPDX-License-Identifier: MIT
// Rows of the fixed side at the places that one row of the data names: copied, summed, multiplied. Included by kernels.hpp, as kernels_common.inl says.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// The next `n` of the rows that will be wanted soon, into the second-level cache. A few at a time, evenly: many at once would fill the processor's list of
/// outstanding misses and hold up everything else.
template <typename T>
KINDRED_INLINE void prefetch_next(GatherArguments<T>& ahead, std::size_t n) {
  for (; n > 0 && ahead.count > 0; --n, --ahead.count)
    prefetch_row<T, false>(ahead.fixed + static_cast<std::size_t>(*ahead.columns++) * ahead.stride, ahead.stride);
}

/// The same, a cache line at a time.
template <typename T>
class Ahead {
 public:
  explicit Ahead(const GatherArguments<T>& wanted) : rows_(wanted) {}

  /// Lines of all rows.
  [[nodiscard]] KINDRED_INLINE std::size_t lines() const { return rows_.count * rows_.stride / line; }

  KINDRED_INLINE void prefetch(std::size_t n) {
    for (; n > 0; --n, at_ += line) {
      if (at_ == end_) {
        if (rows_.count == 0) return;
        at_ = rows_.fixed + static_cast<std::size_t>(*rows_.columns++) * rows_.stride;
        end_ = at_ + rows_.stride;
        --rows_.count;
      }
      __builtin_prefetch(at_, 0, 2);
    }
  }

 private:
  static constexpr std::size_t line = 64 / sizeof(T);
  GatherArguments<T> rows_;
  const T* at_ = nullptr;
  const T* end_ = nullptr;
};

template <typename T>
void gather(const GatherArguments<T>& from, const T* scale, const T* weight, T* out, std::size_t ld) {
  constexpr std::size_t ahead = 8;
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + ahead < from.count)
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[n + ahead]) * from.stride, from.stride);
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
    const T w = weight[n];
    for (std::size_t f = 0; f < from.stride; f += lanes<T>) store(out + n * ld + f, load(y + f) * load(scale + f) * w);
  }
  for (std::size_t n = from.count; n % 4 != 0; ++n)
    for (std::size_t f = 0; f < from.stride; f += lanes<T>) store(out + n * ld + f, typename Simd<T>::Vector{});
}

/// Four rows with their chunks interleaved: chunk 0 of each row, chunk 1 of each row, ...
template <typename T>
KINDRED_INLINE void interleave_rows(typename Simd<T>::Vector (&y)[4]) {
  using Vector = typename Simd<T>::Vector;
  if constexpr (lanes<T> == 16) {
    const Vector a = KINDRED_SHUFFLE(y[0], y[1], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const Vector b = KINDRED_SHUFFLE(y[0], y[1], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const Vector c = KINDRED_SHUFFLE(y[2], y[3], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const Vector d = KINDRED_SHUFFLE(y[2], y[3], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    y[0] = KINDRED_SHUFFLE(a, c, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[1] = KINDRED_SHUFFLE(a, c, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    y[2] = KINDRED_SHUFFLE(b, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[3] = KINDRED_SHUFFLE(b, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  } else if constexpr (lanes<T> == 8) {
    const Vector a = y[0], b = y[1], c = y[2], d = y[3];
    y[0] = KINDRED_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    y[1] = KINDRED_SHUFFLE(c, d, 0, 1, 2, 3, 8, 9, 10, 11);
    y[2] = KINDRED_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    y[3] = KINDRED_SHUFFLE(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

template <typename T>
void gather_blocks(const GatherArguments<T>& from, const T* scale, const T* weight, T* out) {
  constexpr std::size_t ahead = 8;
  for (std::size_t n = 0; n < from.count; n += 4) {
    for (std::size_t next = n + ahead; next < n + ahead + 4 && next < from.count; ++next)
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[next]) * from.stride, from.stride);
    const T* y[4];
    T w[4];
    KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) {  // rows beyond the last have weight 0; any finite row will do for them
      y[r] = from.fixed + static_cast<std::size_t>(from.columns[n + r < from.count ? n + r : n]) * from.stride;
      w[r] = n + r < from.count ? weight[n + r] : T(0);
    }
    for (std::size_t f = 0; f < from.stride; f += lanes<T>) {
      typename Simd<T>::Vector block[4];
      KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) block[r] = load(y[r] + f) * load(scale + f) * w[r];
      interleave_rows<T>(block);
      KINDRED_UNROLL for (std::size_t r = 0; r < 4; ++r) store(out + r * lanes<T>, block[r]);
      out += 4 * lanes<T>;
    }
  }
}

/// Coefficients are the products of `coefficient` and `times`, where there are any of these.
template <typename T, std::size_t V, bool product>
KINDRED_INLINE void combine_chunk(const GatherArguments<T>& from, const T* coefficient, [[maybe_unused]] const T* times, T* sum,
                                  std::size_t f) {
  constexpr std::size_t ahead = 8;
  typename Simd<T>::Vector total[V]{};
  for (std::size_t n = 0; n < from.count; ++n) {
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride + f;
    if (product && n + ahead < from.count)  // a batch may have pushed the rows out of the second-level cache
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[n + ahead]) * from.stride + f, V * lanes<T>);
    const T c = product ? coefficient[n] * times[n] : coefficient[n];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) total[v] += c * load(y + v * lanes<T>);
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(sum + f + v * lanes<T>, total[v]);
}

template <typename T, bool product>
KINDRED_INLINE void combine_rows(const GatherArguments<T>& from, const T* coefficient, const T* times, T* sum) {
  std::size_t f = 0;
  for (; f + 8 * lanes<T> <= from.stride; f += 8 * lanes<T>) combine_chunk<T, 8, product>(from, coefficient, times, sum, f);
  for (; f + 4 * lanes<T> <= from.stride; f += 4 * lanes<T>) combine_chunk<T, 4, product>(from, coefficient, times, sum, f);
  for (; f + 2 * lanes<T> <= from.stride; f += 2 * lanes<T>) combine_chunk<T, 2, product>(from, coefficient, times, sum, f);
  for (; f < from.stride; f += lanes<T>) combine_chunk<T, 1, product>(from, coefficient, times, sum, f);
}

template <typename T>
void combine(const GatherArguments<T>& from, const T* coefficient, T* sum) {
  combine_rows<T, false>(from, coefficient, nullptr, sum);
}

/// What is left to do once a short row's system is solved: its rows are summed up, scaled, and looked at.
template <typename T>
bool expand(const GatherArguments<T>& from, const T* weight, const T* z, const T* scale, const T* rest, T* out) {
  ExponentCheck<T> finite;
  combine_rows<T, true>(from, weight, z, out);
  for (std::size_t f = 0; f < from.stride; f += lanes<T>) {
    typename Simd<T>::Vector sum = load(out + f) * load(scale + f);
    if (rest != nullptr) sum += load(rest + f);
    sum *= load(scale + f);
    finite.look_at(sum);
    store(out + f, sum);
  }
  return finite();
}

/// V vectors of all rows from place f on: those of few vectors in one pass, with the sum in registers.
template <typename T, std::size_t V>
KINDRED_INLINE void gather_and_sum_chunk(const GatherArguments<T>& from, const T* scale, const T* weight, const T* coefficient, T* out,
                                         std::size_t ld, T* sum, std::size_t f) {
  constexpr std::size_t ahead = 8;
  typename Simd<T>::Vector total[V]{};
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + ahead < from.count)
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[n + ahead]) * from.stride + f, V * lanes<T>);
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride + f;
    const T w = weight[n], c = coefficient[n];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) {
      const typename Simd<T>::Vector entry = load(y + v * lanes<T>);
      total[v] += c * entry;
      store(out + n * ld + f + v * lanes<T>, entry * load(scale + f + v * lanes<T>) * w);
    }
  }
  for (std::size_t n = from.count; n % 4 != 0; ++n) {
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(out + n * ld + f + v * lanes<T>, typename Simd<T>::Vector{});
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(sum + f + v * lanes<T>, total[v]);
}

template <typename T>
void gather_and_sum(const GatherArguments<T>& from, const T* scale, const T* weight, const T* coefficient, T* out, std::size_t ld, T* sum) {
  std::size_t f = 0;
  for (; f + 8 * lanes<T> <= from.stride; f += 8 * lanes<T>) gather_and_sum_chunk<T, 8>(from, scale, weight, coefficient, out, ld, sum, f);
  for (; f + 4 * lanes<T> <= from.stride; f += 4 * lanes<T>) gather_and_sum_chunk<T, 4>(from, scale, weight, coefficient, out, ld, sum, f);
  for (; f + 2 * lanes<T> <= from.stride; f += 2 * lanes<T>) gather_and_sum_chunk<T, 2>(from, scale, weight, coefficient, out, ld, sum, f);
  for (; f < from.stride; f += lanes<T>) gather_and_sum_chunk<T, 1>(from, scale, weight, coefficient, out, ld, sum, f);
}

/// V vectors of all rows from place f on, with the rows brought nearer: `readable` columns follow from `from.columns`
/// on, also those of later sums.
template <typename T, std::size_t V>
KINDRED_INLINE void sum_rows_chunk(const GatherArguments<T>& from, std::size_t readable, const T* coefficient, T* sum, std::size_t f) {
  constexpr std::size_t ahead = 12;
  typename Simd<T>::Vector total[V]{};
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + ahead < readable)
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[n + ahead]) * from.stride + f, V * lanes<T>);
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride + f;
    const T c = coefficient[n];
    KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) total[v] += c * load(y + v * lanes<T>);
  }
  KINDRED_UNROLL for (std::size_t v = 0; v < V; ++v) store(sum + f + v * lanes<T>, total[v]);
}

template <typename T>
void sum_rows(const GatherArguments<T>& from, std::size_t readable, const T* coefficient, T* sum) {
  std::size_t f = 0;
  // As few passes over the rows as 8 accumulators allow, of about the same width.
  for (std::size_t left = from.stride / lanes<T>; left > 0; left = (from.stride - f) / lanes<T>) {
    const std::size_t passes = (left + 7) / 8;
    const std::size_t width = (left + passes - 1) / passes;
    switch (width) {
      case 8: sum_rows_chunk<T, 8>(from, readable, coefficient, sum, f); break;
      case 7: sum_rows_chunk<T, 7>(from, readable, coefficient, sum, f); break;
      case 6: sum_rows_chunk<T, 6>(from, readable, coefficient, sum, f); break;
      case 5: sum_rows_chunk<T, 5>(from, readable, coefficient, sum, f); break;
      case 4: sum_rows_chunk<T, 4>(from, readable, coefficient, sum, f); break;
      case 3: sum_rows_chunk<T, 3>(from, readable, coefficient, sum, f); break;
      case 2: sum_rows_chunk<T, 2>(from, readable, coefficient, sum, f); break;
      default: sum_rows_chunk<T, 1>(from, readable, coefficient, sum, f); break;
    }
    f += width * lanes<T>;
  }
}

template <typename T>
void dots(const GatherArguments<T>& from, const T* v, T* result) {
  for (std::size_t n = 0; n < from.count; ++n) {
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
    typename Simd<T>::Vector total{};
    for (std::size_t f = 0; f < from.stride; f += lanes<T>) total += load(y + f) * load(v + f);
    result[n] = sum_lanes<T>(total);
  }
}

/// dots[n] = sum_f y_n[f] v[f], every product in double.
template <typename T>
void exact_dots(const GatherArguments<T>& from, const double* v, double* result) {
  constexpr std::size_t w = lanes<double>;
  constexpr std::size_t ahead = 8;
  typedef T Narrow __attribute__((vector_size(sizeof(T) * w), may_alias));
  for (std::size_t n = 0; n < from.count; ++n) {
    if (n + ahead < from.count)
      prefetch_row<T, true>(from.fixed + static_cast<std::size_t>(from.columns[n + ahead]) * from.stride, from.stride);
    const T* y = from.fixed + static_cast<std::size_t>(from.columns[n]) * from.stride;
    typename Simd<double>::Vector even{};
    typename Simd<double>::Vector odd{};
    for (std::size_t f = 0; f < from.stride; f += 2 * w) {
      even += __builtin_convertvector(*reinterpret_cast<const Narrow*>(y + f), typename Simd<double>::Vector) * load(v + f);
      if (f + w < from.stride)
        odd += __builtin_convertvector(*reinterpret_cast<const Narrow*>(y + f + w), typename Simd<double>::Vector) * load(v + f + w);
    }
    result[n] = sum_lanes<double>(even + odd);
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
