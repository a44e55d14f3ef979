// SPDX-License-Identifier: MIT
// What a project outside the repository sees after find_package(kindred).
#include <kindred/kindred.hpp>

#include <cstdio>
#include <string>
#include <utility>

int main() {
  const kindred::Dataset plays = kindred::synthetic_listening({.users = 60, .items = 40, .items_per_user = 8});
  kindred::ImplicitALS<float> als({.factors = 8, .iterations = 3, .units = kindred::Units::paper});
  als.fit(plays.matrix);
  const auto list = als.recommend(0, {.count = 3, .exclude = plays.matrix.row(0)});
  for (const kindred::Scored& scored : list) std::printf("%s %.3f\n", std::string(plays.item_name(scored.item)).c_str(), scored.score);

  kindred::BlendedRecommender<float> blend;
  blend.fit(plays.matrix);
  const kindred::KeyedRecommender served(std::move(blend), plays);
  return list.size() == 3 && served.recommend(plays.users.key(0), {.count = 3}).items.size() == 3 ? 0 : 1;
}
