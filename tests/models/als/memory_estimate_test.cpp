// SPDX-License-Identifier: MIT
// That the estimate is near the measured peak is shown by the benchmark fit_memory; here is what it must be made of.
#include <kindred/models/als/memory_estimate.hpp>

#include <algorithm>
#include <cstdint>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>
#include <kindred/models/implicit_als.hpp>

namespace kd = kindred;

TEST_SUITE("models/memory_estimate") {
  // By hand: rows of 100 floats are padded to 112, of 100 doubles to 104.
  TEST_CASE("factors and the transposed matrix by hand") {
    kd::AlsOptions options{.factors = 100, .units = kd::Units::paper};
    kd::Execution run{.threads = 1};
    const kd::MemoryEstimate single = kd::estimate_memory(1000, 500, 20'000, options, run);
    CHECK(single.factors == 1500u * 112 * 4);
    CHECK(single.transposed == 20'000u * 8 + 2 * 501 * 8);
    CHECK(single.train == 20'000u * 8 + 1001 * 8);
    CHECK(single.strengths == 0);
    CHECK(kd::estimate_memory<double>(1000, 500, 20'000, options, run).factors == 1500u * 104 * 8);
    options.confidence.curve = kd::Confidence::log;
    CHECK(kd::estimate_memory(1000, 500, 20'000, options, run).strengths == 20'000u * 8);
    CHECK(single.refit_total() == single.total() + single.factors + single.index);
  }

  // By hand: 110 columns of floats are padded to 112, of doubles to an odd number of lines of 8, 120; the two blocks of
  // the SVD are larger than one of them beside the items.
  TEST_CASE("the spectral start takes two blocks, and ends before the rest is there") {
    kd::AlsOptions options{.factors = 100, .units = kd::Units::paper};
    const kd::Execution run{.threads = 1};
    const kd::MemoryEstimate normal = kd::estimate_memory(100'000, 500, 200'000, options, run);
    CHECK(normal.start == 0);
    options.start.kind = kd::Start::spectral;
    const kd::MemoryEstimate spectral = kd::estimate_memory(100'000, 500, 200'000, options, run);
    const std::uint64_t blocks = 100'500u * 112 * 4, scales = 100'500u * 16, gram_matrix = 120u * 120 * 8;
    CHECK(spectral.start == blocks + scales + 22 * gram_matrix);
    CHECK(spectral.total() == spectral.transposed + spectral.strengths + spectral.counts +
                                  (std::max)(spectral.start, spectral.factors + spectral.workspaces + spectral.index));
    CHECK(spectral.total() >= normal.total());
    // Ten columns more than the number of factors may fill another vector: 118 of 108.
    options.factors = 108;
    CHECK(kd::estimate_memory(100'000, 500, 200'000, options, run).start > 100'500u * 128 * 4);
    // A matrix of few items needs no more columns than these.
    options.factors = 32'768;
    CHECK(kd::estimate_memory(100'000, 5, 200'000, options, run).start < 100'000u * 100);
  }

  TEST_CASE("what a fitted model reports is in the estimate") {
    const kd::CsrMatrix train = kd::synthetic_listening({.users = 500, .items = 800, .items_per_user = 20}).matrix;
    kd::ImplicitALS<float> als({.factors = 40, .iterations = 1, .units = kd::Units::paper});
    als.fit(train);
    const kd::MemoryEstimate estimate = kd::estimate_memory(train.rows(), train.cols(), train.nnz(), als.options());
    CHECK(estimate.factors == als.user_factors().memory_bytes() + als.item_factors().memory_bytes());
    CHECK(als.index_bytes() <= estimate.index);
    CHECK(estimate.index <= 2 * als.index_bytes());
  }

  TEST_CASE("the largest sizes do not overflow, and only workspaces grow with threads") {
    kd::AlsOptions options{.factors = 32'768, .units = kd::Units::paper};
    kd::Execution run{.threads = 1};
    const kd::Index most = 2'147'483'647;
    const kd::MemoryEstimate one = kd::estimate_memory<double>(most, most, kd::Offset{1} << 50, options, run);
    CHECK(one.factors == 2u * std::uint64_t{2'147'483'647} * 32'768 * 8);
    run.threads = 64;
    const kd::MemoryEstimate many = kd::estimate_memory<double>(most, most, kd::Offset{1} << 50, options, run);
    CHECK(many.factors == one.factors);
    CHECK(many.workspaces > one.workspaces);
    // The most threads that options allow: a workspace for each, and no wrap around; fewer rows have fewer workers.
    run.threads = 4096;
    const kd::MemoryEstimate most_threads = kd::estimate_memory<double>(most, most, kd::Offset{1} << 50, options, run);
    CHECK(most_threads.workspaces > 4096u * std::uint64_t{32'768} * 32'768 * 8);
    CHECK(most_threads.total() > most_threads.workspaces);
    CHECK(kd::estimate_memory<double>(160, 90, 300, options, run).workspaces <
          11u * std::uint64_t{32'768} * 32'768 * 8 + 30u * std::uint64_t{32'768} * 32'768 * 8);
    run.threads = static_cast<std::size_t>(-1);
    CHECK_THROWS_AS((void)kd::estimate_memory<double>(most, most, kd::Offset{1} << 50, options, run), kd::InvalidArgument);
  }

  TEST_CASE("sizes and options out of range") {
    CHECK_THROWS_WITH_AS((void)kd::estimate_memory(0, 5, 1, {}), "users is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::estimate_memory(5, -1, 1, {}), "items is -1; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::estimate_memory(5, 4, 21, {}), "nnz is 21; it must be in [1, 20], the cells of the matrix",
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::estimate_memory(5, 4, 0, {}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::estimate_memory(5, 4, 3, {.factors = 0, .units = kd::Units::paper}), kd::InvalidArgument);
  }
}
