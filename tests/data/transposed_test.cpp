// SPDX-License-Identifier: MIT
#include <kindred/data/transposed.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>

namespace kd = kindred;

TEST_SUITE("data/transposed") {
  TEST_CASE("the transpose of any matrix, whatever the number of threads") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 8);
    for (const kd::MatrixShape shape : {kd::MatrixShape{0, 0}, {3, 0}, {0, 3}, {1, 1}, {400, 30}, {3000, 2000}, {5, 90'000}, {90'000, 2}}) {
      std::vector<kd::Interaction> cells;
      const std::size_t count = shape.users > 0 && shape.items > 0 ? (shape.users > 1000 ? 300'000 : 500) : 0;
      for (std::size_t n = 0; n < count; ++n) {
        const auto user = static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(shape.users)));
        // A column that holds most of them, and empty ones.
        const auto item =
            random.below(3) == 0 ? static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(shape.items))) : shape.items / 2;
        cells.push_back({user, item, static_cast<float>(1 + random.below(9))});
      }
      const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets(shape, cells);
      std::vector<kd::Interaction> turned;
      for (kd::Index u = 0; u < matrix.rows(); ++u)
        for (std::size_t n = 0; n < matrix.row(u).size(); ++n) turned.push_back({matrix.row(u).columns[n], u, matrix.row(u).values[n]});
      const kd::CsrMatrix wanted = kd::CsrMatrix::from_triplets({shape.items, shape.users}, turned);
      for (const std::size_t threads : {1u, 2u, 3u, 16u}) {
        const kd::detail::Transposed found(matrix, {.threads = threads});
        CHECK(kd::CsrMatrix(found.view()) == wanted);
        const kd::Index half = shape.users / 2;  // a view whose offsets do not start from 0
        const kd::detail::Transposed of_rest(matrix.rows(half, shape.users), {.threads = threads});
        CHECK(kd::CsrMatrix(of_rest.view()) == kd::transpose(kd::CsrMatrix(matrix.rows(half, shape.users))));
      }
      CHECK(kd::transpose(matrix) == wanted);
    }
    const kd::detail::Transposed nothing(kd::CsrView(), {.threads = 2});
    CHECK(nothing.view().nnz() == 0);
  }
}
