// SPDX-License-Identifier: MIT
#include <kindred/io/hetrec.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/filters.hpp>

#include "../support/temporary_file.hpp"
#include "real_data.hpp"

namespace kd = kindred;

TEST_SUITE("read_hetrec2011_lastfm") {
  TEST_CASE("plays and names") {
    const kd::test::TemporaryDirectory directory;
    const std::string plays =
        directory.file("userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n4\t51\t1\r\n", "user_artists.dat");
    const std::string artists =
        directory.file("id\tname\turl\tpictureURL\n52\t\"Weird Al\" Yankovic\thttp://w\t\n7\tNobody\thttp://n\t\n", "artists.dat");
    const kd::Dataset data = kd::read_hetrec2011_lastfm(plays, {.artists_path = artists});
    data.check();
    CHECK(data.matrix == kd::CsrMatrix({2, 2}, {0, 2, 3}, {0, 1, 0}, {13883.0F, 11690.0F, 1.0F}));
    CHECK(data.item_names == std::vector<std::string>{"", "\"Weird Al\" Yankovic"});
    CHECK(data.item_name(0) == "51");
    CHECK(data.load.companions.size() == 1);
    CHECK(kd::read_hetrec2011_lastfm(plays).item_names.empty());
    CHECK_THROWS_AS((void)kd::read_hetrec2011_lastfm(artists), kd::ParseError);
  }

  TEST_CASE("the real files, and the preparation of published studies") {
    const auto plays = kd::test::real_data("hetrec2011-lastfm-2k/user_artists.dat");
    const auto artists = kd::test::real_data("hetrec2011-lastfm-2k/artists.dat");
    if (!plays || !artists) return;
    const kd::Dataset data = kd::read_hetrec2011_lastfm(*plays, {.artists_path = *artists});
    data.check();
    CHECK(data.load.rows == 92'834);
    CHECK(data.load.merged == 0);
    CHECK(data.load.dropped_total() == 0);
    CHECK(data.matrix.nnz() == 92'834);
    CHECK(data.users.size() == 1'892);
    CHECK(data.items.size() == 17'632);
    CHECK(std::accumulate(data.matrix.values().begin(), data.matrix.values().end(), 0.0) == 69'183'975.0);
    CHECK(*std::max_element(data.matrix.values().begin(), data.matrix.values().end()) == 352'698.0F);
    CHECK(std::count(data.item_names.begin(), data.item_names.end(), "") == 0);
    CHECK(std::count_if(data.item_names.begin(), data.item_names.end(),
                        [](const std::string& name) { return name.find('"') != std::string::npos; }) == 16);
    CHECK(std::count_if(data.item_names.begin(), data.item_names.end(), [](const std::string& name) {
            return std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
          }) == 1'557);
    CHECK(data.item_name(data.items.index("1")) == "MALICE MIZER");
    const std::vector<kd::Index> artists_of = kd::row_counts(data.matrix);
    CHECK(std::count(artists_of.begin(), artists_of.end(), 50) == 1'829);
    CHECK(*std::min_element(artists_of.begin(), artists_of.end()) == 1);

    const kd::Dataset active = kd::filter_active(data, {.min_items_per_user = 5, .min_users_per_item = 5});
    CHECK(active.matrix.nnz() == 71'411);
    // Three users lose their last artist to the second threshold; the published 1,874 are those who keep one.
    const std::vector<kd::Index> counts = kd::row_counts(active.matrix);
    CHECK(std::count_if(counts.begin(), counts.end(), [](kd::Index count) { return count > 0; }) == 1'874);
    CHECK(active.items.size() == 2'828);
  }
}
