// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/synthetic.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/synthetic.hpp>

namespace kindred::inline v0 {

namespace detail {

inline constexpr std::array<std::string_view, 20> synthetic_countries = {
    "United States", "Germany", "United Kingdom", "Poland", "Brazil", "Finland", "Sweden", "Spain",     "Netherlands", "Russia",
    "Canada",        "Italy",   "France",         "Turkey", "Mexico", "Norway",  "Japan",  "Australia", "Portugal",    "Chile"};

/// A made-up artist name: two or three syllables, sometimes with a companion word.
[[nodiscard]] inline std::string synthetic_name(std::uint64_t seed, std::uint64_t item) {
  static constexpr std::array<std::string_view, 24> first = {"Va",  "Mo", "Kel", "Su",  "Bra", "Ti", "Or", "Lu",  "Fen", "Da",  "Ri",  "Zo",
                                                             "Hal", "Ne", "Qui", "Sto", "Ama", "Jo", "Wy", "Pel", "Gri", "Ela", "Cor", "U"};
  static constexpr std::array<std::string_view, 20> middle = {"ra",  "lo",  "mi",  "ne", "to",  "ve", "shi", "ka", "du",  "ri",
                                                              "lan", "mer", "sol", "ga", "bel", "no", "zi",  "pe", "thu", "ya"};
  static constexpr std::array<std::string_view, 16> last = {"n", "s",   "th",  "ria", "x",   "mond", "la",  "rk",
                                                            "t", "dor", "nix", "ve",  "rin", "sk",   "lle", "um"};
  static constexpr std::array<std::string_view, 14> word = {"Parade", "Orchestra", "Machine", "Sisters", "Club",  "Theory",   "Harbour",
                                                            "Engine", "Garden",    "Signal",  "Winter",  "Atlas", "Republic", "Choir"};
  // Names have a stream row of their own, far above any user's and item's.
  Random random(seed, RandomStream::synthetic, (std::uint64_t{2} << 62) + item);
  const auto pick = [&](const auto& list) { return std::string(list[random.below(static_cast<std::uint32_t>(list.size()))]); };
  std::string name = pick(first) + pick(middle);
  if (random.below(2) == 0) name += pick(middle);
  name += pick(last);
  switch (random.below(5)) {
    case 0: return "The " + name + "s";
    case 1: return name + " " + pick(word);
    case 2: return name + " & the " + pick(word);
    default: return name;
  }
}

/// Draws from a fixed discrete distribution by bisection of its running sums.
class DiscreteSampler {
 public:
  void add(Index outcome, double weight) {
    outcomes_.push_back(outcome);
    sums_.push_back((sums_.empty() ? 0.0 : sums_.back()) + weight);
  }
  [[nodiscard]] bool empty() const noexcept { return outcomes_.empty(); }
  [[nodiscard]] Index draw(Random& random) const {
    const auto at = std::upper_bound(sums_.begin(), sums_.end(), random.uniform() * sums_.back()) - sums_.begin();
    return outcomes_[(std::min)(static_cast<std::size_t>(at), outcomes_.size() - 1)];
  }

 private:
  std::vector<Index> outcomes_;
  std::vector<double> sums_;
};

inline void check_synthetic(const SyntheticOptions& o) {
  if (o.users < 1) throw InvalidArgument("users", o.users, "at least 1");
  if (o.items < 1) throw InvalidArgument("items", o.items, "at least 1");
  if (!(o.items_per_user >= 1.0 && o.items_per_user <= 1e9)) throw InvalidArgument("items_per_user", o.items_per_user, "in [1, 1e9]");
  if (o.tastes < 1) throw InvalidArgument("tastes", o.tastes, "at least 1");
  if (!(o.taste_strength >= 0.0 && o.taste_strength <= 1.0)) throw InvalidArgument("taste_strength", o.taste_strength, "in [0, 1]");
  if (!(o.popularity_exponent >= 0.0 && o.popularity_exponent <= 3.0))
    throw InvalidArgument("popularity_exponent", o.popularity_exponent, "in [0, 3]");
  if (!(o.activity_sd >= 0.0 && o.activity_sd <= 3.0)) throw InvalidArgument("activity_sd", o.activity_sd, "in [0, 3]");
}

[[nodiscard]] inline std::string numbered(std::string_view prefix, Index n) {
  const std::string digits = std::to_string(n);
  return std::string(prefix) + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits;
}

/// What one user likes and how old the account is, drawn before the items.
struct SyntheticListener {
  UserProfile profile;
  std::array<Index, 3> tastes{};
  std::int64_t signup = 0;
};

/// Countries and generations lean a little: three in ten users take their main taste from a window that belongs to their country, or their age.
[[nodiscard]] inline SyntheticListener synthetic_listener(Random& random, Index tastes) {
  constexpr std::int64_t day = 86'400;
  constexpr std::int64_t october_2002 = 1'034'000'000;
  SyntheticListener listener;
  const auto n_tastes = static_cast<std::uint32_t>(tastes);

  // Squaring a uniform number favours the first countries of the list.
  const double place = random.uniform();
  const auto country = static_cast<std::size_t>(place * place * static_cast<double>(synthetic_countries.size()));
  const bool male = random.below(100) < 71;
  const int age = (std::clamp)(static_cast<int>(25.0 + 8.0 * random.normal()), 13, 80);
  listener.signup = october_2002 + day * random.below(2'200);

  for (Index& taste : listener.tastes) taste = static_cast<Index>(random.below(n_tastes));
  const std::uint32_t lean = random.below(10);
  if (lean < 2) listener.tastes[0] = static_cast<Index>((static_cast<std::uint32_t>(country) * 7 + random.below(3)) % n_tastes);
  if (lean == 2)
    listener.tastes[0] = static_cast<Index>((static_cast<std::uint32_t>(age / 10) * 5 + (male ? 1 : 0) + random.below(2)) % n_tastes);

  if (random.below(100) >= 10) listener.profile.gender = male ? "m" : "f";
  if (random.below(100) >= 20) listener.profile.age = age;
  if (random.below(100) >= 3) listener.profile.country = std::string(synthetic_countries[country]);
  if (random.below(100) >= 1) listener.profile.signup = listener.signup;
  return listener;
}

}  // namespace detail

namespace detail {

/// Which items may be drawn, by popularity.
struct SyntheticCatalogue {
  DiscreteSampler everything;
  std::vector<DiscreteSampler> of_taste;
};

/// Draws popularity ranks in random order, so that an item's index says nothing about it; an item's taste is drawn beside.
[[nodiscard]] inline SyntheticCatalogue synthetic_catalogue(const SyntheticOptions& options) {
  constexpr std::uint64_t setup_row = ~std::uint64_t{0};
  const auto n_items = static_cast<std::size_t>(options.items);
  Random setup(options.seed, RandomStream::synthetic, setup_row);
  std::vector<Index> by_rank(n_items);
  std::iota(by_rank.begin(), by_rank.end(), 0);
  shuffle_front(std::span<Index>(by_rank), n_items, setup);
  SyntheticCatalogue catalogue;
  catalogue.of_taste.resize(static_cast<std::size_t>(options.tastes));
  for (std::size_t rank = 0; rank < n_items; ++rank) {
    // Ten places of grace flatten the very top, as in real charts.
    const double weight = portable_exp(-options.popularity_exponent * portable_log(static_cast<double>(rank) + 10.0));
    catalogue.everything.add(by_rank[rank], weight);
    catalogue.of_taste[setup.below(static_cast<std::uint32_t>(options.tastes))].add(by_rank[rank], weight);
  }
  return catalogue;
}

/// A user with the interactions.
struct SyntheticRow {
  std::vector<std::pair<Index, float>> plays;
  std::vector<std::int64_t> times;
  UserProfile profile;
};

/// Draws user `u`. `seen`: of each item, the last user that drew it.
[[nodiscard]] inline SyntheticRow synthetic_row(const SyntheticOptions& options, const SyntheticCatalogue& catalogue, std::size_t u,
                                                std::span<Index> seen) {
  const double log_mean = portable_log(options.items_per_user) - 0.5 * options.activity_sd * options.activity_sd;
  const std::size_t most = (std::max)(std::size_t{1}, static_cast<std::size_t>(options.items) / 2);
  Random random(options.seed, RandomStream::synthetic, u);
  const SyntheticListener listener = synthetic_listener(random, options.tastes);
  const double wanted = portable_exp(log_mean + options.activity_sd * random.normal());
  const std::size_t count = (std::clamp)(static_cast<std::size_t>((std::min)(wanted, 1e9)), std::size_t{1}, most);
  SyntheticRow row;
  row.profile = listener.profile;
  // A listener who has nearly exhausted the favourite groups keeps drawing the same items: give up after a while.
  for (std::size_t tries = 0; row.plays.size() < count && tries < 30 * count; ++tries) {
    const bool own = random.uniform() < options.taste_strength;
    const std::uint32_t dice = random.below(10);
    const Index taste = listener.tastes[dice < 6 ? 0 : dice < 9 ? 1 : 2];
    const DiscreteSampler& source = own ? catalogue.of_taste[static_cast<std::size_t>(taste)] : catalogue.everything;
    if (source.empty()) continue;
    const Index item = source.draw(random);
    if (seen[static_cast<std::size_t>(item)] == static_cast<Index>(u)) continue;
    seen[static_cast<std::size_t>(item)] = static_cast<Index>(u);
    const double plays = portable_exp(3.0 + (own ? 0.7 : 0.0) + 1.4 * random.normal());
    row.plays.emplace_back(item, static_cast<float>(1.0 + static_cast<double>(static_cast<std::int64_t>((std::min)(plays, 1e6)))));
  }
  std::sort(row.plays.begin(), row.plays.end());
  for (std::size_t n = 0; n < row.plays.size(); ++n)
    row.times.push_back(listener.signup + static_cast<std::int64_t>(random.below(60'000'000)));
  return row;
}

}  // namespace detail

KINDRED_ONCE Dataset synthetic_listening(const SyntheticOptions& options) {
  detail::check_synthetic(options);
  const auto n_users = static_cast<std::size_t>(options.users);
  const auto n_items = static_cast<std::size_t>(options.items);
  const detail::SyntheticCatalogue catalogue = detail::synthetic_catalogue(options);
  std::vector<detail::SyntheticRow> rows(n_users);
  const detail::ParallelOptions parallel = detail::loop_of(options.execution, 64);
  std::vector<std::vector<Index>> seen_by(detail::worker_count(n_users, parallel), std::vector<Index>(n_items, -1));
  detail::parallel_for(n_users, parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    for (std::size_t u = first; u < last; ++u) rows[u] = detail::synthetic_row(options, catalogue, u, seen_by[worker]);
  });

  Dataset data;
  detail::CsrBuilder builder({options.users, options.items});
  for (std::size_t u = 0; u < n_users; ++u) {
    for (const auto& [item, plays] : rows[u].plays) builder.add(item, plays);
    builder.end_row();
    data.times.insert(data.times.end(), rows[u].times.begin(), rows[u].times.end());
    data.users.intern(detail::numbered("listener_", static_cast<Index>(u) + 1));
    data.profiles.push_back(std::move(rows[u].profile));
    rows[u] = detail::SyntheticRow{};
  }
  data.matrix = builder.finish();
  for (std::size_t i = 0; i < n_items; ++i) {
    data.items.intern(detail::numbered("artist_", static_cast<Index>(i) + 1));
    data.item_names.push_back(detail::synthetic_name(options.seed, i));
  }
  return data;
}

}  // namespace kindred::inline v0
