// SPDX-License-Identifier: MIT
#include <kindred/eigen.hpp>

#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "../support/random_matrix.hpp"

namespace kd = kindred;

TEST_SUITE("eigen") {
  TEST_CASE_TEMPLATE("factors are seen as they are, without a copy", T, float, double) {
    const kd::FactorMatrix<T> factors(3, 2, std::vector<T>{1, 2, 3, 4, 5, 6});
    const auto seen = kd::as_eigen(factors);
    REQUIRE(seen.rows() == 3);
    REQUIRE(seen.cols() == 2);
    CHECK(seen.data() == factors.data());
    for (kd::Index r = 0; r < 3; ++r)
      for (kd::Index f = 0; f < 2; ++f) CHECK(seen(r, f) == factors.row(r)[static_cast<std::size_t>(f)]);
    CHECK((seen.transpose() * seen)(0, 1) == T(1 * 2 + 3 * 4 + 5 * 6));
    CHECK(kd::as_eigen(kd::FactorMatrix<T>()).size() == 0);
  }

  TEST_CASE("a sparse matrix there and back, by hand and at random") {
    const kd::CsrMatrix matrix({3, 4}, {0, 2, 2, 3}, {0, 3, 1}, {1, -2, 0.5F});
    const Eigen::SparseMatrix<float, Eigen::RowMajor> sparse = kd::to_eigen(matrix);
    CHECK(sparse.rows() == 3);
    CHECK(sparse.cols() == 4);
    CHECK(sparse.nonZeros() == 3);
    CHECK(sparse.isCompressed());
    CHECK(sparse.coeff(0, 3) == -2.0F);
    CHECK(sparse.coeff(2, 1) == 0.5F);
    CHECK(sparse.coeff(1, 1) == 0.0F);
    CHECK(kd::from_eigen(sparse) == matrix);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const kd::CsrMatrix random = kindred_test::random_matrix(30, 20, 0.3, seed);
      CHECK(kd::from_eigen(kd::to_eigen(random)) == random);
    }
    CHECK(kd::from_eigen(kd::to_eigen(kd::CsrMatrix())) == kd::CsrMatrix());
  }

  TEST_CASE("from a matrix that is not compressed, in columns, or has stored zeros") {
    Eigen::SparseMatrix<float, Eigen::RowMajor> sparse(2, 3);
    sparse.insert(1, 2) = 4.0F;
    sparse.insert(0, 1) = 0.0F;
    sparse.insert(1, 0) = 3.0F;
    CHECK_FALSE(sparse.isCompressed());
    const kd::CsrMatrix wanted({2, 3}, {0, 1, 3}, {1, 0, 2}, {0, 3, 4});
    CHECK(kd::from_eigen(sparse) == wanted);
    CHECK(kd::from_eigen(Eigen::SparseMatrix<float>(sparse)) == wanted);
  }

  TEST_CASE("what does not fit") {
    Eigen::SparseMatrix<float, Eigen::RowMajor> sparse(2, 3);
    sparse.insert(1, 2) = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS((void)kd::from_eigen(sparse), kd::InvalidArgument);
    // Nobody looks at the entries of a matrix that has too many.
    const std::vector<kd::Offset> offsets{0, kd::Offset{1} << 31};
    const kd::Index column = 0;
    const float value = 1.0F;
    const std::size_t many = std::size_t{1} << 31;
    const kd::CsrView large(kd::unchecked, {1, 1}, offsets, std::span<const kd::Index>(&column, many),
                            std::span<const float>(&value, many));
    CHECK_THROWS_WITH_AS((void)kd::to_eigen(large), "interactions is 2147483648; it must be below 2^31, what Eigen counts to",
                         kd::InvalidArgument);
  }
}
