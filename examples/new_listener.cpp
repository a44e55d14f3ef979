// SPDX-License-Identifier: MIT
// The lesson: somebody arrives with a few plays and gets a list at once, without a new fit, and every item on it with its reasons.
//
//   new_listener                               made-up artists
//   new_listener <hetrec folder> <artist>...   artists of HetRec 2011 Last.fm, each played 500 times
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

int main(int argc, char** argv) try {
  kd::Dataset plays;
  std::vector<std::string> played(argv + (argc < 2 ? argc : 2), argv + argc);
  if (argc > 1) {
    const std::string folder = argv[1];
    plays = kd::read_hetrec2011_lastfm(folder + "/user_artists.dat", {.artists_path = folder + "/artists.dat"});
  } else {
    plays = kd::synthetic_listening();
    for (const kd::Index item : plays.matrix.row(0).columns.first(5)) played.emplace_back(plays.items.key(item));
  }

  kd::ImplicitALS<float> als(kd::AlsOptions::recommended());
  als.fit(plays.matrix);
  const kd::Recommender<float> recommender(std::move(als), std::move(plays));

  std::vector<kd::KeyedInteraction> history;
  for (const std::string& artist : played) history.push_back({artist, 500.0F});

  // Solved against the items of the model, exactly as fit would have done.
  const kd::Answer answer = recommender.recommend(history, {.count = 10});
  for (const kd::NamedItem& item : answer.items) {
    std::printf("%.3f  %s, because of", item.score, item.name.c_str());
    const kd::NamedExplanation why = recommender.explain(history, item.key);
    for (std::size_t n = 0; n < (std::min)(why.parts.size(), std::size_t{3}); ++n)
      std::printf("%s %s (%+.3f)", n == 0 ? "" : ",", why.parts[n].name.c_str(), why.parts[n].score);
    std::printf("\n");
  }

  // Of somebody who has played nothing there is nothing to know; the answer says that it is the fallback.
  const kd::Answer stranger = recommender.recommend("somebody else", {.count = 3, .fallback = kd::Fallback::popularity});
  std::printf("%s:", stranger.source == kd::ListSource::popularity ? "popular" : "personal");
  for (const kd::NamedItem& item : stranger.items) std::printf(" %s;", item.name.c_str());
  std::printf("\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "new_listener: %s\n", error.what());
  return 1;
}
