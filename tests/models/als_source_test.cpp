// SPDX-License-Identifier: MIT
// Fitting, recommending and evaluating interactions that come block by block: the same bytes as from memory.
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/streamed_recommend.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/statistics.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/distributed/team.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/streamed_matrix.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;
using kindred_test::StreamedMatrix;

namespace {

/// A source whose blocks and other side are whatever a test says.
struct Odd {
  kd::MatrixShape shape_;
  kd::Offset nnz_ = 0;
  std::vector<kd::RowBlock> blocks;
  kd::CsrMatrix items;

  [[nodiscard]] kd::MatrixShape shape() const { return shape_; }
  [[nodiscard]] kd::Offset nnz() const { return nnz_; }
  [[nodiscard]] std::size_t block_count() const { return blocks.size(); }
  [[nodiscard]] kd::RowBlock block(std::size_t n) const { return blocks[n]; }
  void release(std::size_t) const {}
  friend const kd::CsrMatrix& transpose(const Odd& source) { return source.items; }
};

static_assert(kd::InteractionSource<kd::CsrView> && kd::InteractionSource<kd::CsrMatrix> && !kd::detail::StreamedSource<kd::CsrMatrix>);

static_assert(kd::detail::StreamedSource<kd::CsrFile> && kd::detail::RowSource<kd::CsrFileRows> &&
              kd::detail::StreamedSource<StreamedMatrix> && !kd::detail::RowSource<int>);

const kd::CsrMatrix& plays() {
  static const kd::CsrMatrix matrix = kd::synthetic_listening({.users = 700, .items = 400, .items_per_user = 25}).matrix;
  return matrix;
}

template <typename Scalar>
std::vector<Scalar> bytes_of(const kd::ImplicitALS<Scalar>& als) {
  std::vector<Scalar> all;
  for (const kd::FactorMatrix<Scalar>* factors : {&als.user_factors(), &als.item_factors()})
    for (kd::Index r = 0; r < factors->rows(); ++r) all.insert(all.end(), factors->row(r).begin(), factors->row(r).end());
  return all;
}

std::vector<kd::Scored> flat(const kd::RankedLists& lists, std::size_t count) {
  std::vector<kd::Scored> all;
  for (std::size_t n = 0; n < count; ++n) all.insert(all.end(), lists.row(n).begin(), lists.row(n).end());
  return all;
}

}  // namespace

TEST_SUITE("models/als_source") {
  TEST_CASE("the same bytes and losses as from memory, for every kind of weight, solver and number of threads") {
    std::vector<kd::AlsOptions> settings(8, kd::AlsOptions{.factors = 12, .iterations = 2, .units = kd::Units::paper});
    settings[1].confidence.curve = kd::Confidence::log;
    settings[2].confidence.curve = kd::Confidence::custom;
    settings[2].confidence.function = [](double r, kd::Offset n_u, kd::Offset n_i) {
      return r / static_cast<double>(n_u) + 1.0 / static_cast<double>(n_i);
    };
    settings[3].confidence.cap_quantile = 0.9;
    settings[3].solver.kind = kd::Solver::conjugate_gradient;
    settings[4].background.item_exponent = 0.4;
    settings[4].background.user_exponent = 0.2;
    settings[4].confidence.popularity_damping = 0.3;
    settings[5] = kindred_test::play_counts();
    settings[5].factors = 20;
    settings[5].iterations = 2;
    settings[6].start.kind = kd::Start::spectral;
    settings[7].start.kind = kd::Start::spectral;
    settings[7].confidence.curve = kd::Confidence::log;
    settings[7].start.power_steps = 0;
    for (const kd::AlsOptions& options : settings) {
      kd::ImplicitALS<float> from_memory(options);
      const auto wanted = from_memory.fit(plays(), {.record_loss = true});
      for (const kd::Index rows_each : {1, 37, 256, 1'000}) {
        kd::ImplicitALS<float> streamed(options);
        const StreamedMatrix source(plays(), rows_each);
        const auto report =
            streamed.fit(source, {.record_loss = true, .execution = {.threads = rows_each == 37 ? std::size_t{3} : std::size_t{1}}});
        REQUIRE(bytes_of(streamed) == bytes_of(from_memory));
        for (std::size_t n = 0; n < 2; ++n) REQUIRE(report.iterations[n].loss->total == wanted.iterations[n].loss->total);
      }
    }
  }

  TEST_CASE("a file in blocks of a few rows: fit, recommend and evaluate") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    kd::CsrFileWriter writer(path);
    for (kd::Index u = plays().rows(); u-- > 0;)
      for (std::size_t n = 0; n < plays().row(u).size(); ++n) writer.add(u, plays().row(u).columns[n], plays().row(u).values[n]);
    writer.finish(plays().shape());
    const kd::CsrFile file(path, 4'000);
    REQUIRE(file.block_count() > 10);

    kd::ImplicitALS<double> from_memory({.factors = 9, .iterations = 2, .units = kd::Units::paper});
    from_memory.fit(plays());
    kd::ImplicitALS<double> als({.factors = 9, .iterations = 2, .units = kd::Units::paper});
    als.fit(file);
    CHECK(bytes_of(als) == bytes_of(from_memory));

    std::vector<kd::Scored> lists;
    kd::Index next = 0;
    kd::recommend_all(als, file, {.count = 7}, [&](kd::Index user, std::span<const kd::Scored> list) {
      CHECK(user == next++);
      lists.insert(lists.end(), list.begin(), list.end());
    });
    CHECK(next == plays().rows());
    CHECK(lists == flat(als.recommend_all(kd::every_user, {.count = 7, .exclude = plays()}), 700));

    CHECK_THROWS_WITH_AS(
        kd::recommend_all(als, StreamedMatrix(kd::transpose(plays()), 9), {}, [](kd::Index, std::span<const kd::Scored>) {}),
        doctest::Contains("seen is 400 users x 700 items"), kd::ShapeError);
  }

  TEST_CASE("a part of the rows can be read alone where the source says how") {
    const kd::CsrView view = plays();
    const kd::detail::SideRef side(view);
    REQUIRE(side.is_shareable());
    CHECK(side.counts() == kd::row_counts(view));
    const kd::detail::OwnedRows some = side.between(3, 7);
    const kd::RowBlock block = some.rows.block(0);
    CHECK(block.first == 3);
    CHECK(kd::CsrMatrix(block.rows) == kd::CsrMatrix(view.rows(3, 7)));
    const StreamedMatrix streamed(plays(), 50);
    CHECK_FALSE(kd::detail::SideRef(streamed).is_shareable());
    kd::SerialCommunicator alone;
    const kd::CommunicatorTeam team(alone);
    kd::ImplicitALS<float> als({.factors = 4, .iterations = 1});
    CHECK_THROWS_AS(als.fit(streamed, {.team = &team}), kd::InvalidArgument);
    CHECK_FALSE(als.fitted());
  }

  TEST_CASE("memory_limit counts what a source takes, which is not its interactions") {
    const StreamedMatrix source(plays(), 50);
    kd::ImplicitALS<float> als({.factors = 4, .iterations = 1, .units = kd::Units::paper});
    const kd::MemoryEstimate estimate = kd::estimate_memory<float>(700, 400, plays().nnz(), als.options());
    const std::uint64_t enough = estimate.total() - estimate.transposed;
    CHECK_THROWS_AS(als.fit(source, {.memory_limit = enough - 1}), kd::InvalidArgument);
    CHECK_THROWS_AS(als.fit(plays(), {.memory_limit = enough}), kd::InvalidArgument);
    als.fit(source, {.memory_limit = enough});
    CHECK(als.fitted());
    CHECK(source.asked_for > 14);
  }

  TEST_CASE("a source that does not keep its promises is found out, and the model stays as it was") {
    const std::vector<kd::Offset> offsets = {0, 2, 3};
    const std::vector<kd::Index> columns = {0, 2, 1};
    const std::vector<float> values = {1, 2, 3};
    const kd::CsrMatrix good({2, 3}, offsets, columns, values);
    const auto fit = [](const Odd& source) {
      kd::ImplicitALS<float> als({.factors = 2, .iterations = 1, .units = kd::Units::paper});
      try {
        als.fit(source);
      } catch (...) {
        CHECK_FALSE(als.fitted());
        throw;
      }
    };
    const Odd whole{{2, 3}, 3, {{0, good}}, kd::transpose(good)};
    fit(whole);
    const auto broken = [&](const std::function<void(Odd&)>& change) {
      Odd source = whole;
      change(source);
      fit(source);
    };
    CHECK_THROWS_AS(broken([](Odd& s) { s.nnz_ = 0; }), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(broken([](Odd& s) { s.nnz_ = 4; }), doctest::Contains("holds 3 interactions; train holds 4"), kd::ShapeError);
    CHECK_THROWS_WITH_AS(broken([](Odd& s) { s.blocks.clear(); }), doctest::Contains("hold 0 rows"), kd::ShapeError);
    CHECK_THROWS_WITH_AS(broken([](Odd& s) { s.blocks[0].first = 1; }), doctest::Contains("from row 1"), kd::ShapeError);
    CHECK_THROWS_AS(broken([](Odd& s) { s.blocks.push_back(s.blocks[0]); }), kd::ShapeError);
    CHECK_THROWS_AS(broken([](Odd& s) { s.shape_ = {3, 2}; }), kd::ShapeError);
    CHECK_THROWS_AS(broken([](Odd& s) { s.items = kd::CsrMatrix({3, 3}, {0, 1, 2, 3}, {0, 1, 0}, {1, 2, 3}); }), kd::ShapeError);
    const auto with = [&](std::vector<kd::Index> other_columns, std::vector<float> other_values) {
      broken([&](Odd& s) { s.blocks[0].rows = kd::CsrView(kd::detail::unchecked, {2, 3}, offsets, other_columns, other_values); });
    };
    CHECK_THROWS_WITH_AS(with({0, 3, 1}, {1, 2, 3}),
                         "train, row 0, place 1: the column is 3; it must be in [1, 3): sorted, without repeats", kd::InvalidArgument);
    CHECK_THROWS_AS(with({-1, 2, 1}, {1, 2, 3}), kd::InvalidArgument);
    CHECK_THROWS_AS(with({2, 2, 1}, {1, 2, 3}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(with({0, 2, 1}, {1, 0, 3}), "train, row 0, place 1: the value is 0; it must be finite and not 0",
                         kd::InvalidArgument);
    CHECK_THROWS_AS(with({0, 2, 1}, {1, 2, std::numeric_limits<float>::infinity()}), kd::InvalidArgument);
  }

  TEST_CASE("the quantile of magnitudes is that of a sorted copy, to the bit") {
    for (const kd::Index n : {1, 2, 3, 10, 400}) {
      const kd::CsrMatrix matrix = kd::select_rows(plays(), std::vector<kd::Index>{n, n / 2, 0});
      std::vector<float> values(matrix.values().begin(), matrix.values().end());
      for (std::size_t at = 0; at < values.size(); at += 3) values[at] = -values[at] * 1.001F;
      const kd::CsrMatrix signed_matrix(matrix.shape(), {matrix.offsets().begin(), matrix.offsets().end()},
                                        {matrix.columns().begin(), matrix.columns().end()}, values);
      std::vector<double> magnitudes;
      for (const float value : values) magnitudes.push_back(std::abs(static_cast<double>(value)));
      for (const double q : {0.0, 0.1, 0.5, 0.77, 0.99, 1.0})
        CHECK(kd::detail::magnitude_quantile(kd::detail::RowsRef(signed_matrix), q, signed_matrix.nnz(), kd::detail::Magnitudes::all) ==
              kd::statistics::quantile(magnitudes, q));
    }
  }
}
