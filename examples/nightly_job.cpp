// SPDX-License-Identifier: MIT
// The lesson: a shop's nightly job. Orders in memory become a model and a file of lists, if these are no worse than
// yesterday's. A night that fails leaves yesterday's files.
//
//   nightly_job [<folder>]   four made-up nights; writes recommender.kindred and lists.tsv (default: to the current folder)
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;

namespace {

/// The shop's table of orders, as its database hands it out.
struct Orders {
  std::vector<std::string> customers;
  std::vector<std::int64_t> products;
  std::vector<float> pieces;
  std::vector<std::int64_t> times;
};

/// All orders before `end`, made up.
Orders orders_before(const kd::Dataset& source, std::int64_t end) {
  Orders orders;
  std::size_t n = 0;
  for (kd::Index u = 0; u < source.matrix.rows(); ++u)
    for (const kd::Index i : source.matrix.row(u).columns) {
      const std::int64_t time = source.times[n++];
      if (time >= end) continue;
      orders.customers.push_back("customer-" + std::to_string(1'000 + u));
      orders.products.push_back(70'000'000 + i);
      orders.pieces.push_back(static_cast<float>(1 + time % 3));
      orders.times.push_back(time);
    }
  return orders;
}

/// Yesterday's recommender as a model of today's customers and products: evaluate takes any type with these two functions.
struct Yesterday {
  const kd::KeyedRecommender<float>& recommender;
  const kd::Dataset& today;

  [[nodiscard]] kd::MatrixShape shape() const { return today.matrix.shape(); }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    const kd::KeyedAnswer answer =
        recommender.recommend(today.users.key(user), {.count = options.count + options.exclude.size(), .fallback = options.fallback});
    std::vector<kd::Scored> list;
    for (const kd::NamedItem& one : answer.items)
      if (const auto item = today.items.find(one.key); item && !std::binary_search(options.exclude.begin(), options.exclude.end(), *item))
        if (list.size() < options.count) list.push_back({*item, one.score});
    return list;
  }
};

kd::AlsOptions settings() {
  kd::AlsOptions options;
  options.factors = 32;
  return options;
}

/// False if yesterday's recommender is clearly better at the orders since `noon`, which neither of the two has seen.
bool is_good_enough(const kd::Dataset& today, std::int64_t noon, const std::string& yesterdays_file) {
  const auto [train, test] = kd::temporal_split(today.matrix, today.times, {.cut_time = noon});
  kd::ImplicitALS<float> candidate(settings());
  candidate.fit(train);
  const auto yesterday = kd::load<kd::KeyedRecommender<float>>(yesterdays_file);
  const kd::EvaluateOptions how{.fallback = kd::Fallback::popularity, .keep_per_user = true};
  const kd::Comparison result =
      kd::compare(kd::evaluate(Yesterday{yesterday, today}, train, test, how), kd::evaluate(candidate, train, test, how));
  std::printf("  NDCG@10 for %zu customers: yesterday's %.4f, today's %.4f, difference in [%+.4f, %+.4f]\n", result.difference.count,
              result.first, result.second, result.difference.low, result.difference.high);
  return result.difference.high >= 0.0;
}

/// Reads, checks, fits and writes. A failure leaves both files as they were, but for one of the last rename: then the lists are old.
void run_night(const Orders& orders, std::int64_t noon, const std::string& folder) {
  const std::string model_file = folder + "/recommender.kindred", list_file = folder + "/lists.tsv";
  kd::Dataset today = kd::filter_active(kd::Dataset::from_columns(orders.customers, orders.products, orders.pieces, orders.times),
                                        {.min_items_per_user = 2, .min_users_per_item = 3});
  std::printf("  %d active customers, %d active products, %lld pairs\n", today.matrix.rows(), today.matrix.cols(),
              static_cast<long long>(today.matrix.nnz()));
  if (std::filesystem::exists(model_file) && !is_good_enough(today, noon, model_file)) {
    std::printf("  kept yesterday's\n");
    return;
  }

  kd::ImplicitALS<float> model(settings());
  model.fit(today.matrix);
  std::ofstream lists;
  lists.exceptions(std::ios::failbit | std::ios::badbit);
  lists.open(list_file + ".part");
  std::size_t written = 0;
  model.recommend_all(kd::every_user, {.count = 5, .exclude = today.matrix, .fallback = kd::Fallback::popularity},
                      [&](kd::Index user, std::span<const kd::Scored> list) {
                        int rank = 0;
                        for (const kd::Scored& one : list)
                          lists << today.users.key(user) << '\t' << ++rank << '\t' << today.items.key(one.item) << '\t' << one.score
                                << '\n';
                        ++written;
                      });
  lists.close();
  kd::save(kd::KeyedRecommender<float>(std::move(model), std::move(today)), model_file);  // the old file or the new one, whole
  std::filesystem::rename(list_file + ".part", list_file);
  std::printf("  wrote the recommender and the lists of %zu customers\n", written);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";
  std::filesystem::remove(folder + "/recommender.kindred");
  const kd::Dataset shop = kd::synthetic_listening({.users = 1'200, .items = 600, .items_per_user = 25});
  std::int64_t last_night = 0;
  for (int night = 1; night <= 4; ++night) {
    const std::int64_t now = kd::temporal_cut(shop.times, 0.4 - 0.09 * night);
    Orders orders = orders_before(shop, now);
    if (night == 3)  // the archive comes with the numbers of another table
      for (std::size_t n = 0; n < orders.products.size(); ++n)
        if (orders.times[n] < last_night) orders.products[n] = 70'000'000 + orders.products[n] * 7 % 600;
    if (night == 4) orders.pieces[41] = std::numeric_limits<float>::quiet_NaN();
    std::printf("night %d: %zu orders\n", night, orders.times.size());
    try {
      run_night(orders, last_night + (now - last_night) / 2, folder);
    } catch (const std::exception& error) {
      std::printf("  failed: %s\n", error.what());
    }
    last_night = now;
  }
  const auto served = kd::load<kd::KeyedRecommender<float>>(folder + "/recommender.kindred");
  std::printf("customer-1007 gets");
  for (const kd::NamedItem& one : served.recommend("customer-1007", {.count = 3}).items) std::printf(" %s", one.key.c_str());
  std::printf("\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "nightly_job: %s\n", error.what());
  return 1;
}
