// SPDX-License-Identifier: MIT
// The lesson: neighbours by the names that people know. An artist's neighbours are those whose factors point the same way (a true cosine).
//
//   similar_artists                               made-up artists
//   similar_artists <hetrec folder> <artist>...   artists of HetRec 2011 Last.fm
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

int main(int argc, char** argv) try {
  kd::Dataset plays;
  std::vector<std::string> artists(argv + (argc < 2 ? argc : 2), argv + argc);
  if (argc > 1) {
    const std::string folder = argv[1];
    plays = kd::read_hetrec2011_lastfm(folder + "/user_artists.dat", {.artists_path = folder + "/artists.dat"});
  } else {
    plays = kd::synthetic_listening();
    for (const kd::Index item : {0, 10, 20}) artists.emplace_back(plays.items.key(item));
  }

  kd::ImplicitALS<float> als;
  als.fit(plays.matrix);
  const kd::KeyedRecommender<float> recommender(std::move(als), std::move(plays));

  for (const std::string& artist : artists) {
    std::printf("%s\n", artist.c_str());
    for (const kd::NamedItem& item : recommender.similar(artist, 5).items) std::printf("  %.2f  %s\n", item.score, item.name.c_str());
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "similar_artists: %s\n", error.what());
  return 1;
}
