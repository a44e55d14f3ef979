// SPDX-License-Identifier: MIT
// The lesson: lists for everybody, written as they come, in the order of the users and in memory that does not grow with their number.
//
//   serve_many [<users> [<file>]]   user, rank, item and score, tab-separated, to the file or to standard output
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>

#include <kindred/kindred.hpp>

namespace kd = kindred;

int main(int argc, char** argv) try {
  const kd::Dataset plays = kd::synthetic_listening({.users = argc > 1 ? static_cast<kd::Index>(std::stoi(argv[1])) : 2'000});
  kd::ImplicitALS<float> als(kd::AlsOptions::recommended());
  als.fit(plays.matrix);

  std::ofstream file;
  if (argc > 2) file.open(argv[2]);
  std::ostream& out = argc > 2 ? file : std::cout;
  als.recommend_all(kd::every_user, {.count = 10, .exclude = plays.matrix}, [&](kd::Index user, std::span<const kd::Scored> list) {
    int rank = 0;
    for (const kd::Scored& one : list)
      out << plays.users.key(user) << '\t' << ++rank << '\t' << plays.items.key(one.item) << '\t' << one.score << '\n';
  });
  out.flush();
  if (!out) throw std::runtime_error("cannot write the lists");
} catch (const std::exception& error) {
  std::fprintf(stderr, "serve_many: %s\n", error.what());
  return 1;
}
