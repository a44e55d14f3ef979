// SPDX-License-Identifier: MIT
// Sizes: interactions beyond 2^31, memory that is refused beforehand, memory that runs out half-way.
#include <kindred/models/implicit_als.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <doctest/doctest.h>

#include <kindred/core/memory.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/sanitized.hpp"

namespace kd = kindred;
using kindred_test::random_matrix;

// Replaces the program's own: sanitizers have theirs, so that the test of failing allocations is left out there.
#if !defined(KINDRED_TEST_SANITIZED) && defined(__linux__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // g++ 11 inlines one of a pair and misses the other
#endif
namespace {

/// From now on, the how manieth allocation of the program fails; below 0: none does.
std::atomic<long> allocations_left{-1};

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left.load(std::memory_order_relaxed) >= 0 && allocations_left.fetch_sub(1) == 0) throw std::bad_alloc();
  void* const block = alignment <= alignof(std::max_align_t)
                          ? std::malloc(size)
                          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
#endif

TEST_SUITE("sizes") {
  TEST_CASE("a memory limit refuses before anything is allocated, and says how much it would take") {
    const kd::CsrMatrix train = random_matrix(40, 30, 0.2, 3);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    const std::uint64_t needed = kd::estimate_memory<float>(40, 30, train.nnz(), model.options()).total();
    CHECK_THROWS_WITH_AS(model.fit(train, {.memory_limit = needed - 1}),
                         ("memory_limit is " + std::to_string(needed - 1) + "; it must be at least " + std::to_string(needed) +
                          " bytes, which is what estimate_memory says for 40 users x 30 items with " + std::to_string(train.nnz()) +
                          " interactions and 6 factors")
                             .c_str(),
                         kd::InvalidArgument);
    CHECK(!model.fitted());
    model.fit(train, {.memory_limit = needed});
    CHECK(model.fitted());
    // Another fit needs more: the old model stays until the new one is there.
    CHECK_THROWS_AS(model.fit(train, {.memory_limit = needed}), kd::InvalidArgument);
    CHECK(model.fitted());
    model.fit(train, {.memory_limit = kd::available_memory()});
  }

#if !defined(KINDRED_TEST_SANITIZED) && defined(__linux__)
  TEST_CASE("memory that runs out at any allocation of a fit, a refit or an append leaves the model whole") {
    const kd::CsrMatrix train = random_matrix(40, 30, 0.2, 3), other = random_matrix(50, 20, 0.25, 4),
                        new_users = random_matrix(3, 30, 0.3, 5), new_items = random_matrix(40, 2, 0.3, 6);
    const std::vector<kd::Index> two = {1, 4};
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options = kindred_test::small_als();
      options.iterations = 2;
      options.solver.kind = solver;
      options.confidence.curve = kd::Confidence::log;
      options.background.item_exponent = 0.3;
      const kd::Execution run{.threads = solver == kd::Solver::cholesky ? std::size_t{1} : std::size_t{2}};
      options.start.kind = solver == kd::Solver::cholesky ? kd::Start::spectral : kd::Start::normal;
      kd::ImplicitALS<float> model(options);
      model.fit(train, {.execution = run});
      const kd::ImplicitALS<float> before = model;
      const auto wanted = before.recommend(3, {.count = 30});
      std::vector<long> tries;
      const auto run_out = [&](auto&& call) {
        long n = 0;
        for (bool failed = true; failed; n += n < 300 ? 1 : 7) {
          kd::ImplicitALS<float> changed = before;
          allocations_left = n;
          try {
            call(changed);
            failed = false;
          } catch (const std::bad_alloc&) {
          }
          allocations_left = -1;
          if (!failed) break;
          REQUIRE(changed.shape() == before.shape());
          REQUIRE(changed.user_factors().same_bytes(before.user_factors()));
          REQUIRE(changed.item_factors().same_bytes(before.item_factors()));
          REQUIRE(changed.recommend(3, {.count = 30}) == wanted);
          REQUIRE(changed.fold_in(train.row(2)) == before.fold_in(train.row(2)));
        }
        tries.push_back(n);
      };
      run_out([&](kd::ImplicitALS<float>& m) { m.fit(other, {.execution = run}); });
      run_out([&](kd::ImplicitALS<float>& m) { m.refit_users(two, kd::select_rows(train, two), run); });
      run_out([&](kd::ImplicitALS<float>& m) { m.append_users(new_users, run); });
      run_out([&](kd::ImplicitALS<float>& m) { m.refit_items(two, new_items, run); });
      run_out([&](kd::ImplicitALS<float>& m) { m.append_items(new_items, run); });
      for (const long n : tries) CHECK(n > 10);
    }
  }
#endif

#if defined(__linux__)
  // One block of rows, mapped side by side until there are more interactions than 32 bits can count: little memory, and every offset is real.
  TEST_CASE("interactions beyond 2^31: views, rows, offsets, counts") {
    constexpr std::size_t block_columns = std::size_t{1} << 20;  // 4 MiB of columns, and of values
    constexpr std::size_t row_length = std::size_t{1} << 18, rows_per_block = block_columns / row_length;
    constexpr std::size_t blocks = 2100;  // 2.2e9 interactions
    constexpr std::size_t bytes = block_columns * 4;
    const auto map_many = [&](const void* content) -> char* {
      const int file = static_cast<int>(memfd_create("block", 0));
      REQUIRE(file >= 0);
      REQUIRE(ftruncate(file, bytes) == 0);
      REQUIRE(write(file, content, bytes) == static_cast<ssize_t>(bytes));
      char* const start = static_cast<char*>(mmap(nullptr, blocks * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
      REQUIRE(start != MAP_FAILED);
      for (std::size_t n = 0; n < blocks; ++n)
        REQUIRE(mmap(start + n * bytes, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
      close(file);
      return start;
    };
    std::vector<kd::Index> columns(block_columns);
    std::vector<float> values(block_columns);
    for (std::size_t n = 0; n < block_columns; ++n) {
      columns[n] = static_cast<kd::Index>(2 * (n % row_length));
      values[n] = static_cast<float>(1 + n / row_length);
    }
    char* const all_columns = map_many(columns.data());
    char* const all_values = map_many(values.data());
    std::vector<kd::Offset> offsets{0};
    for (std::size_t u = 0; u < blocks * rows_per_block; ++u) offsets.push_back(offsets.back() + static_cast<kd::Offset>(row_length));
    constexpr std::size_t nnz = blocks * block_columns;
    static_assert(nnz > (std::size_t{1} << 31));
    const kd::MatrixShape shape{static_cast<kd::Index>(blocks * rows_per_block), static_cast<kd::Index>(2 * row_length)};
    const kd::CsrView view(kd::detail::unchecked, shape, offsets, {reinterpret_cast<const kd::Index*>(all_columns), nnz},
                           {reinterpret_cast<const float*>(all_values), nnz});

    CHECK(view.nnz() == static_cast<kd::Offset>(nnz));
    const kd::SparseRow last = view.row(shape.users - 1);
    CHECK(last.size() == row_length);
    CHECK(last.columns.back() == static_cast<kd::Index>(2 * row_length - 2));
    CHECK(last.values.front() == static_cast<float>(rows_per_block));
    CHECK(last.columns.data() == reinterpret_cast<const kd::Index*>(all_columns) + (nnz - row_length));
    CHECK(view.density() == doctest::Approx(0.5));
    CHECK(view.memory_bytes() > nnz * 8);

    const kd::CsrMatrix tail = kd::select_rows(view, std::vector<kd::Index>{shape.users - 1, 3});
    CHECK(tail.row(0).values[5] == static_cast<float>(rows_per_block));
    const std::vector<kd::Index> counts = kd::row_counts(view);
    CHECK(counts.back() == static_cast<kd::Index>(row_length));

    if (std::getenv("KINDRED_LARGE_TESTS") != nullptr) {  // visits every one of them: half a minute
      kd::PopularityRecommender popularity;
      popularity.fit(view);
      const double plays = static_cast<double>(blocks) * (1 + 2 + 3 + 4);
      CHECK(popularity.predict(0, 0) == plays);
      CHECK(popularity.predict(0, 1) == 0.0);
      CHECK(popularity.predict(0, static_cast<kd::Index>(2 * row_length - 2)) == plays);
    }

    // A whole fit would transpose them: what it would take is known, and too much for a limit.
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.factors = 16;
    const kd::MemoryEstimate estimate = kd::estimate_memory<float>(shape.users, shape.items, view.nnz(), options);
    CHECK(estimate.transposed > 8 * nnz);
    munmap(all_columns, blocks * bytes);
    munmap(all_values, blocks * bytes);
  }
#endif

  TEST_CASE("products of sizes that do not fit are refused, not wrapped") {
    constexpr kd::Index most = (std::numeric_limits<kd::Index>::max)();
    CHECK_THROWS_AS((kd::FactorMatrix<float>(most, most)), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::detail::AlignedAllocator<float>().allocate(std::size_t{1} << 62), std::bad_array_new_length);
    kd::AlsOptions options = kd::AlsOptions::paper();
    options.factors = 32'768;
    const kd::MemoryEstimate estimate = kd::estimate_memory<double>(most, most, kd::Offset{1} << 60, options);
    CHECK(estimate.factors == 2 * std::uint64_t{2'147'483'647} * 32'768 * 8);
    CHECK(estimate.total() > (std::uint64_t{1} << 63));
    CHECK(estimate.total() < (std::numeric_limits<std::uint64_t>::max)());
    kd::ImplicitALS<double> model(options);
    CHECK_THROWS_AS(model.fit(random_matrix(3, 3, 0.9, 1), {.memory_limit = 1'000}), kd::InvalidArgument);
  }
}
