// SPDX-License-Identifier: MIT
// Codes of score_kernels.hpp, which includes this file once a level. No include guard, no #include: the region around it decides the instructions.
//
// A lane holds one item; each step adds the products of four item bytes (unsigned, an offset above the code) with four user bytes (signed). GCC and
// clang give these instructions different names in C++, so they are written as assembly, in both dialects.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

typedef std::int32_t Int32s __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
typedef std::uint32_t Uint32s __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
typedef std::int16_t Int16s __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
typedef std::uint16_t Uint16s __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
inline constexpr std::size_t int_lanes = KINDRED_SIMD_BYTES / 4;
inline constexpr std::size_t scan_users = 4;  // at a time
#if KINDRED_SIMD_BYTES == 64
inline constexpr std::size_t scan_vectors = 4;  // 16 accumulators of 32 registers
#else
inline constexpr std::size_t scan_vectors = 2;  // 8 of 16
#endif

/// Without VNNI, pairs of products are added in 16 bits: 2 * 127 * 127 fits, so item codes have one bit less.
#if KINDRED_CODES == KINDRED_CODES_AVX2 || KINDRED_CODES == KINDRED_CODES_AVX512
inline constexpr int code_offset = 64;
#else
inline constexpr int code_offset = 128;
#endif

/// Item bytes of one step, in the form that the products take.
struct ItemBytes {
#if KINDRED_CODES == KINDRED_CODES_SSE2
  Int16s even, odd;
#else
  Uint32s all;
#endif
};

KINDRED_INLINE ItemBytes load_items(const std::uint8_t* from) {
#if KINDRED_CODES == KINDRED_CODES_SSE2
  const Uint16s pairs = *reinterpret_cast<const Uint16s*>(from);
  return {(Int16s)(pairs & 0xFF), (Int16s)(pairs >> 8)};
#else
  return {*reinterpret_cast<const Uint32s*>(from)};
#endif
}

/// Four user bytes, the same in every lane.
struct UserBytes {
#if KINDRED_CODES == KINDRED_CODES_SSE2
  Int16s even, odd;
#elif KINDRED_CODES == KINDRED_CODES_PLAIN
  std::int32_t byte[4];
#else
  Uint32s all;
#endif
};

KINDRED_INLINE UserBytes load_user(const std::int8_t* from) {
#if KINDRED_CODES == KINDRED_CODES_PLAIN
  return {{from[0], from[1], from[2], from[3]}};
#else
  std::uint32_t bits;
  __builtin_memcpy(&bits, from, 4);
  const Uint32s all = Uint32s{} + bits;
#if KINDRED_CODES == KINDRED_CODES_SSE2
  return {((Int16s)all << 8) >> 8, (Int16s)all >> 8};
#else
  return {all};
#endif
#endif
}

KINDRED_INLINE Uint32s add_products(Uint32s sum, ItemBytes items, UserBytes user) {
#if KINDRED_CODES == KINDRED_CODES_VNNI
  __asm__("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(items.all), "v"(user.all));
  return sum;
#elif KINDRED_CODES == KINDRED_CODES_AVX512 || KINDRED_CODES == KINDRED_CODES_AVX2
  const Uint16s ones = Uint16s{} + 1;
  Uint32s products, sums;
#if KINDRED_CODES == KINDRED_CODES_AVX512
  __asm__("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=v"(products) : "v"(items.all), "v"(user.all));
  __asm__("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=v"(sums) : "v"(products), "v"(ones));
#else
  __asm__("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=x"(products) : "x"(items.all), "x"(user.all));
  __asm__("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(sums) : "x"(products), "x"(ones));
#endif
  return sum + sums;
#elif KINDRED_CODES == KINDRED_CODES_SSE2
  Int16s even = items.even, odd = items.odd;
  __asm__("pmaddwd {%1, %0|%0, %1}" : "+x"(even) : "x"(user.even));
  __asm__("pmaddwd {%1, %0|%0, %1}" : "+x"(odd) : "x"(user.odd));
  return sum + ((Uint32s)even + (Uint32s)odd);
#else
  KINDRED_UNROLL for (int byte = 0; byte < 4; ++byte) sum += (items.all >> (8 * byte) & 0xFF) * static_cast<std::uint32_t>(user.byte[byte]);
  return sum;
#endif
}

/// The signs of the lanes as bits.
KINDRED_INLINE std::uint64_t signs(Uint32s lanes) {
#if KINDRED_CODES == KINDRED_CODES_VNNI || KINDRED_CODES == KINDRED_CODES_AVX512
  std::uint16_t mask;
  __asm__("vpmovd2m {%1, %0|%0, %1}" : "=k"(mask) : "v"(lanes));
  return mask;
#elif KINDRED_CODES == KINDRED_CODES_AVX2
  std::uint32_t mask;
  __asm__("vmovmskps {%1, %0|%0, %1}" : "=r"(mask) : "x"(lanes));
  return mask;
#elif KINDRED_CODES == KINDRED_CODES_SSE2
  std::uint32_t mask;
  __asm__("movmskps {%1, %0|%0, %1}" : "=r"(mask) : "x"(lanes));
  return mask;
#else
  std::uint64_t mask = 0;
  for (std::size_t n = 0; n < int_lanes; ++n) mask |= static_cast<std::uint64_t>(lanes[n] >> 31) << n;
  return mask;
#endif
}

typedef float AddedFloats __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias, aligned(4)));

/// What the sums of U users and some rows of a block start from: less for rows to which less is added.
template <std::size_t U>
KINDRED_INLINE void start_sums(const CodeScan& a, std::size_t first_user, std::size_t block, std::size_t first_row,
                               const std::int32_t (&start)[U], Uint32s (&sums)[U][scan_vectors]) {
  if (a.n_added == 0) {
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
      KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) sums[u][v] = Uint32s{} + static_cast<std::uint32_t>(start[u]);
    }
    return;
  }
  const AddedFloats most = AddedFloats{} + 1073741824.0F;  // 2^30: no sum overflows
  KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) {
    AddedFloats off[U];
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) off[u] = AddedFloats{};
    for (std::size_t j = 0; j < a.n_added; ++j) {
      const AddedFloats difference =
          a.ends[j][block] - *reinterpret_cast<const AddedFloats*>(a.added[j] + block * score_block + first_row + v * int_lanes);
      KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) off[u] += a.slopes[first_user + u][block * a.n_added + j] * difference;
    }
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
      const AddedFloats bounded = off[u] < most ? off[u] : most;
      sums[u][v] = (Uint32s)(Int32s{} + start[u] - __builtin_convertvector(bounded, Int32s));
    }
  }
}

/// U users times one block.
template <std::size_t U>
KINDRED_INLINE void scan_block(const CodeScan& a, std::size_t first_user, std::size_t block, const std::int32_t (&start)[U],
                               std::uint64_t (&found)[U]) {
  const std::size_t groups = a.groups;
  const std::uint8_t* const items = a.items + block * groups * score_block * 4;
  constexpr std::uint64_t all = (std::uint64_t{1} << int_lanes) - 1;
  const std::int8_t* x[U];
  KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) { x[u] = a.users[first_user + u]; }
  for (std::size_t first = 0; first < score_block; first += scan_vectors * int_lanes) {
    Uint32s sums[U][scan_vectors];
    start_sums<U>(a, first_user, block, first, start, sums);
    for (std::size_t g = 0; g < groups; ++g) {
      ItemBytes y[scan_vectors];
      KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) y[v] =
          load_items(items + (g * score_block + first + v * int_lanes) * 4);
      KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
        const UserBytes bytes = load_user(x[u] + 4 * g);
        KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) sums[u][v] = add_products(sums[u][v], y[v], bytes);
      }
    }
    if (a.sums != nullptr) {
      KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
        KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) *
            reinterpret_cast<Uint32s*>(a.sums[first_user + u] + block * score_block + first + v * int_lanes) = sums[u][v];
      }
      continue;
    }
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
      Uint32s negative = sums[u][0];
      KINDRED_UNROLL for (std::size_t v = 1; v < scan_vectors; ++v) negative &= sums[u][v];
      if (signs(negative) != all) {  // rare: most blocks have no item worth a score
        KINDRED_UNROLL for (std::size_t v = 0; v < scan_vectors; ++v) found[u] |= (~signs(sums[u][v]) & all) << (first + v * int_lanes);
      }
    }
  }
}

template <std::size_t U>
KINDRED_INLINE void scan_users_of(const CodeScan& a, std::size_t first) {
  for (std::size_t block = 0; block < a.n_blocks; ++block) {
    std::int32_t start[U];
    std::uint64_t found[U];
    bool any = false;
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) {
      start[u] = a.start[first + u][block];
      any |= start[u] != CodeScan::no_item;
    }
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) found[u] = 0;
    if (any) scan_block<U>(a, first, block, start, found);
    if (a.sums != nullptr) continue;
    KINDRED_UNROLL for (std::size_t u = 0; u < U; ++u) a.found[first + u][block] = found[u];
  }
}

inline void scan(const CodeScan& a) {
  std::size_t u = 0;
  for (; u + scan_users <= a.n_users; u += scan_users) scan_users_of<scan_users>(a, u);
  if (a.n_users - u >= 2) {
    scan_users_of<2>(a, u);
    u += 2;
  }
  if (u < a.n_users) scan_users_of<1>(a, u);
}

typedef double Doubles __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias, aligned(8)));
inline constexpr std::size_t double_lanes = KINDRED_SIMD_BYTES / sizeof(double);
typedef std::int32_t HalfInts __attribute__((vector_size(4 * double_lanes), may_alias, aligned(4)));

KINDRED_INLINE Doubles doubles(const double* from) { return *reinterpret_cast<const Doubles*>(from); }

inline void limits(const double* unit, const double* rest, const double* norm, double level, double spread, double distance, double bound,
                   std::int32_t offset, std::int32_t* start, std::size_t n) {
  const Doubles top = Doubles{} + bound, bottom = -top;
  std::size_t b = 0;
  for (; b + double_lanes <= n; b += double_lanes) {
    Doubles limit = level * doubles(unit + b) - spread * doubles(rest + b) - distance * doubles(norm + b);
    limit = limit < top ? limit : top;
    limit = limit > bottom ? limit : bottom;
    *reinterpret_cast<HalfInts*>(start + b) = offset + 2 - __builtin_convertvector(limit, HalfInts);
  }
  for (; b < n; ++b) {
    double limit = level * unit[b] - spread * rest[b] - distance * norm[b];
    limit = limit < bound ? limit : bound;
    limit = limit > -bound ? limit : -bound;
    start[b] = offset + 2 - static_cast<std::int32_t>(limit);
  }
}

typedef std::int8_t CodeBytes __attribute__((vector_size(double_lanes), may_alias, aligned(1)));

inline EncodedQuery encode(const double* x, double inverse, double step, std::size_t k, std::int8_t* codes) {
  EncodedQuery sums;
  Doubles squares{}, rest{};
  HalfInts total{};
  const Doubles half = Doubles{} + 0.5, minus_half = -half;
  std::size_t f = 0;
  for (; f + double_lanes <= k; f += double_lanes) {
    const Doubles exact = doubles(x + f), scaled = exact * inverse;
    const HalfInts code = __builtin_convertvector(scaled + (scaled < 0.0 ? minus_half : half), HalfInts);
    const Doubles rounded = __builtin_convertvector(code, Doubles), left = exact - rounded * step;
    squares += rounded * rounded;
    rest += left * left;
    total += code;
    *reinterpret_cast<CodeBytes*>(codes + f) = __builtin_convertvector(code, CodeBytes);
  }
  for (std::size_t n = 0; n < double_lanes; ++n) {
    sums.squares += squares[n];
    sums.rest += rest[n];
    sums.total += total[n];
  }
  for (; f < k; ++f) {
    const double scaled = x[f] * inverse;
    const auto code = static_cast<std::int32_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5));
    const double left = x[f] - code * step;
    codes[f] = static_cast<std::int8_t>(code);
    sums.squares += static_cast<double>(code) * code;
    sums.rest += left * left;
    sums.total += code;
  }
  return sums;
}

inline std::uint64_t at_least(const float* sums, const float* added, float least) {
  typedef float Floats __attribute__((vector_size(KINDRED_SIMD_BYTES), may_alias));
  std::uint64_t found = 0;
  for (std::size_t n = 0; n < score_block; n += int_lanes) {
    const Floats above = (*reinterpret_cast<const Floats*>(sums + n) + *reinterpret_cast<const Floats*>(added + n)) - least;
    found |= signs((Uint32s)above) << n;
  }
  return ~found;
}

KINDRED_INLINE Int32s sure_sums(const std::int32_t* sums, const std::int32_t* slack, std::size_t block, std::size_t n) {
  return *reinterpret_cast<const Int32s*>(sums + block * score_block + n) - slack[block];
}

/// How many sums less their slack are at least `least`.
inline std::size_t count_sure(const std::int32_t* sums, const std::int32_t* slack, std::size_t n_blocks, std::int32_t least) {
  Int32s counts{};
  for (std::size_t block = 0; block < n_blocks; ++block)
    for (std::size_t n = 0; n < score_block; n += int_lanes) counts -= sure_sums(sums, slack, block, n) >= least;
  std::size_t count = 0;
  for (std::size_t n = 0; n < int_lanes; ++n) count += static_cast<std::size_t>(counts[n]);
  return count;
}

inline std::int32_t raise(const std::int32_t* sums, const std::int32_t* slack, std::size_t n_blocks, std::size_t rank, std::int32_t floor,
                          std::uint64_t* found) {
  // Of each lane the largest: of 32 lanes, so that few of the best items meet in one.
  constexpr std::size_t width = 32, vectors = width / int_lanes, most_rank = 24;
  constexpr std::int32_t precision = 256;  // far below the slack of most blocks
  Int32s most[vectors];
  KINDRED_UNROLL for (std::size_t v = 0; v < vectors; ++v) most[v] = Int32s{} + floor;
  for (std::size_t block = 0; block < n_blocks; ++block) {
    for (std::size_t n = 0; n < score_block; n += width) {
      KINDRED_UNROLL for (std::size_t v = 0; v < vectors; ++v) {
        const Int32s sure = sure_sums(sums, slack, block, n + v * int_lanes);
        most[v] = sure > most[v] ? sure : most[v];
      }
    }
  }
  alignas(64) std::int32_t lanes[width];
  KINDRED_UNROLL for (std::size_t v = 0; v < vectors; ++v) * reinterpret_cast<Int32s*>(lanes + v * int_lanes) = most[v];
  std::int32_t least = floor, largest = floor;
  for (const std::int32_t one : lanes) {
    std::size_t as_good = 0;  // without a branch: none foresees the order
    KINDRED_UNROLL for (std::size_t v = 0; v < vectors; ++v) as_good +=
        static_cast<std::size_t>(__builtin_popcountll(signs((Uint32s)(one - 1 - most[v]))));
    const std::int32_t reached = as_good >= rank ? one : least;
    least = reached > least ? reached : least;
    largest = one > largest ? one : largest;
  }
  if (rank > most_rank) {
    for (std::int32_t above = largest + 1; above - least > precision;) {
      const std::int32_t middle = least + (above - least) / 2;
      (count_sure(sums, slack, n_blocks, middle) >= rank ? least : above) = middle;
    }
  }
  for (std::size_t block = 0; block < n_blocks; ++block) {
    std::uint64_t below = 0;
    for (std::size_t n = 0; n < score_block; n += int_lanes)
      below |= signs((Uint32s)(*reinterpret_cast<const Int32s*>(sums + block * score_block + n) - least)) << n;
    found[block] = ~below;
  }
  return least;
}

constexpr CodeKernels code_kernels() {
  return {.scan = scan, .limits = limits, .raise = raise, .encode = encode, .at_least = at_least, .offset = code_offset};
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
