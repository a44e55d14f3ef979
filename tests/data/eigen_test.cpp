// SPDX-License-Identifier: MIT
#include <kindred/eigen.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/popularity_recommender.hpp>

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

  TEST_CASE("any order, index and expression is copied into the same matrix") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(30, 20, 0.3, 1);
    const Eigen::SparseMatrix<float, Eigen::RowMajor> sparse = kd::to_eigen(matrix);
    CHECK(kd::from_eigen(Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t>(sparse)) == matrix);
    CHECK(kd::from_eigen(Eigen::SparseMatrix<float, Eigen::ColMajor, std::int64_t>(sparse)) == matrix);
    CHECK(kd::from_eigen(Eigen::SparseMatrix<double>(sparse.cast<double>()).cast<float>()) == matrix);
    CHECK(kd::from_eigen(sparse.transpose()) == kd::transpose(matrix));
  }

  TEST_CASE("rows are read in place where the layout is the same, and are the same numbers where it is not") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(30, 20, 0.3, 2);
    Eigen::SparseMatrix<float, Eigen::RowMajor> sparse = kd::to_eigen(matrix);
    const kd::EigenRows rows(sparse);
    CHECK(kd::CsrMatrix(rows.view()) == matrix);
    CHECK(rows.view().columns().data() == sparse.innerIndexPtr());
    CHECK(rows.view().values().data() == sparse.valuePtr());

    const Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor>> mapped(
        sparse.rows(), sparse.cols(), sparse.nonZeros(), sparse.outerIndexPtr(), sparse.innerIndexPtr(), sparse.valuePtr());
    CHECK(kd::EigenRows(mapped).view().values().data() == sparse.valuePtr());

    // A block of rows starts in the middle of the arrays.
    const kd::EigenRows block(sparse.middleRows(10, 5));
    REQUIRE(block.view().rows() == 5);
    CHECK(block.view().values().data() == sparse.valuePtr() + sparse.outerIndexPtr()[10]);
    for (kd::Index u = 0; u < 5; ++u) {
      const kd::SparseRow found = block.view().row(u), wanted = matrix.row(u + 10);
      CHECK(std::vector<kd::Index>(found.columns.begin(), found.columns.end()) ==
            std::vector<kd::Index>(wanted.columns.begin(), wanted.columns.end()));
      CHECK(std::vector<float>(found.values.begin(), found.values.end()) == std::vector<float>(wanted.values.begin(), wanted.values.end()));
    }

    const Eigen::SparseMatrix<float> by_columns = sparse;
    CHECK(kd::CsrMatrix(kd::EigenRows(by_columns).view()) == matrix);
    const Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t> wide = sparse;
    CHECK(kd::CsrMatrix(kd::EigenRows(wide).view()) == matrix);
    sparse.uncompress();
    const kd::EigenRows loose(sparse);
    CHECK(kd::CsrMatrix(loose.view()) == matrix);
    CHECK(loose.view().values().data() != sparse.valuePtr());

    kd::EigenRows moved_in(by_columns);
    const kd::EigenRows moved(std::move(moved_in));
    CHECK(kd::CsrMatrix(moved.view()) == matrix);
    CHECK(kd::EigenRows(Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor>>(0, 3, 0, nullptr, nullptr, nullptr)).view().shape() ==
          kd::MatrixShape{.users = 0, .items = 3});
    static_assert(!std::is_constructible_v<kd::EigenRows, Eigen::SparseMatrix<float, Eigen::RowMajor>>);  // a temporary
    static_assert(!std::is_constructible_v<kd::EigenRows, const Eigen::SparseMatrix<double, Eigen::RowMajor>&>);
    static_assert(!std::is_copy_constructible_v<kd::EigenRows>);
  }

  TEST_CASE("a fit and its lists are those of the same matrix") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(40, 30, 0.2, 3);
    const Eigen::SparseMatrix<float, Eigen::RowMajor> sparse = kd::to_eigen(matrix);
    const kd::EigenRows rows(sparse);
    kd::PopularityRecommender here, there;
    here.fit(matrix);
    there.fit(rows);
    const std::vector<kd::Index> users{0, 3, 39};
    CHECK(there.recommend_all(users, {.count = 5, .exclude = rows}) == here.recommend_all(users, {.count = 5, .exclude = matrix}));
    CHECK(here.recommend(3, {.exclude = matrix.row(3)}) == there.recommend(3, {.exclude = rows.view().row(3)}));
  }

  TEST_CASE("columns out of order and values that are not finite are refused in place too") {
    const int starts[] = {0, 2};
    const int columns[] = {1, 0};
    const float values[] = {1.0F, 2.0F};
    const Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor>> unsorted(1, 2, 2, starts, columns, values);
    CHECK_THROWS_WITH_AS((void)kd::EigenRows(unsorted), "columns[1] (user 0) is 0; it must be above the column before it, which is 1",
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::from_eigen(unsorted), kd::InvalidArgument);
    const int sorted[] = {0, 1};
    const float infinite[] = {1.0F, std::numeric_limits<float>::infinity()};
    const Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor>> bad(1, 2, 2, starts, sorted, infinite);
    CHECK_THROWS_AS((void)kd::EigenRows(bad), kd::InvalidArgument);
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
    const kd::CsrView large(kd::detail::unchecked, {1, 1}, offsets, std::span<const kd::Index>(&column, many),
                            std::span<const float>(&value, many));
    CHECK_THROWS_WITH_AS((void)kd::to_eigen(large), "interactions is 2147483648; it must be below 2^31, what Eigen counts to",
                         kd::InvalidArgument);
  }
}
