// SPDX-License-Identifier: MIT
// The same calls in surroundings that a host may have: rounding modes, trapped floating-point exceptions, locales, executors of every kind.
#include <atomic>
#include <cfenv>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <locale>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/kindred.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/child_process.hpp"
#include "../support/random_matrix.hpp"
#include "calls.hpp"
#include "outcome.hpp"

namespace kd = kindred;
using kindred_test::outcome_of;
using kindred_test::text_of;
using kindred_test::ViewCall;

namespace {

const kd::CsrMatrix& input() {
  static const kd::CsrMatrix matrix = [] {
    const kd::CsrMatrix random = kindred_test::random_matrix(50, 30, 0.25, 4);
    std::vector<float> values(random.values().begin(), random.values().end());
    for (std::size_t n = 0; n < values.size(); n += 11) values[n] = n % 2 == 0 ? 0.0F : -2.0F;
    return kd::CsrMatrix(random.shape(), {random.offsets().begin(), random.offsets().end()},
                         {random.columns().begin(), random.columns().end()}, values);
  }();
  return matrix;
}

std::vector<ViewCall> all_calls() {
  std::vector<ViewCall> calls = kindred_test::view_calls();
  for (ViewCall& call : kindred_test::other_calls()) calls.push_back(std::move(call));
  return calls;
}

std::string answer(const ViewCall& call) {
  return outcome_of([&] { return call.run(input()); });
}

/// A decimal comma and dots between thousands, for where no such locale is installed.
struct Comma : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_SUITE("hostile/surroundings") {
  // Lists are exact in every mode. A fit and a metric follow the mode of their thread in what no loop of workers computes: by rounding alone.
  TEST_CASE("every rounding mode: lists of a model to the bit, no new errors, and the mode is the caller's afterwards") {
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(input());
    const auto lists = [&] {
      std::string text = text_of(model.recommend_all(kd::every_user, {.count = 7, .exclude = input()}));
      for (kd::Index u = 0; u < input().rows(); ++u) {
        kindred_test::put(text, model.recommend(u, {.count = 7}));
        kindred_test::put(text, model.rank_items(u, kindred_test::first_half(input().cols())));
        kindred_test::put(text, model.similar_users(u));
      }
      for (kd::Index i = 0; i < input().cols(); ++i) {
        kindred_test::put(text, model.similar_items(i));
        kindred_test::put(text, model.recommend_users(i));
        kindred_test::put(text, model.predict(1, i));
      }
      return text;
    };
    const std::string wanted = lists();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      CAPTURE(mode);
      std::fesetround(mode);
      const std::string got = lists();
      std::fesetround(FE_TONEAREST);
      CHECK(got == wanted);
      for (const ViewCall& call : all_calls()) {
        CAPTURE(call.name);
        std::fesetround(mode);
        const std::string answered = answer(call);
        const int after = std::fegetround();
        std::fesetround(FE_TONEAREST);
        CHECK(after == mode);
        if (answered.find("Error: ") == 0) CHECK(answered == answer(call));
      }
    }
  }

  // Enough rows for most of them to be pruned, by codes that are made and compared in another mode.
  TEST_CASE_TEMPLATE("every rounding mode: an index built and searched in it finds the same lists", T, float, double) {
    kd::FactorMatrix<T> rows(3000, 24), queries(40, 24);
    for (kd::FactorMatrix<T>* matrix : {&rows, &queries})
      for (kd::Index r = 0; r < matrix->rows(); ++r) {
        kd::detail::Random random(matrix == &rows ? 1 : 2, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
        for (T& value : matrix->row(r)) value = static_cast<T>(random.normal());
      }
    const auto found = [&] {
      const kd::detail::TopKIndex<T> index(rows, queries, kd::SimdLevel::best);
      kd::detail::TopKSearch<T> search(index, rows);
      std::string text;
      const kd::detail::CosineIndex<T> directions(rows, kd::SimdLevel::best);
      kd::detail::CosineSearch<T> near(directions, rows);
      const kd::detail::TopKRequest request{.count = 10};
      for (kd::Index q = 0; q < queries.rows(); ++q) {
        const T* const query = queries.row(q).data();
        kindred_test::put(text, search.find({&query, 1}, {&request, 1}).front());
        kindred_test::put(text, near.find({&q, 1}, {&request, 1}).front());
      }
      CHECK(near.counters().scores < near.counters().rows / 2);
      CHECK(search.counters().scores < search.counters().rows / 2);
      return text;
    };
    const std::string wanted = found();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      std::fesetround(mode);
      const std::string got = found();
      std::fesetround(FE_TONEAREST);
      CHECK(got == wanted);
    }
  }

#if defined(__GLIBC__) && !defined(__aarch64__)
  TEST_CASE("a program that traps division by zero, invalid operations and overflow is not killed") {
    for (const ViewCall& call : all_calls()) {
      CAPTURE(call.name);
      CHECK(kindred::test::run_in_child([&] {
              feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
              (void)answer(call);
              return 0;
            }) == 0);
    }
  }
#endif

#if defined(__GLIBC__) && !defined(__aarch64__)
  TEST_CASE("traps: fits where settings leave nothing to divide by") {
    std::vector<kd::Interaction> triplets;  // of some users and items alone
    for (kd::Index u = 0; u < 30; ++u)
      for (kd::Index n = 0; u % 7 != 3 && n < 6; ++n) triplets.push_back({u, (u * 7 + n * 3) % 20, static_cast<float>(n + 1)});
    const kd::CsrMatrix train = kd::CsrMatrix::from_triplets({30, 23}, triplets);
    for (const std::size_t factors : {1u, 8u, 40u})
      for (const double regularization : {0.0, 0.1})
        for (const double base : {0.0, 1.0})
          for (const double alpha : {0.0, 40.0})
            for (const double weight : {0.0, 1.0})
              for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
                kd::AlsOptions options{.factors = factors,
                                       .regularization = regularization,
                                       .iterations = 2,
                                       .units = kd::Units::paper,
                                       .confidence = {.alpha = alpha},
                                       .solver = {.kind = solver}};
                options.confidence.base = base;
                options.background.weight = weight;
                options.start.kind = kd::Start::uniform;
                CAPTURE(factors);
                CAPTURE(regularization);
                CAPTURE(base);
                CAPTURE(alpha);
                CAPTURE(weight);
                CHECK(kindred::test::run_in_child([&] {
                        feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
                        (void)outcome_of([&] {
                          kd::ImplicitALS<float> model(options);
                          model.fit(train, {.record_loss = true, .execution = {.threads = 1}});
                          return text_of(model.explain(train.row(0), 3));
                        });
                        return 0;
                      }) == 0);
              }
  }
#endif

  TEST_CASE("locales: numbers in answers and errors are written with a point") {
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
    const bool installed = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    std::vector<std::string> got;
    for (const ViewCall& call : all_calls()) got.push_back(answer(call));
    const std::string error =
        outcome_of([] { return text_of(kd::ImplicitALS<float>({.regularization = -1234.5, .units = kd::Units::paper})); });
    std::setlocale(LC_ALL, "C");
    std::locale::global(before);
    CHECK(error.find("-1234.5") != std::string::npos);
    std::size_t n = 0;
    for (const ViewCall& call : all_calls()) {
      CAPTURE(call.name);
      CAPTURE(installed);
      CHECK(got[n++] == answer(call));
    }
  }

  TEST_CASE("executors: one after the other, backwards, on detached threads, with too few calls") {
    kd::AlsOptions options = kindred_test::small_als();
    const auto fit_on = [&](const kd::Executor& executor) {
      return outcome_of([&] {
        kd::ImplicitALS<float> model(options);
        model.fit(kindred_test::random_matrix(300, 200, 0.1, 4), {.execution = {.threads = 3, .executor = &executor}});
        return text_of(model);
      });
    };
    const std::string wanted = fit_on({});
    using Task = std::function<void(std::size_t)>;
    CHECK(fit_on([](std::size_t workers, const Task& task) {
            for (std::size_t w = 0; w < workers; ++w) task(w);
          }) == wanted);
    CHECK(fit_on([](std::size_t workers, const Task& task) {
            for (std::size_t w = workers; w-- > 0;) task(w);
          }) == wanted);
    CHECK(fit_on([](std::size_t, const Task& task) { task(0); }) == wanted);
    CHECK(fit_on([](std::size_t workers, const Task& task) {
            for (std::size_t w = 0; w < 3 * workers; ++w) task(w % (workers + 1));
          }) == wanted);
    CHECK(fit_on([](std::size_t, const Task&) {}).find("Error: executor is a function that left work undone") == 0);

    // It returns at once; what it has started goes on by itself. Whoever comes too late finds nothing to do.
    std::atomic<int> running{0};
    const std::string early = fit_on([&](std::size_t workers, const Task& task) {
      for (std::size_t w = 0; w < workers; ++w) {
        ++running;
        std::thread([&running, task, w] {
          task(w);
          --running;
        }).detach();
      }
    });
    while (running.load() > 0) std::this_thread::yield();
    CHECK((early == wanted || early.find("Error: executor") == 0));
  }

  TEST_CASE("an executor that throws ends fit with its exception, and the model is as it was") {
    kd::AlsOptions options = kindred_test::small_als();
    const kd::CsrMatrix train = kindred_test::random_matrix(300, 200, 0.1, 4);
    kd::ImplicitALS<float> model(options);
    model.fit(train);
    const std::string before = text_of(model);
    for (int after = 0; after < 12; ++after) {
      int calls = 0;
      const kd::Executor executor = [&](std::size_t workers, const std::function<void(std::size_t)>& task) {
        if (calls++ == after) throw std::runtime_error("the pool is closed");
        for (std::size_t w = 0; w < workers; ++w) task(w);
      };
      CHECK_THROWS_WITH_AS(model.fit(kindred_test::random_matrix(300, 200, 0.1, 5), {.execution = {.threads = 3, .executor = &executor}}),
                           "the pool is closed", std::runtime_error);
      CHECK(text_of(model) == before);
    }
  }
}
