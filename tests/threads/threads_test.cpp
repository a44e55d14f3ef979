// SPDX-License-Identifier: MIT
// What threads may do to the library, and the library to threads. Also run under the thread sanitizer (preset tsan).
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/parallel.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/child_process.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
#include "../support/temporary_file.hpp"

// Starting threads can be watched, and made to fail, where this program may put its own pthread_create before the system's.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KINDRED_TEST_WATCH_THREADS 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef KINDRED_TEST_WATCH_THREADS
#endif
#endif
#endif

#if defined(__linux__)
#include <sys/resource.h>
#include <unistd.h>
#endif

#if defined(KINDRED_TEST_WATCH_THREADS)
#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>

namespace {

std::atomic<long> threads_started{0};
std::atomic<long> threads_left{-1};  // that may still be started; below 0: any number

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  if (threads_left.load() >= 0 && threads_left.fetch_sub(1) <= 0) {
    threads_left = 0;
    return EAGAIN;
  }
  ++threads_started;
  return reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, start, argument);
}
#endif

namespace kd = kindred;
using kindred_test::random_matrix;

namespace {

kd::ImplicitALS<float> fitted(const kd::CsrMatrix& train, std::uint64_t seed = 11, std::size_t threads = 2) {
  kd::AlsOptions options = kindred_test::small_als();
  options.seed = seed;
  kd::ImplicitALS<float> model(options);
  model.fit(train, {.execution = {.threads = threads}});
  return model;
}

/// `call(t)` on `n` threads that begin together.
void at_once(std::size_t n, const std::function<void(std::size_t)>& call) {
  std::atomic<std::size_t> ready{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < n; ++t)
    threads.emplace_back([&, t] {
      ++ready;
      while (ready.load() < n) std::this_thread::yield();
      call(t);
    });
  for (std::thread& thread : threads) thread.join();
}

/// Everything that const methods answer about one user and one item, as text: to be compared byte for byte.
std::string answers(const kd::ImplicitALS<float>& model, const kd::CsrMatrix& train, kd::Index u, kd::Index i) {
  std::string text;
  const auto add = [&](const void* bytes, std::size_t size) { text.append(static_cast<const char*>(bytes), size); };
  const auto add_list = [&](std::span<const kd::Scored> list) {
    for (const kd::Scored& one : list) {
      add(&one.item, sizeof(one.item));
      add(&one.score, sizeof(one.score));
    }
    text += '|';
  };
  const kd::SparseRow row = train.row(u);
  const std::vector<kd::Index> users{u, 0, u};
  add_list(model.recommend(u, {.count = 5, .exclude = row.columns}));
  add_list(model.recommend(row, {.count = 5, .fallback = kd::Fallback::popularity}).items);
  const kd::RankedLists lists = model.recommend_all(users, {.count = 4, .exclude = train, .execution = {.threads = 2}});
  for (std::size_t n = 0; n < lists.size(); ++n) add_list(lists.row(n));
  add_list(model.rank_items(u, std::vector<kd::Index>{0, i, train.cols() - 1}));
  add_list(model.similar_items(i, {.count = 4}));
  add_list(model.similar_users(u, {.count = 4}));
  add_list(model.recommend_users(i, {.count = 4}));
  add_list(model.explain(row, i).parts);
  const std::vector<float> factors = model.fold_in(row);
  add(factors.data(), factors.size() * sizeof(float));
  const kd::FactorMatrix<float> folded = model.fold_in_all(train);
  add(folded.data(), folded.memory_bytes());
  const double score = model.predict(u, i);
  add(&score, sizeof(score));
  return text;
}

/// Interactions of a file of plays with a few thousand lines.
kd::Offset plays_read(std::size_t threads) {
  const kindred::test::TemporaryDirectory folder;
  std::string text;
  for (int n = 0; n < 5000; ++n)
    text += "u" + std::to_string(n % 97) + "\ti" + std::to_string(n * 7 % 211) + "\t" + std::to_string(n % 5 + 1) + "\n";
  return kd::read_delimited(folder.file(text), {}, {.execution = {.threads = threads}, .block_bytes = 1024}).matrix.nnz();
}

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE("const calls on one model from many threads give the bytes of one thread alone") {
    const kd::CsrMatrix train = random_matrix(24, 30, 0.25, 3);
    std::vector<std::string> wanted;
    const kd::ImplicitALS<float> first = fitted(train);
    for (kd::Index u = 0; u < 6; ++u) wanted.push_back(answers(first, train, u, 2 * u + 1));
    for (int round = 0; round < 8; ++round) {
      const kd::ImplicitALS<float> model = fitted(train);  // anew: what is made when first asked for is made under load
      std::atomic<int> wrong{0};
      at_once(6, [&](std::size_t t) {
        for (std::size_t n = 0; n < 6; ++n) {
          const std::size_t u = (t + n) % wanted.size();
          if (answers(model, train, static_cast<kd::Index>(u), static_cast<kd::Index>(2 * u + 1)) != wanted[u]) ++wrong;
          const kd::ImplicitALS<float> copy(model);
          if (copy.recommend(0) != model.recommend(0)) ++wrong;
        }
      });
      CHECK(wrong.load() == 0);
    }
  }

  TEST_CASE("what is made when first asked for is made once, whoever asks") {
    const kd::CsrMatrix train = random_matrix(1000, 40, 0.1, 3);
    const kd::ImplicitALS<float> fresh = fitted(train);  // without an index of the users
    const kd::ImplicitALS<float> other(fresh);
    const std::vector<kd::Scored> wanted = other.similar_users(3);
    for (int round = 0; round < 40; ++round) {
      const kd::ImplicitALS<float> model(fresh);
      std::atomic<int> wrong{0};
      at_once(4, [&](std::size_t t) {
        if (t == 3) {
          const kd::ImplicitALS<float> copy(model);
          if (copy.similar_users(3) != wanted) ++wrong;
        } else if (model.similar_users(3) != wanted) {
          ++wrong;
        }
      });
      CHECK(wrong.load() == 0);
    }
  }

  TEST_CASE("models that are fitted, read, evaluated and changed at the same time do not see each other") {
    const kd::CsrMatrix train = random_matrix(24, 30, 0.25, 3), test = random_matrix(24, 30, 0.1, 4);
    const kd::EvaluateOptions options{.cutoffs = {3, 10}, .execution = {.threads = 2}};
    const auto work = [&](std::uint64_t seed) {
      kd::ImplicitALS<float> model = fitted(train, seed);
      const std::string before = answers(model, train, 3, 4);
      const kd::RankingReport report = kd::evaluate(model, train, test, options);
      model.append_users(test);
      model.refit_items(std::vector<kd::Index>{1, 2}, random_matrix(48, 2, 0.3, seed));
      kd::PopularityRecommender popularity;
      popularity.fit(train);
      return before + std::to_string(report.at(10).ndcg.mean) + std::to_string(model.recommend(30)[0].score) +
             std::to_string(kd::evaluate(popularity, train, test, options).at(3).recall.mean) + std::to_string(plays_read(2));
    };
    std::vector<std::string> wanted, found(4);
    for (std::uint64_t seed = 0; seed < 4; ++seed) wanted.push_back(work(seed));
    at_once(4, [&](std::size_t t) { found[t] = work(t); });
    CHECK(wanted[0] != wanted[1]);
    for (std::size_t t = 0; t < 4; ++t) CHECK(found[t] == wanted[t]);
  }

  TEST_CASE("a Recommender that is replaced by models of other sizes under load answers from one of them, whole") {
    std::vector<kd::Dataset> data;
    std::vector<kd::ImplicitALS<float>> models;
    for (const kd::Index size : {20, 45, 30}) {
      data.push_back(kindred_test::dataset_of(random_matrix(size, size + 5, 0.3, static_cast<std::uint64_t>(size))));
      models.push_back(fitted(data.back().matrix));
    }
    const std::vector<kd::KeyedInteraction> history{{"item 3", 2.0F}, {"i5"}};
    struct Said {
      std::uint64_t version;
      std::vector<kd::NamedItem> items;
    };
    // What each method says, by itself and as one of several.
    const std::vector<std::function<Said(const kd::KeyedRecommender<float>&)>> questions{
        [](const auto& r) {
          kd::KeyedAnswer a = r.recommend("u7", {.count = 60});
          return Said{a.version, std::move(a.items)};
        },
        [&](const auto& r) {
          kd::KeyedAnswer a = r.recommend(history, {.count = 60});
          return Said{a.version, std::move(a.items)};
        },
        [](const auto& r) {
          kd::KeyedAnswer a = r.similar("item 5", 60);
          return Said{a.version, std::move(a.items)};
        },
        [](const auto& r) {
          kd::NamedExplanation e = r.explain("u7", "i4");
          return Said{e.version, std::move(e.parts)};
        },
        [&](const auto& r) {
          kd::NamedExplanation e = r.explain(history, "item 4");
          return Said{e.version, std::move(e.parts)};
        }};
    std::vector<std::vector<std::vector<kd::NamedItem>>> wanted(models.size());
    for (std::size_t m = 0; m < models.size(); ++m) {
      const kd::KeyedRecommender<float> alone(models[m], data[m]);
      for (const auto& question : questions) wanted[m].push_back(question(alone).items);
    }
    REQUIRE(wanted[0][0].size() != wanted[1][0].size());

    kd::KeyedRecommender<float> recommender(models[0], data[0]);
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0}, answered{0};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        std::uint64_t last = 0;
        for (std::size_t q = t; !done.load(); ++q) {
          const Said said = questions[q % questions.size()](recommender);
          if (said.items != wanted[(said.version - 1) % 3][q % questions.size()] || said.version < last ||
              recommender.version() < said.version)
            ++wrong;
          last = said.version;
          ++answered;
        }
      });
    for (std::size_t n = 1; n < 300 || answered.load() < 200; ++n) {
      if (n % 10 == 0) CHECK_THROWS_AS((void)recommender.replace(models[0], data[1]), kd::ShapeError);
      (void)recommender.replace(models[n % 3], data[n % 3]);
    }
    done = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong.load() == 0);
  }

  TEST_CASE("what is thrown on a thread of a loop comes out of the call, and changes nothing") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.25, 3);
    struct Mine {
      kd::Index at;
    };
    kd::AlsOptions options = kindred_test::small_als();
    const kd::Execution run{.threads = 4};
    std::atomic<int> calls{0};
    std::atomic<bool> armed{false};
    options.confidence.curve = kd::Confidence::custom;
    options.confidence.function = [&](double value, kd::Offset, kd::Offset) {
      if (armed.load() && ++calls == 40) throw Mine{40};
      return 0.5 * value;
    };
    kd::ImplicitALS<float> model(options);
    model.fit(train, {.execution = run});
    const kd::FactorMatrix<float> users = model.user_factors(), items = model.item_factors();
    armed = true;
    CHECK_THROWS_AS(model.fit(train, {.execution = run}), Mine);
    calls = 0;
    CHECK_THROWS_AS((void)model.fold_in_all(train, {.execution = run}), Mine);
    calls = 0;
    CHECK_THROWS_AS(model.append_users(train, run), Mine);
    armed = false;
    CHECK(model.user_factors().same_bytes(users));
    CHECK(model.item_factors().same_bytes(items));

    kd::RecommendAllOptions all{.count = 5, .execution = {.threads = 4}};
    CHECK_THROWS_AS(model.recommend_all(kd::every_user, all,
                                        [](kd::Index u, std::span<const kd::Scored>) {
                                          if (u == 31) throw Mine{u};
                                        }),
                    Mine);
    all.rerank.order = [](std::span<const kd::Scored> list, std::size_t) -> std::vector<kd::Scored> {
      if (list.front().score > -1e300) throw Mine{list.front().item};
      return {};
    };
    CHECK_THROWS_AS((void)model.recommend_all(kd::every_user, all), Mine);

    struct Broken {
      kd::MatrixShape size;
      [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index u, const kd::RecommendOptions&) const {
        if (u == 17) throw Mine{u};
        return {};
      }
      [[nodiscard]] kd::MatrixShape shape() const { return size; }
    };
    CHECK_THROWS_AS(
        (void)kd::evaluate(Broken{train.shape()}, train, random_matrix(60, 40, 0.1, 4), {.cutoffs = {5}, .execution = {.threads = 4}}),
        Mine);
  }

#if defined(KINDRED_TEST_WATCH_THREADS)
  /// Every call that takes a number of threads; what they answer is the same for any.
  std::string whole_program(std::size_t threads) {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.25, 3), test = random_matrix(60, 40, 0.1, 4);
    const kd::ImplicitALS<float> model = fitted(train, 11, threads);
    std::string text = answers(model, train, 3, 4);
    const kd::RankedLists lists = model.recommend_all(kd::every_user, {.count = 3, .execution = {.threads = threads}});
    for (std::size_t n = 0; n < lists.size(); ++n) text += std::to_string(lists.row(n)[0].item) + " ";
    text += std::to_string(kd::evaluate(model, train, test, {.cutoffs = {5}, .execution = {.threads = threads}}).at(5).ndcg.mean);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    text += std::to_string(popularity.recommend_all(std::vector<kd::Index>{5, 6, 7}, {.execution = {.threads = threads}}).row(1)[0].item);
    text += std::to_string(kd::synthetic_listening({.users = 80, .items = 60, .execution = {.threads = threads}}).matrix.nnz());
    return text + std::to_string(plays_read(threads));
  }

  TEST_CASE("threads = 1 starts none") {
    const auto alone = [](const kd::CsrMatrix& train) {
      const kd::ImplicitALS<float> model = fitted(train, 11, 1);
      (void)model.fold_in_all(train, {.execution = {.threads = 1}});
      (void)model.recommend(0);
      (void)model.similar_users(1);
      (void)model.recommend_all(kd::every_user, {.execution = {.threads = 1}});
      (void)kd::evaluate(model, train, random_matrix(60, 40, 0.1, 4), {.cutoffs = {5}, .execution = {.threads = 1}});
      (void)kd::synthetic_listening({.users = 80, .items = 60, .execution = {.threads = 1}});
      (void)plays_read(1);
    };
    const long before = threads_started.load();
    alone(random_matrix(60, 40, 0.25, 3));
    CHECK(threads_started.load() == before);
    // A fit starts its threads once, not in each of its loops.
    (void)fitted(random_matrix(60, 40, 0.25, 3), 11, 3);
    CHECK(threads_started.load() == before + 2);
  }

  TEST_CASE("where threads cannot be started, those that could do the work, with the same result") {
    const std::string wanted = whole_program(4);
    CHECK(whole_program(1) == wanted);
    for (const long most : {0L, 1L, 2L, 5L, 11L}) {
      threads_left = most;
      const std::string found = whole_program(4);
      const long left = threads_left.exchange(-1);
      CHECK(left == 0);
      CHECK(found == wanted);
    }
  }
#endif

#if defined(__linux__)
  TEST_CASE("a user who may start no more threads gets the same model, lists and datasets") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.25, 3);
    const std::string wanted = answers(fitted(train, 11, 4), train, 3, 4);
    const kd::Offset nnz = plays_read(4);
    const int answer = kindred::test::run_in_child([&] {
      const rlimit none{0, 0};
      if (setrlimit(RLIMIT_NPROC, &none) != 0) return 10;
      if (geteuid() == 0 && setuid(54321) != 0) return 11;  // root may start as many as it likes
      try {
        std::thread([] {}).join();
        return 12;
      } catch (const std::system_error&) {  // as it has to be
      }
      if (answers(fitted(train, 11, 4), train, 3, 4) != wanted) return 1;
      return plays_read(4) == nnz ? 0 : 2;
    });
    if (answer >= 10 && answer <= 12)
      MESSAGE("this system does not limit threads by user: skipped (" << answer << ")");
    else
      CHECK(answer == 0);
  }
#endif
}
