// SPDX-License-Identifier: MIT
#include <cstdint>
#include <numeric>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/linalg/tile_offsets.hpp>
#include <kindred/simd/score_kernels.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;
using kd::detail::RowOffsets;
using kd::detail::TileOffsets;
using kd::detail::WeightedOffsets;

TEST_SUITE("linalg/tile_offsets") {
  TEST_CASE("bounds are those of the blocks, whichever list's are kept") {
    std::vector<float> values(130, 1.0F);
    values[64] = 3.0F;
    std::vector<kd::Index> order(130);
    std::iota(order.begin(), order.end(), 0);
    const RowOffsets offsets(values, order);
    const std::vector<WeightedOffsets> one{{2.0F, &offsets}}, other{{-1.0F, &offsets}};
    TileOffsets tile;
    tile.start(3, 16);
    const std::span<const double> most = tile.most(one);
    REQUIRE(most.size() == 3);
    CHECK(most[1] == kd::detail::most_in(one, 1));
    CHECK(tile.most_of(other, 1) == kd::detail::most_in(other, 1));
    CHECK(tile.most_of(one, 1) == most[1]);
    tile.start(2, 16);
    CHECK(tile.most(one).size() == 2);
  }

  TEST_CASE("rows are told apart for lists with the offsets of the first and weights of its signs") {
    std::vector<kd::Index> order(64);
    std::iota(order.begin(), order.end(), 0);
    std::vector<float> values(64, 0.0F), huge(64, 3e38F);
    values[5] = 2.0F;
    huge[0] = -3e38F;
    const RowOffsets offsets(values, order), others(values, order), wide(huge, order);
    const std::vector<WeightedOffsets> none{}, first{{2.0F, &offsets}}, alike{{0.5F, &offsets}}, zero{{0.0F, &offsets}},
        negative{{-1.0F, &offsets}}, other{{2.0F, &others}}, too_wide{{1.0F, &wide}};
    TileOffsets tile;
    tile.start(1, 16);
    for (const auto* list : {&none, &too_wide, &first, &negative}) tile.add(*list);
    tile.start_scan(0, 6);
    const double unit = 8.0;
    const std::int32_t start = 0, full = 100;
    std::size_t at = 0;
    for (const auto* list : {&first, &alike, &zero, &negative, &other}) tile.tell_apart(at++, *list, &unit, 0.25, &start, 100, 1);
    tile.tell_apart(at, first, &unit, 0.25, &full, 100, 1);  // a block of which everything is found anyway
    kd::detail::CodeScan scan{.n_users = 6};
    tile.put_into(scan);
    REQUIRE(scan.n_added == 1);
    CHECK(scan.ends[0][0] == 2.0F);
    CHECK(scan.added[0][5] == 2.0F);
    const double shrunk = 1.0 - 0x1p-18;
    const std::vector<float> wanted{static_cast<float>(4.0 * shrunk), static_cast<float>(shrunk), 0.0F, 0.0F, 0.0F, 0.0F};
    for (std::size_t n = 0; n < wanted.size(); ++n) CHECK(scan.slopes[n][0] == wanted[n]);
  }
}
