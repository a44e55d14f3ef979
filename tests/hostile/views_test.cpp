// SPDX-License-Identifier: MIT
// Every public function that takes a CsrView, on views that are legal but odd: pieces of larger arrays, empty rows and columns, nothing at all.
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/kindred.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"
#include "calls.hpp"
#include "outcome.hpp"

namespace kd = kindred;
using kindred_test::view_calls;
using kindred_test::ViewCall;

namespace {

/// Rows [first, last) of a matrix as a view of pieces of its arrays, whose offsets start elsewhere than at 0.
kd::CsrView piece(const kd::CsrMatrix& whole, kd::Index first, kd::Index last) {
  const auto offsets = whole.offsets().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first) + 1);
  const auto begin = static_cast<std::size_t>(offsets.front()), count = static_cast<std::size_t>(offsets.back()) - begin;
  return {kd::detail::unchecked,
          {last - first, whole.cols()},
          offsets,
          whole.columns().subspan(begin, count),
          whole.values().subspan(begin, count)};
}

}  // namespace

TEST_SUITE("hostile/views") {
  TEST_CASE("a piece of a matrix answers as a copy of it does, in every function") {
    // With dislikes, stored zeros, empty rows and columns.
    kd::CsrMatrix whole = kindred_test::random_matrix(60, 25, 0.25, 4);
    std::vector<float> values(whole.values().begin(), whole.values().end());
    for (std::size_t n = 0; n < values.size(); n += 11) values[n] = n % 2 == 0 ? 0.0F : -2.0F;
    std::vector<kd::Index> rows(60);
    for (std::size_t u = 0; u < 60; ++u) rows[u] = static_cast<kd::Index>(u);
    whole = kd::CsrMatrix(whole.shape(), {whole.offsets().begin(), whole.offsets().end()}, {whole.columns().begin(), whole.columns().end()},
                          values);
    for (const std::pair<kd::Index, kd::Index>& range : {std::pair<kd::Index, kd::Index>{20, 50}, {59, 60}, {30, 30}, {0, 60}}) {
      const kd::Index first = range.first, last = range.second;  // clang 14 captures no structured bindings
      const kd::CsrView view = piece(whole, first, last);
      const kd::CsrMatrix copy = kd::select_rows(
          whole, std::span<const kd::Index>(rows).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
      REQUIRE((first == 0 || view.offsets().front() > 0));
      for (const ViewCall& call : view_calls()) {
        CAPTURE(call.name);
        CAPTURE(first);
        CHECK(kindred_test::outcome_of([&] { return call.run(view); }) == kindred_test::outcome_of([&] { return call.run(copy); }));
      }
    }
  }

  TEST_CASE("matrices with nothing in them: an answer or an error, in every function") {
    kd::CsrMatrix moved = kindred_test::random_matrix(5, 5, 0.5, 1);
    const kd::CsrMatrix taken = std::move(moved);
    const kd::CsrMatrix nothing, no_rows({0, 7}, {0}, {}, {}), no_columns({7, 0}, std::vector<kd::Offset>(8, 0), {}, {}),
        empty({7, 7}, std::vector<kd::Offset>(8, 0), {}, {}), zeros({2, 2}, {0, 1, 2}, {0, 1}, {0, 0}), one({1, 1}, {0, 1}, {0}, {3}),
        dislikes({2, 3}, {0, 1, 2}, {0, 2}, {-1, -5});
    for (const kd::CsrView& view : {kd::CsrView(), nothing.view(), no_rows.view(), no_columns.view(), empty.view(), zeros.view(),
                                    one.view(), dislikes.view(), moved.view()})
      for (const ViewCall& call : view_calls()) {
        CAPTURE(call.name);
        CAPTURE(view.rows());
        CAPTURE(view.cols());
        CHECK_FALSE(kindred_test::outcome_of([&] { return call.run(view) + "."; }).empty());
      }
  }
}
