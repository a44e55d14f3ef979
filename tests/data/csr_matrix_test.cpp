// SPDX-License-Identifier: MIT
#include <kindred/data/csr_matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/statistics.hpp>

#include "../support/random_matrix.hpp"

namespace kd = kindred;
using kindred_test::Cells;
using kindred_test::cells_of;
using kindred_test::random_matrix;

namespace {

kd::CsrMatrix small() { return {{3, 4}, {0, 2, 2, 4}, {0, 3, 1, 2}, {1, 2, 3, 4}}; }

}  // namespace

TEST_SUITE("data/csr_matrix") {
  TEST_CASE("the arrays move in and come out") {
    std::vector<kd::Index> columns{0, 3, 1, 2};
    const kd::Index* const place = columns.data();
    const kd::CsrMatrix matrix({3, 4}, {0, 2, 2, 4}, std::move(columns), {1, 2, 3, 4});
    CHECK(matrix.columns().data() == place);
    CHECK(matrix.rows() == 3);
    CHECK(matrix.cols() == 4);
    CHECK(matrix.nnz() == 4);
    CHECK(matrix.row(2).columns[1] == 2);
    CHECK(matrix.row(2).values[1] == 4.0F);
    CHECK(matrix.density() == doctest::Approx(1.0 / 3.0));
    CHECK(matrix == small());
    CHECK_FALSE(matrix == kd::CsrMatrix({3, 5}, {0, 2, 2, 4}, {0, 3, 1, 2}, {1, 2, 3, 4}));
    CHECK_FALSE(matrix == kd::CsrMatrix({3, 4}, {0, 2, 3, 4}, {0, 3, 1, 2}, {1, 2, 3, 4}));
    CHECK_FALSE(matrix == kd::CsrMatrix({3, 4}, {0, 2, 2, 4}, {0, 3, 1, 2}, {1, 2, 3, 5}));
    CHECK(kd::CsrMatrix(matrix.view()) == matrix);
  }

  TEST_CASE("triplets by hand: any order, repeats summed, zero sums dropped") {
    const std::vector<kd::Interaction> triplets{{2, 1, 3}, {0, 3, 5}, {0, 0, 1}, {2, 2, 4}, {0, 3, -3}, {1, 1, 2}, {1, 1, -2}};
    CHECK(kd::CsrMatrix::from_triplets({3, 4}, triplets) == small());
    CHECK(kd::CsrMatrix::from_triplets({2, 3}, {}).row(1).empty());
    CHECK(kd::CsrMatrix::from_triplets({0, 0}, {}) == kd::CsrMatrix());
  }

  TEST_CASE("columns by hand: any order, repeats summed, zero sums dropped") {
    const std::vector<kd::Index> users{2, 0, 0, 2, 0, 1, 1}, items{1, 3, 0, 2, 3, 1, 1};
    const std::vector<float> values{3, 5, 1, 4, -3, 2, -2};
    CHECK(kd::CsrMatrix::from_columns({3, 4}, users, items, values) == small());
    CHECK(kd::CsrMatrix::from_columns(users, items, values) == small());
    CHECK(kd::CsrMatrix::from_columns({5, 4}, users, items, values) == kd::append_rows(small(), kd::CsrMatrix({2, 4}, {0, 0, 0}, {}, {})));
    // Without values each interaction is 1.
    CHECK(kd::CsrMatrix::from_columns({3, 4}, users, items) == kd::CsrMatrix({3, 4}, {0, 2, 3, 5}, {0, 3, 1, 1, 2}, {1, 2, 2, 1, 1}));
    CHECK(kd::CsrMatrix::from_columns(users, items) == kd::CsrMatrix::from_columns({3, 4}, users, items));
  }

  TEST_CASE("the shape of columns is found in them, dropped pairs included") {
    const std::vector<kd::Index> users{4, 1, 4}, items{2, 0, 2};
    const std::vector<float> values{1, 2, -1};
    const kd::CsrMatrix matrix = kd::CsrMatrix::from_columns(users, items, values);
    CHECK(matrix.shape() == kd::MatrixShape{5, 3});
    CHECK(matrix.nnz() == 1);
    CHECK(kd::CsrMatrix::from_columns({}, {}) == kd::CsrMatrix());
    CHECK(kd::CsrMatrix::from_columns({2, 3}, {}, {}) == kd::CsrMatrix::from_triplets({2, 3}, {}));
  }

  TEST_CASE("rows that are appended stand below, and are taken again") {
    const kd::CsrMatrix below({2, 4}, {0, 1, 3}, {2, 0, 3}, {7, 8, 9});
    const kd::CsrMatrix both = kd::append_rows(small(), below);
    CHECK(both == kd::CsrMatrix({5, 4}, {0, 2, 2, 4, 5, 7}, {0, 3, 1, 2, 2, 0, 3}, {1, 2, 3, 4, 7, 8, 9}));
    CHECK(kd::CsrMatrix(both.rows(0, 3)) == small());
    CHECK(kd::CsrMatrix(both.rows(3, 5)) == below);
    CHECK(kd::select_rows(both, std::vector<kd::Index>{3, 4}) == below);
    // Parts of a matrix, in another order, and the matrix itself.
    CHECK(kd::append_rows(both.rows(3, 5), both.rows(0, 3)) == kd::append_rows(below, small()));
    CHECK(kd::append_rows(below, below) == kd::select_rows(below, std::vector<kd::Index>{0, 1, 0, 1}));
    CHECK(kd::append_rows(small(), kd::CsrMatrix::from_columns({0, 4}, {}, {})) == small());
    CHECK(kd::append_rows(kd::CsrMatrix(), kd::CsrMatrix()) == kd::CsrMatrix());
    CHECK_THROWS_WITH_AS((void)kd::append_rows(small(), kd::transpose(small())),
                         "above is 3 users x 4 items and below is 4 users x 3 items; they must have the same items", kd::ShapeError);
    const kd::CsrMatrix matrix = random_matrix(23, 17, 0.3, 6);
    for (kd::Index cut = 0; cut <= 23; ++cut) CHECK(kd::append_rows(matrix.rows(0, cut), matrix.rows(cut, 23)) == matrix);
  }

  TEST_CASE("random triplets agree with a map, and columns with triplets") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample);
      const auto users = static_cast<kd::Index>(1 + random.below(20));
      const auto items = static_cast<kd::Index>(1 + random.below(20));
      std::vector<kd::Interaction> triplets(random.below(300));
      std::map<std::pair<kd::Index, kd::Index>, double> sums;
      for (kd::Interaction& t : triplets) {
        t = {static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(users))),
             static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(items))), static_cast<float>(random.below(7)) - 3.0F};
        sums[{t.user, t.item}] += static_cast<double>(t.value);
      }
      Cells wanted;
      for (const auto& [cell, sum] : sums)
        if (sum != 0.0) wanted[cell] = static_cast<float>(sum);
      const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets({users, items}, triplets);
      CHECK(matrix.shape() == kd::MatrixShape{users, items});
      CHECK(cells_of(matrix) == wanted);
      CHECK(static_cast<std::size_t>(matrix.nnz()) == wanted.size());
      std::vector<kd::Index> user_column, item_column;
      std::vector<float> value_column;
      for (const kd::Interaction& t : triplets) {
        user_column.push_back(t.user);
        item_column.push_back(t.item);
        value_column.push_back(t.value);
      }
      CHECK(kd::CsrMatrix::from_columns({users, items}, user_column, item_column, value_column) == matrix);
      const kd::CsrMatrix tight = kd::CsrMatrix::from_columns(user_column, item_column, value_column);
      CHECK(cells_of(tight) == wanted);
      CHECK(tight.rows() <= users);
      CHECK_NOTHROW(kd::detail::validate_csr(matrix.shape(), matrix.offsets(), matrix.columns(), matrix.values()));
    }
  }

  // 2^24 + 1 is no float: one by one in float the ones would be lost.
  TEST_CASE("repeats are summed in double") {
    std::vector<kd::Interaction> triplets{{0, 0, 16777216.0F}};
    for (int n = 0; n < 100; ++n) triplets.push_back({0, 0, 1.0F});
    CHECK(kd::CsrMatrix::from_triplets({1, 1}, triplets).row(0).values[0] == 16777316.0F);
  }

  TEST_CASE("transpose by hand, and twice is the identity") {
    CHECK(kd::transpose(small()) == kd::CsrMatrix({4, 3}, {0, 1, 2, 3, 4}, {0, 2, 2, 0}, {1, 3, 4, 2}));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const kd::CsrMatrix matrix = random_matrix(17, 29, 0.2, seed);
      const kd::CsrMatrix turned = kd::transpose(matrix);
      Cells cells;
      for (const auto& [cell, value] : cells_of(matrix)) cells[{cell.second, cell.first}] = value;
      CHECK(cells_of(turned) == cells);
      CHECK(kd::transpose(turned) == matrix);
    }
    CHECK(kd::transpose(kd::CsrMatrix()) == kd::CsrMatrix());
    CHECK(kd::transpose(kd::CsrMatrix::from_triplets({3, 0}, {})).shape() == kd::MatrixShape{0, 3});
  }

  TEST_CASE("rows and columns are selected with what is in them") {
    const kd::CsrMatrix rows = kd::select_rows(small(), std::vector<kd::Index>{2, 0, 2});
    CHECK(rows == kd::CsrMatrix({3, 4}, {0, 2, 4, 6}, {1, 2, 0, 3, 1, 2}, {3, 4, 1, 2, 3, 4}));
    const kd::CsrMatrix columns = kd::select_columns(small(), std::vector<kd::Index>{1, 3});
    CHECK(columns == kd::CsrMatrix({3, 2}, {0, 1, 1, 2}, {1, 0}, {2, 3}));
    CHECK(kd::select_rows(small(), {}).shape() == kd::MatrixShape{0, 4});
    CHECK(kd::select_columns(small(), {}).shape() == kd::MatrixShape{3, 0});
    // Selecting columns is selecting rows of the transpose.
    const kd::CsrMatrix matrix = random_matrix(15, 25, 0.3, 5);
    const std::vector<kd::Index> some{0, 3, 4, 11, 24};
    CHECK(kd::select_columns(matrix, some) == kd::transpose(kd::select_rows(kd::transpose(matrix), some)));
  }

  TEST_CASE("counts and sums agree with the cells") {
    const kd::CsrMatrix matrix = random_matrix(30, 20, 0.2, 1);
    std::vector<kd::Index> rows(30, 0), columns(20, 0);
    std::vector<double> row_sums(30, 0.0), column_sums(20, 0.0);
    for (const auto& [cell, value] : cells_of(matrix)) {
      const auto u = static_cast<std::size_t>(cell.first);
      const auto i = static_cast<std::size_t>(cell.second);
      ++rows[u];
      ++columns[i];
      row_sums[u] += static_cast<double>(value);
      column_sums[i] += static_cast<double>(value);
    }
    CHECK(kd::row_counts(matrix) == rows);
    CHECK(kd::column_counts(matrix) == columns);
    CHECK(kd::statistics::row_sums(matrix) == row_sums);  // whole numbers: exact
    CHECK(kd::statistics::column_sums(matrix) == column_sums);
  }

  TEST_CASE("stored zeros are kept until asked to go") {
    const kd::CsrMatrix matrix({2, 3}, {0, 3, 4}, {0, 1, 2, 1}, {0, 5, -0.0F, 0});
    CHECK(matrix.nnz() == 4);
    CHECK(kd::without_zeros(matrix) == kd::CsrMatrix({2, 3}, {0, 1, 1}, {1}, {5}));
    const kd::CsrMatrix none({2, 3}, {0, 2, 3}, {0, 2, 1}, {4, -5, 6});
    CHECK(kd::without_zeros(none) == none);
  }

  TEST_CASE("copies share arrays, which stay as long as one of them") {
    kd::CsrMatrix first = small();
    const kd::CsrMatrix copy = first;
    CHECK(copy.columns().data() == first.columns().data());
    first = kd::CsrMatrix();
    CHECK(copy == small());
    CHECK(first == kd::CsrMatrix());
  }

  TEST_CASE("a moved-from matrix is 0 x 0, and a view of it is safe") {
    kd::CsrMatrix first = small();
    const kd::CsrMatrix second = std::move(first);
    CHECK(second == small());
    CHECK(first == kd::CsrMatrix());  // NOLINT: the state after a move is what is tested
    CHECK(first.view().rows() == 0);
    CHECK(first.offsets().size() == 1);
    CHECK(first.nnz() == 0);
    CHECK(kd::transpose(first) == kd::CsrMatrix());
    CHECK(kd::select_rows(first, {}) == kd::CsrMatrix());
    CHECK(kd::CsrMatrix(first.view()) == kd::CsrMatrix());
    const kd::CsrMatrix copy = first;
    CHECK(copy == kd::CsrMatrix());

    kd::CsrMatrix third = small();
    kd::CsrMatrix fourth;
    fourth = std::move(third);
    CHECK(fourth == small());
    CHECK(third == kd::CsrMatrix());  // NOLINT
    third = fourth;
    CHECK(third == small());
    kd::CsrMatrix& itself = fourth;
    fourth = std::move(itself);
    CHECK(fourth == small());
  }

  TEST_CASE("what it refuses, and in which words") {
    using kd::CsrMatrix, kd::Interaction, kd::InvalidArgument;
    const auto refuse = [](kd::MatrixShape shape, std::vector<Interaction> triplets) { (void)CsrMatrix::from_triplets(shape, triplets); };
    CHECK_THROWS_WITH_AS(refuse({2, 2}, {{0, 0, 1}, {2, 1, 1}}), "triplets[1].user is 2; it must be a user index in [0, 2)",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({2, 2}, {{0, -1, 1}}), "triplets[0].item is -1; it must be an item index in [0, 2)", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({2, 5}, {{3, 1, 1}}),
                         "triplets[0].user is 3; it must be a user index in [0, 2); the transposed shape would fit: is the input items x "
                         "users? Kindred takes "
                         "users as rows",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({5, 2}, {{1, 3, 1}}),
                         "triplets[0].item is 3; it must be an item index in [0, 2); the transposed shape would fit: is the input items x "
                         "users? Kindred takes "
                         "users as rows",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({1, 1}, {{0, 0, std::numeric_limits<float>::infinity()}}), "triplets[0].value is inf; it must be finite",
                         InvalidArgument);
    CHECK_THROWS_AS(refuse({1, 1}, {{0, 0, std::numeric_limits<float>::quiet_NaN()}}), InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({-1, 1}, {}), "users is -1; it must be at least 0", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({1, -1}, {}), "items is -1; it must be at least 0", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({1, 1}, {{0, 0, 3e38F}, {0, 0, 3e38F}}), doctest::Contains("the sum of user 0 and item 0 is 6.0"),
                         InvalidArgument);

    CHECK_THROWS_AS(CsrMatrix({2, 2}, {0, 1}, {0}, {1}), kd::ShapeError);
    CHECK_THROWS_AS(CsrMatrix({1, 2}, {0, 2}, {1, 0}, {1, 1}), InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::select_rows(small(), std::vector<kd::Index>{0, 3}), "user is 3; it must be a user index in [0, 3)",
                         InvalidArgument);
    CHECK_THROWS_AS((void)kd::select_columns(small(), std::vector<kd::Index>{2, 1}), InvalidArgument);
    CHECK_THROWS_AS((void)kd::select_columns(small(), std::vector<kd::Index>{4}), InvalidArgument);
  }

  TEST_CASE("columns that it refuses, and in which words") {
    using kd::CsrMatrix, kd::Index, kd::InvalidArgument, kd::MatrixShape, kd::ShapeError;
    const std::vector<Index> two{0, 1}, three{0, 1, 2};
    const std::vector<float> values{1, 2};
    CHECK_THROWS_WITH_AS((void)CsrMatrix::from_columns(two, three), "users has 2 entries and items has 3; they must be equally long",
                         ShapeError);
    CHECK_THROWS_WITH_AS((void)CsrMatrix::from_columns({9, 9}, two, {}), "users has 2 entries and items has 0; they must be equally long",
                         ShapeError);
    CHECK_THROWS_WITH_AS((void)CsrMatrix::from_columns({9, 9}, three, three, values),
                         "users has 3 entries and values has 2; they must be equally long, or values empty", ShapeError);
    CHECK_THROWS_WITH_AS((void)CsrMatrix::from_columns({}, {}, values),
                         "users has 0 entries and values has 2; they must be equally long, or values empty", ShapeError);

    const auto refuse = [](std::vector<Index> users, std::vector<Index> items, std::vector<float> strengths) {
      (void)CsrMatrix::from_columns(users, items, strengths);
    };
    CHECK_THROWS_WITH_AS(refuse({0, -1}, {0, 0}, {}), "users[1] is -1; it must be a user index in [0, 2147483647)", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({0, 1, 2}, {5, 6, -3}, {1, 1, 1}), "items[2] is -3; it must be an item index in [0, 2147483647)",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({2147483647}, {0}, {}), "users[0] is 2147483647; it must be a user index in [0, 2147483647)",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({0}, {2147483647}, {}), "items[0] is 2147483647; it must be an item index in [0, 2147483647)",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({0, 0}, {0, 1}, {1, -std::numeric_limits<float>::infinity()}), "values[1] is -inf; it must be finite",
                         InvalidArgument);
    CHECK_THROWS_AS(refuse({0}, {0}, {std::numeric_limits<float>::quiet_NaN()}), InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({3, 3}, {7, 7}, {3e38F, 3e38F}), doctest::Contains("the sum of user 3 and item 7 is 6.0"), InvalidArgument);

    const auto refuse_in = [](MatrixShape shape, std::vector<Index> users, std::vector<Index> items) {
      (void)CsrMatrix::from_columns(shape, users, items);
    };
    CHECK_THROWS_WITH_AS(refuse_in({2, 2}, {0, 2}, {0, 1}), "users[1] is 2; it must be a user index in [0, 2)", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse_in({5, 2}, {1}, {3}),
                         "items[0] is 3; it must be an item index in [0, 2); the transposed shape would fit: is the input items x users? "
                         "Kindred takes users as rows",
                         InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse_in({-1, 1}, {}, {}), "users is -1; it must be at least 0", InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse_in({1, -1}, {}, {}), "items is -1; it must be at least 0", InvalidArgument);
  }
}
