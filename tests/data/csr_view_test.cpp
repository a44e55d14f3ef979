// SPDX-License-Identifier: MIT
#include <kindred/data/csr_view.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/csr_matrix.hpp>

namespace kd = kindred;

namespace {

struct Arrays {
  kd::MatrixShape shape{3, 4};
  std::vector<kd::Offset> offsets{0, 2, 2, 4};
  std::vector<kd::Index> columns{0, 3, 1, 2};
  std::vector<float> values{1, 2, 3, 4};

  kd::CsrView view() const { return {shape, offsets, columns, values}; }
};

// What the view says of `broken`.
template <typename Error>
std::string refusal(const Arrays& broken) {
  try {
    (void)broken.view();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_SUITE("data/csr_view") {
  TEST_CASE("rows by hand") {
    const Arrays arrays;
    const kd::CsrView view = arrays.view();
    CHECK(view.rows() == 3);
    CHECK(view.cols() == 4);
    CHECK(view.nnz() == 4);
    CHECK(view.row(0).columns[1] == 3);
    CHECK(view.row(0).values[1] == 2.0F);
    CHECK(view.row(1).empty());
    CHECK(view.row(2).size() == 2);
    const std::span<const kd::Index> columns = view.row(2);
    CHECK(columns[0] == 1);
    CHECK(view.density() == doctest::Approx(4.0 / 12.0));
    CHECK(view.memory_bytes() == 4 * 8 + 4 * 4 + 4 * 4);
    CHECK(view.dense_bytes() == doctest::Approx(48.0));
  }

  TEST_CASE("a view of nothing") {
    const kd::CsrView view;
    CHECK(view.rows() == 0);
    CHECK(view.nnz() == 0);
    CHECK(view.density() == 0.0);
    REQUIRE(view.offsets().size() == 1);
    CHECK(view.offsets()[0] == 0);
    const std::vector<kd::Offset> offsets{0, 0, 0};
    CHECK(kd::CsrView({2, 0}, offsets, {}, {}).row(1).empty());
  }

  TEST_CASE("every broken input is refused, in words that say where") {
    using kd::InvalidArgument, kd::ShapeError;
    const Arrays good;
    CHECK(refusal<kd::Error>(good) == "accepted");

    Arrays broken = good;
    broken.shape.users = -1;
    CHECK(refusal<InvalidArgument>(broken) == "users is -1; it must be at least 0");
    broken = good;
    broken.shape.items = -1;
    CHECK(refusal<InvalidArgument>(broken) == "items is -1; it must be at least 0");
    broken = good;
    broken.offsets = {0, 2, 4};
    CHECK(refusal<ShapeError>(broken) == "offsets has 3 entries; a matrix of 3 users x 4 items needs 4 (users + 1)");
    broken = good;
    broken.offsets = {};
    CHECK(refusal<ShapeError>(broken).find("offsets has 0 entries") == 0);
    broken = good;
    broken.values.pop_back();
    CHECK(refusal<ShapeError>(broken) == "columns has 4 entries and values has 3; they must be equally long");
    broken = good;
    broken.offsets = {1, 2, 2, 4};
    CHECK(refusal<InvalidArgument>(broken) == "offsets[0] is 1; it must be 0");
    broken = good;
    broken.offsets = {0, 3, 2, 4};
    CHECK(refusal<InvalidArgument>(broken) == "offsets[2] is 2; it must be at least offsets[1], which is 3");
    broken = good;
    broken.offsets = {0, -2, 2, 4};
    CHECK(refusal<InvalidArgument>(broken) == "offsets[1] is -2; it must be at least offsets[0], which is 0");
    for (const kd::Offset last : {kd::Offset{3}, kd::Offset{5}, kd::Offset{1} << 60}) {
      broken = good;
      broken.offsets.back() = last;
      CHECK(refusal<ShapeError>(broken) == "the last offset is " + std::to_string(last) + "; it must be the number of columns, 4");
    }
    broken = good;
    broken.columns[3] = 4;
    CHECK(refusal<InvalidArgument>(broken) == "columns[3] (user 2) is 4; it must be an item index in [0, 4)");
    broken.columns[3] = -1;
    CHECK(refusal<InvalidArgument>(broken) == "columns[3] (user 2) is -1; it must be an item index in [0, 4)");
    broken = good;
    broken.columns = {3, 0, 1, 2};
    CHECK(refusal<InvalidArgument>(broken) == "columns[1] (user 0) is 0; it must be above the column before it, which is 3");
    broken.columns = {0, 3, 2, 2};
    CHECK(refusal<InvalidArgument>(broken) == "columns[3] (user 2) is 2; it must be above the column before it, which is 2");
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      broken = good;
      broken.values[2] = value;
      CHECK(refusal<InvalidArgument>(broken).find("values[2] (user 2) is ") == 0);
    }
  }

  TEST_CASE("where the transposed shape would have fitted, the error asks") {
    const std::string question = "the transposed shape would fit: is the input items x users? Kindred takes users as rows";
    Arrays broken;
    broken.shape = {4, 3};  // three rows, columns up to 3
    CHECK(refusal<kd::ShapeError>(broken) == "offsets has 4 entries; a matrix of 4 users x 3 items needs 5 (users + 1); " + question);
    broken.shape = {3, 2};
    CHECK(refusal<kd::InvalidArgument>(broken) == "columns[1] (user 0) is 3; it must be an item index in [0, 2)");
    broken.shape = {4, 2};
    broken.offsets = {0, 2, 2, 4, 4};
    CHECK(refusal<kd::InvalidArgument>(broken) == "columns[1] (user 0) is 3; it must be an item index in [0, 2); " + question);

    CHECK_NOTHROW(kd::detail::check_shape("test", {2, 3}, "train", {2, 3}));
    CHECK_THROWS_WITH_AS(kd::detail::check_shape("test", {2, 4}, "train", {2, 3}), "test is 2 users x 4 items; train is 2 users x 3 items",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS(kd::detail::check_shape("test", {3, 2}, "train", {2, 3}),
                         ("test is 3 users x 2 items; train is 2 users x 3 items; " + question).c_str(), kd::ShapeError);
  }

  TEST_CASE("indices and lists of indices") {
    CHECK_NOTHROW(kd::detail::check_user(2, {3, 4}));
    CHECK_THROWS_WITH_AS(kd::detail::check_user(3, {3, 4}), "user is 3; it must be a user index in [0, 3)", kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::check_user(-1, {3, 4}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::detail::check_item(4, {3, 4}), "item is 4; it must be an item index in [0, 4)", kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::check_item(-1, {3, 4}), kd::InvalidArgument);
    const std::vector<kd::Index> rising{0, 2, 3}, equal{1, 1}, outside{0, 4}, negative{-1};
    CHECK_NOTHROW(kd::detail::check_index_list(rising, "items", "an item", 4));
    CHECK_NOTHROW(kd::detail::check_index_list({}, "items", "an item", 0));
    CHECK_THROWS_WITH_AS(kd::detail::check_index_list(equal, "items", "an item", 4),
                         "items[1] is 1; it must be above the entry before it, which is 1: sorted, without repeats", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::detail::check_index_list(outside, "exclude", "an item", 4),
                         "exclude[1] is 4; it must be an item index in [0, 4)", kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::check_index_list(negative, "users", "a user", 4), kd::InvalidArgument);
  }

  TEST_CASE("a view of pieces of arrays: offsets from elsewhere, places from 0") {
    const kd::CsrMatrix whole({3, 4}, {0, 2, 3, 5}, {0, 2, 1, 0, 3}, {1, 2, 3, 4, 5});
    const kd::CsrView last(kd::detail::unchecked, {2, 4}, whole.offsets().subspan(1), whole.columns().subspan(2),
                           whole.values().subspan(2));
    CHECK(last.offsets().front() == 2);
    CHECK(last.row_begin(0) == 0);
    CHECK(last.row_begin(1) == 1);
    CHECK(last.row_begin(2) == 3);
    CHECK(last.row(1).values[1] == 5.0F);
    CHECK(kd::CsrMatrix(last) == kd::select_rows(whole, std::vector<kd::Index>{1, 2}));
    CHECK(kd::CsrMatrix(last).offsets().front() == 0);
  }

  TEST_CASE("a range of rows is a view of the same arrays") {
    const Arrays arrays;
    const kd::CsrView view = arrays.view();
    const kd::CsrView last = view.rows(1, 3);
    CHECK(last.shape() == kd::MatrixShape{2, 4});
    CHECK(last.nnz() == 2);
    CHECK(last.row(0).empty());
    CHECK(last.row(1).columns.data() == arrays.columns.data() + 2);
    CHECK(last.row(1).values[1] == 4.0F);
    CHECK(last.values().size() == 2);
    // A range of a range.
    CHECK(last.rows(1, 2).row(0).columns.data() == arrays.columns.data() + 2);
    CHECK(last.rows(1, 2).row_begin(1) == 2);
    CHECK(view.rows(0, 3).row(0).values[1] == 2.0F);
    for (kd::Index u = 0; u <= 3; ++u) {
      CHECK(view.rows(u, u).rows() == 0);
      CHECK(view.rows(u, u).nnz() == 0);
    }
    CHECK(kd::CsrView().rows(0, 0).rows() == 0);
    CHECK_THROWS_WITH_AS((void)view.rows(1, 4), "rows is [1, 4); it must be within [0, 3)", kd::InvalidArgument);
    CHECK_THROWS_AS((void)view.rows(2, 1), kd::InvalidArgument);
    CHECK_THROWS_AS((void)view.rows(-1, 1), kd::InvalidArgument);
    CHECK_THROWS_AS((void)last.rows(0, 3), kd::InvalidArgument);
  }
}
