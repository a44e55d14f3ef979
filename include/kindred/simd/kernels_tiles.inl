// SPDX-License-Identifier: MIT
// Scans of codes in tiles (AMX), for score_kernels.hpp, which includes this file in the region of VNNI after kernels_codes.inl. No include guard, no #include.
//
// A tile register holds 16 rows of 64 bytes. One instruction multiplies the codes of 16 users with those of 16 items, 64 factors at a time: eight times the
// products a cycle of VNNI. Blocks of items have the layout of tiles as they are. Instructions are written as assembly, in both dialects.

namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE {

/// The shapes of the tile registers, in the layout of the processor: 0 to 3 hold sums of 16 users and 16 items each, 4 and 6 codes of users and items, 5 and 7
/// codes of the last factors where these are less than 64.
struct TileShapes {
  std::uint8_t palette = 1, first_row = 0, reserved[14]{};
  std::uint16_t row_bytes[16]{};
  std::uint8_t rows[16]{};
};

inline constexpr std::size_t tile_users = 16, tile_groups = 16;
inline constexpr std::size_t most_tile_codes = 1024;  // of a user; longer ones are scanned in vectors

#define KINDRED_TILE_LOAD(tile, offset, base, stride) \
  "{tileloadd " offset "(%" base ",%" stride ",1), %%tmm" tile "|tileloadd tmm" tile ", [%" base "+%" stride "*1+" offset "]}\n\t"
#define KINDRED_TILE_PRODUCTS(sums, users, items) \
  "{tdpbsud %%tmm" items ", %%tmm" users ", %%tmm" sums "|tdpbsud tmm" sums ", tmm" users ", tmm" items "}\n\t"
#define KINDRED_TILE_BLOCK(users, items)                                                                                      \
  KINDRED_TILE_LOAD(users, "0", "0", "1")                                                                                     \
  KINDRED_TILE_LOAD(items, "0", "2", "3")                                                                                     \
  KINDRED_TILE_PRODUCTS("0", users, items)                                                                                    \
  KINDRED_TILE_LOAD(items, "64", "2", "3")                                                                                    \
  KINDRED_TILE_PRODUCTS("1", users, items) KINDRED_TILE_LOAD(items, "128", "2", "3") KINDRED_TILE_PRODUCTS("2", users, items) \
      KINDRED_TILE_LOAD(items, "192", "2", "3") KINDRED_TILE_PRODUCTS("3", users, items)
#define KINDRED_TILE_STORE(tile, offset) "{tilestored %%tmm" tile ", " offset "(%0,%1,1)|tilestored [%0+%1*1+" offset "], tmm" tile "}\n\t"

/// sums: tile_users x score_block, sums of products of `users`, rows of `stride` bytes, with a block.
KINDRED_INLINE void multiply_tiles(const std::int8_t* users, std::size_t stride, const std::uint8_t* items, std::size_t groups,
                                   std::int32_t* sums) {
  constexpr std::size_t item_stride = score_block * 4;
  __asm__ volatile(
      "{tilezero %%tmm0|tilezero tmm0}\n\t{tilezero %%tmm1|tilezero tmm1}\n\t"
      "{tilezero %%tmm2|tilezero tmm2}\n\t{tilezero %%tmm3|tilezero tmm3}"
      :
      :);
  for (; groups >= tile_groups; groups -= tile_groups, items += tile_groups * item_stride, users += tile_groups * 4)
    __asm__ volatile(KINDRED_TILE_BLOCK("4", "6") : : "r"(users), "r"(stride), "r"(items), "r"(item_stride) : "memory");
  if (groups > 0) __asm__ volatile(KINDRED_TILE_BLOCK("5", "7") : : "r"(users), "r"(stride), "r"(items), "r"(item_stride) : "memory");
  __asm__ volatile(KINDRED_TILE_STORE("0", "0") KINDRED_TILE_STORE("1", "64") KINDRED_TILE_STORE("2", "128") KINDRED_TILE_STORE("3", "192")
                   :
                   : "r"(sums), "r"(item_stride)
                   : "memory");
}

#undef KINDRED_TILE_LOAD
#undef KINDRED_TILE_PRODUCTS
#undef KINDRED_TILE_BLOCK
#undef KINDRED_TILE_STORE

/// Writes what the scan says of a user and a block, of which `products` are the sums of products.
KINDRED_INLINE void finish_tile(const CodeScan& a, std::size_t user, std::size_t block, const std::int32_t* products) {
  const Uint32s start = Uint32s{} + static_cast<std::uint32_t>(a.start[user][block]);
  std::uint64_t negative = 0;
  for (std::size_t n = 0; n < score_block; n += int_lanes) {
    const Uint32s sums = *reinterpret_cast<const Uint32s*>(products + n) + start;
    if (a.sums != nullptr)
      *reinterpret_cast<Uint32s*>(a.sums[user] + block * score_block + n) = sums;
    else
      negative |= signs(sums) << n;
  }
  if (a.sums == nullptr) a.found[user][block] = ~negative;
}

inline void scan_tiles(const CodeScan& a) {
  // Few users would leave most of a tile empty.
  if (a.n_users < tile_users / 2 || a.n_added != 0 || a.groups * 4 > most_tile_codes) return scan(a);
  const std::size_t left = a.groups % tile_groups, stride = (a.groups + tile_groups - 1) / tile_groups * tile_groups * 4;
  TileShapes shapes;
  for (std::size_t tile = 0; tile < 8; ++tile) {
    shapes.row_bytes[tile] = 64;
    shapes.rows[tile] = 16;
  }
  if (left > 0) {
    shapes.row_bytes[5] = static_cast<std::uint16_t>(4 * left);
    shapes.rows[7] = static_cast<std::uint8_t>(left);
  }
  __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
  alignas(64) std::int8_t users[tile_users * most_tile_codes];
  alignas(64) std::int32_t products[tile_users * score_block];
  for (std::size_t first = 0; first < a.n_users; first += tile_users) {
    const std::size_t count = first + tile_users <= a.n_users ? tile_users : a.n_users - first;
    // Rows beyond them hold anything: each row of sums has a user of its own.
    for (std::size_t u = 0; u < count; ++u) __builtin_memcpy(users + u * stride, a.users[first + u], a.groups * 4);
    for (std::size_t block = 0; block < a.n_blocks; ++block) {
      bool is_searched = false;
      for (std::size_t u = 0; u < count; ++u) {
        is_searched |= a.start[first + u][block] != CodeScan::no_item;
        if (a.sums == nullptr) a.found[first + u][block] = 0;
      }
      if (!is_searched) continue;
      multiply_tiles(users, stride, a.items + block * a.groups * score_block * 4, a.groups, products);
      for (std::size_t u = 0; u < count; ++u) finish_tile(a, first + u, block, products + u * score_block);
    }
  }
  __asm__ volatile("tilerelease" : :);
}

constexpr CodeKernels tile_kernels() {
  CodeKernels kernels = code_kernels();
  kernels.scan = scan_tiles;
  return kernels;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD::KINDRED_SIMD_NAMESPACE
