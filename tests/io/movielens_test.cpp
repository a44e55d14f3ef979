// SPDX-License-Identifier: MIT
#include <kindred/io/movielens.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/io/delimited.hpp>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_SUITE("read_movielens") {
  TEST_CASE("the three forms say the same") {
    const kd::test::TemporaryDirectory directory;
    const std::string tab = directory.file("196\t242\t3\t881250949\n186\t302\t3.5\t891717742\n196\t302\t1\t881250000\n", "u.data");
    const std::string colons = directory.file("196::242::3::881250949\n186::302::3.5::891717742\n196::302::1::881250000\n", "ratings.dat");
    const std::string csv = directory.file(
        "\xEF\xBB\xBFuserId,movieId,rating,timestamp\r\n196,242,3.0,881250949\r\n186,302,3.5,891717742\r\n196,302,1.0,881250000\r\n",
        "ratings.csv");
    for (const std::string& path : {tab, colons, csv}) {
      CAPTURE(path);
      const kd::Dataset data = kd::read_movielens(path);
      data.check();
      CHECK(data.matrix == kd::CsrMatrix({2, 2}, {0, 2, 3}, {0, 1, 1}, {3.0F, 1.0F, 3.5F}));
      CHECK(data.users.key(1) == "186");
      CHECK(data.times == std::vector<std::int64_t>{881250949, 881250000, 891717742});

      const kd::Dataset liked = kd::read_movielens(path, {.min_rating = 3.0F});
      CHECK(liked.matrix.nnz() == 2);
      CHECK(liked.load.dropped.at("below the minimum") == 1);

      const kd::Dataset opinions = kd::read_movielens(path, {.opinions = kd::RatingRule{.likes_from = 3.5F, .dislikes_to = 1.0F}});
      CHECK(opinions.matrix == kd::CsrMatrix({2, 1}, {0, 1, 2}, {0, 0}, {1.0F, -1.0F}));
      CHECK(opinions.users.key(0) == "186");
      CHECK(opinions.load.dropped.at("neither liked nor disliked") == 1);
    }
  }

  TEST_CASE("what it refuses") {
    const kd::test::TemporaryDirectory directory;
    const std::string words = directory.file("\n1 2 3 4\n");
    CHECK_THROWS_WITH_AS((void)kd::read_movielens(words),
                         (words + ", line 2: found '1 2 3 4'; expected four columns separated by tabs, '::' or commas").c_str(),
                         kd::ParseError);
    const std::string headless = directory.file("1,2,3,4\n");
    CHECK_THROWS_WITH_AS((void)kd::read_movielens(headless),
                         (headless + ", line 1: found the columns '1', '2', '3', '4'; expected a column 'userId'").c_str(), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_movielens(directory.file("1\t2\t3\n")), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_movielens(directory.file("1::2::3::now\n")), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_movielens(directory.file("")), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_movielens(directory.path("missing")), kd::IoError);
    CHECK_THROWS_AS((void)kd::read_movielens(words, {.min_rating = std::numeric_limits<float>::quiet_NaN()}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::read_movielens(words, {.min_rating = 3.0F, .opinions = kd::RatingRule{}}),
                         "min_rating is 3; it must be not set: `opinions` says what becomes of ratings", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::read_movielens(words, {.opinions = kd::RatingRule{.likes_from = 2.0F}}),
                         "opinions.likes_from is 2; it must be finite and above dislikes_to, which is 2", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::read_delimited(words, {.min_value = 1.0F, .ratings = kd::RatingRule{}}), kd::InvalidArgument);
  }

#if defined(__unix__) || defined(__APPLE__)
  TEST_CASE("a pipe is read as a file is, in all forms") {
    const kd::test::TemporaryDirectory directory;
    for (const std::string separator : {"\t", "::", ","}) {
      std::string text = separator == "," ? "userId,movieId,rating,timestamp\n" : "\n\n";
      for (int n = 0; n < 20'000; ++n)
        text += std::to_string(n / 10) + separator + std::to_string(n % 977) + separator + "4.5" + separator +
                std::to_string(900'000'000 + n) + "\n";
      const std::string path = directory.file(text);
      const kd::Dataset wanted = kd::read_movielens(path);
      for (const std::string name : {"-", "/dev/stdin"})
        CHECK(kd::test::run_in_child([&] {
                std::FILE* const pipe = popen(("cat " + path).c_str(), "r");
                if (pipe == nullptr || dup2(fileno(pipe), 0) != 0) return 2;
                const kd::Dataset read = kd::read_movielens(name);
                return read.matrix == wanted.matrix && read.load.bytes == wanted.load.bytes && read.load.lines == wanted.load.lines ? 0 : 1;
              }) == 0);
    }
  }
#endif
}
