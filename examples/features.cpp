// SPDX-License-Identifier: MIT
// The lesson: features. Made-up listeners have a region and songs have tags. Recommend songs to a listener with a region
// and no plays, find listeners for a song without plays, and print the reasons.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

/// Listeners of the north and the south, and what they play; every tenth play is of the other side.
struct Village {
  std::vector<std::string> users, songs;
};

Village village() {
  Village plays;
  for (int u = 0; u < 400; ++u) {
    for (int n = 0; n < 12; ++n) {
      const bool own = (u * 13 + n * 7) % 10 != 0;
      const int side = own ? u % 2 : 1 - u % 2;
      plays.users.push_back("user" + std::to_string(u));
      plays.songs.push_back("song" + std::to_string(2 * ((u * 31 + n * n * 17) % 60) + side));
    }
  }
  return plays;
}

/// The number at the end of a key.
int number_of(std::string_view key) { return std::stoi(std::string(key.substr(4))); }

void run() {
  const Village plays = village();
  const kd::Dataset data = kd::Dataset::from_columns(plays.users, plays.songs);
  std::vector<std::string> places, tags;
  for (kd::Index u = 0; u < data.users.size(); ++u) places.push_back(number_of(data.users.key(u)) % 2 == 0 ? "north" : "south");
  for (kd::Index i = 0; i < data.items.size(); ++i) tags.push_back(number_of(data.items.key(i)) % 2 == 0 ? "fiddle|slow" : "drum|fast");
  kd::FeatureTable people(data.users), music(data.items);
  people.add_categories("place", places);
  music.add_lists("tag", tags);

  kd::ImplicitALS<float> als({.factors = 16, .iterations = 4});
  const kd::FitReport report = als.fit(data.matrix, {.user_features = people, .item_features = music});
  std::printf("%d users and %d songs, %zu and %zu columns of features\n", data.users.size(), data.items.size(),
              report.user_features.columns, report.item_features.columns);
  std::printf("features explain %.0f %% of users and %.0f %% of songs\n", 100.0 * als.explained_by_user_features().share,
              100.0 * als.explained_by_item_features().share);

  // A new listener: the region is known, and no plays.
  const auto profile = als.user_features().columns().profile({{"place", "south"}, {"hat", "red"}});
  for (const std::string& value : profile.unknown) std::printf("left out: %s\n", value.c_str());
  const kd::Recommendation list = als.recommend(kd::History{.features = profile}, {.count = 3});
  std::printf("a stranger of the south, %s:", list.source == kd::ListSource::features ? "by features" : "otherwise");
  for (const kd::Scored& one : list.items) std::printf("  %s", std::string(data.items.key(one.item)).c_str());
  std::printf("\n");

  // Why the first of them?
  const kd::Explanation why = als.explain(kd::History{.features = profile}, list.items.front().item, kd::FoldInBackground::by_history);
  std::printf("its score %.3f: the mean adds %.3f", why.score, why.mean);
  for (const kd::Scored& part : why.features)
    std::printf(", %s %.3f", std::string(als.user_features().columns().name(part.item)).c_str(), part.score);
  std::printf("\n");

  // Listeners for a song without plays.
  const auto song = als.item_features().columns().profile({{"tag", "fiddle|slow"}});
  int from_north = 0;
  const std::vector<kd::Scored> listeners = als.recommend_users(song, {.count = 20});
  for (const kd::Scored& one : listeners) from_north += number_of(data.users.key(one.item)) % 2 == 0 ? 1 : 0;
  std::printf("a new song with a fiddle: %d of its first %zu listeners are of the north\n", from_north, listeners.size());
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "features: %s\n", error.what());
    return 1;
  }
}
