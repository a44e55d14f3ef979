// SPDX-License-Identifier: MIT
// Every public function that takes a path, as a call of one argument: good content for it, and what it answered as a text.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/io/write_csr_file.hpp>
#include <kindred/kindred.hpp>
#include <kindred/persistence/checkpoint.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/storage/csr_file.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/temporary_file.hpp"
#include "outcome.hpp"

namespace kindred_test {

/// A function that reads a path.
struct PathReader {
  std::string name;
  std::function<void(const std::string& path)> make;         ///< Writes a file that it reads.
  std::function<std::string(const std::string& path)> read;  ///< What it answered.
  bool maps = false;                                         ///< It refuses pipes.
};

/// A function that writes a path.
struct PathWriter {
  std::string name;
  std::function<void(const std::string& path)> write;
  std::function<std::string(const std::string& path)> read;  ///< The content of what it wrote.
  bool replaces = true;                                      ///< A file that was there; otherwise it is read, and refused.
};

[[nodiscard]] inline std::string data_text(const kindred::Dataset& data) {
  std::string text;
  put(text, data.matrix);
  for (kindred::Index u = 0; u < data.users.size(); ++u) put(text, std::string(data.users.key(u)));
  for (kindred::Index i = 0; i < data.items.size(); ++i) put(text, std::string(data.items.key(i)));
  put(text, data.item_names);
  put(text, data.times);
  put(text, data.load.rows);
  return text;
}

/// A small dataset with names; its text is large enough to come in several pieces.
[[nodiscard]] inline std::string plays_text() {
  std::string text;
  for (int n = 0; n < 4'000; ++n)
    text += "user" + std::to_string(n % 50) + "\titem" + std::to_string(n * 7 % 61) + "\t" + std::to_string(n % 9) + ".7\t" +
            std::to_string(1'200'000'000 + n) + "\n";
  return text;
}

[[nodiscard]] inline kindred::Dataset plays_data() {
  const kindred::test::TemporaryDirectory directory;
  return kindred::read_delimited(directory.file(plays_text()));
}

[[nodiscard]] inline kindred::ImplicitALS<float> small_model() {
  kindred::ImplicitALS<float> model({.factors = 16, .regularization = 0.1, .iterations = 2, .units = kindred::Units::paper});
  model.fit(plays_data().matrix);
  return model;
}

inline void write_text(const std::string& path, const std::string& text) {
  kindred::detail::AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

[[nodiscard]] inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

[[nodiscard]] inline std::string csr_text(const std::string& path) {
  const kindred::CsrFile file(path);
  file.verify();
  std::string text = text_of(file.shape());
  for (std::size_t b = 0; b < file.block_count(); ++b) put(text, file.block(b).rows);
  return text;
}

[[nodiscard]] inline std::string profiles_text(const kindred::ProfileTable& table) {
  std::string text;
  for (const kindred::UserProfile& profile : table.profiles)
    text += profile.gender + profile.country + std::to_string(profile.age.value_or(0)) + " ";
  return text;
}

[[nodiscard]] inline std::vector<PathReader> path_readers() {
  namespace kd = kindred;
  const auto text_reader = [](std::string name, std::string text, std::function<std::string(const std::string&)> read) {
    return PathReader{std::move(name), [text = std::move(text)](const std::string& path) { write_text(path, text); }, std::move(read)};
  };
  const auto repeated = [](const std::string& head, const std::function<std::string(int)>& line) {
    std::string text = head;
    for (int n = 0; n < 500; ++n) text += line(n);
    return text;
  };
  const auto number = [](int n) { return std::to_string(n); };
  const std::string sha(39, 'a');
  std::vector<PathReader> readers;
  readers.push_back(
      text_reader("read_delimited", plays_text(), [](const std::string& path) { return data_text(kd::read_delimited(path)); }));
  readers.push_back(text_reader(
      "read_movielens",
      repeated("userId,movieId,rating,timestamp\n", [&](int n) { return number(n / 9) + "," + number(n * 7 % 83) + ",3.5,1112486027\n"; }),
      [](const std::string& path) { return data_text(kd::read_movielens(path)); }));
  readers.push_back(
      text_reader("read_lastfm_360k",
                  repeated("", [&](int n) { return sha + number(n % 8) + "\tmbid" + number(n % 50) + "\tBand\t" + number(n) + "\n"; }),
                  [](const std::string& path) { return data_text(kd::read_lastfm_360k(path)); }));
  readers.push_back(
      text_reader("read_lastfm_360k_profiles",
                  repeated("", [&](int n) { return sha + number(n) + "\tf\t" + number(20 + n % 50) + "\tPeru\tSep 30, 2005\n"; }),
                  [](const std::string& path) { return profiles_text(kd::read_lastfm_360k_profiles(path)); }));
  readers.push_back(text_reader(
      "read_lastfm_1k_events",
      repeated("", [&](int n) { return "user_" + number(n % 9) + "\t2009-05-04T23:08:57Z\tmbid" + number(n % 40) + "\tBand\t\tTrack\n"; }),
      [](const std::string& path) { return data_text(kd::read_lastfm_1k_events(path)); }));
  readers.push_back(
      text_reader("read_lastfm_1k_profiles",
                  repeated("#id\tgender\tage\tcountry\tregistered\n", [&](int n) { return "user_" + number(n) + "\tm\t\tPeru\t\n"; }),
                  [](const std::string& path) { return profiles_text(kd::read_lastfm_1k_profiles(path)); }));
  readers.push_back(text_reader("read_dense_counts", repeated("", [&](int n) { return number(n) + ",0," + number(n % 3) + ",2.5\n"; }),
                                [](const std::string& path) { return data_text(kd::read_dense_counts(path)); }));
  readers.push_back(text_reader("read_hetrec2011_lastfm",
                                repeated("userID\tartistID\tweight\r\n",
                                         [&](int n) { return number(n / 9) + "\t" + number(n * 7 % 83) + "\t" + number(n + 1) + "\r\n"; }),
                                [](const std::string& path) { return data_text(kd::read_hetrec2011_lastfm(path)); }));
  readers.push_back(text_reader("read_audioscrobbler",
                                repeated("", [&](int n) { return number(n / 9) + " " + number(n * 7 % 83) + " " + number(n + 1) + "\n"; }),
                                [](const std::string& path) { return data_text(kd::read_audioscrobbler(path)); }));
  readers.push_back(text_reader("join_item_names", repeated("", [&](int n) { return "item" + number(n) + "\tName " + number(n) + "\n"; }),
                                [](const std::string& path) { return data_text(kd::join_item_names(plays_data(), path)); }));
  readers.push_back(text_reader("write_csr_file, its text", plays_text(), [](const std::string& path) {
    const kd::test::TemporaryDirectory directory;
    (void)kd::write_csr_file(path, directory.path("plays.csr"), {}, {.memory_limit = std::uint64_t{1} << 20});
    return csr_text(directory.path("plays.csr"));
  }));

  static const kd::ImplicitALS<float> model = small_model();
  readers.push_back({"load, ImplicitALS", [](const std::string& path) { kd::save(model, path); },
                     [](const std::string& path) { return text_of(kd::load<kd::ImplicitALS<float>>(path)); }});
  readers.push_back({"load, PopularityRecommender",
                     [](const std::string& path) {
                       kd::PopularityRecommender popular;
                       popular.fit(plays_data().matrix);
                       kd::save(popular, path);
                     },
                     [](const std::string& path) { return text_of(kd::load<kd::PopularityRecommender>(path).recommend(3)); }});
  static const kd::BlendedRecommender<float> blend = [] {
    kd::BlendedRecommender<float> fitted(kd::BlendedOptions{.factors = kindred_test::small_als()});
    fitted.fit(plays_data().matrix);
    return fitted;
  }();
  readers.push_back({"load, BlendedRecommender", [](const std::string& path) { kd::save(blend, path); },
                     [](const std::string& path) {
                       const auto loaded = kd::load<kd::BlendedRecommender<float>>(path);
                       return text_of(loaded.recommend(3), loaded.neighbours().recommend(3));
                     }});
  readers.push_back(
      {"load, Recommender", [](const std::string& path) { kd::save(kd::KeyedRecommender<float>(model, plays_data()), path); },
       [](const std::string& path) {
         std::string text;
         for (const auto& one :
              kd::load<kd::KeyedRecommender<float>>(path).recommend("user7", {.known = kd::KeyedOptions::KnownItems::included}).items)
           text += std::string(one.key) + " ";
         return text;
       }});
  readers.push_back({"load_mapped", [](const std::string& path) { kd::save(model, path); },
                     [](const std::string& path) {
                       const auto mapped = kd::load_mapped<kd::ImplicitALS<float>>(path);
                       mapped.verify();
                       return text_of(mapped.model);
                     },
                     true});
  readers.push_back({"CsrFile",
                     [](const std::string& path) {
                       kd::CsrFileWriter writer(path, {.memory_limit = std::uint64_t{1} << 20});
                       for (int n = 0; n < 500; ++n) writer.add(n % 40, n * 7 % 31, 1.5F);
                       writer.finish();
                     },
                     csr_text, true});
  return readers;
}

[[nodiscard]] inline std::vector<PathWriter> path_writers() {
  namespace kd = kindred;
  static const kd::ImplicitALS<float> model = small_model();
  std::vector<PathWriter> writers;
  const auto load_als = [](const std::string& path) { return text_of(kd::load<kd::ImplicitALS<float>>(path)); };
  writers.push_back({"save, ImplicitALS", [](const std::string& path) { kd::save(model, path); }, load_als});
  writers.push_back({"save, PopularityRecommender",
                     [](const std::string& path) {
                       kd::PopularityRecommender popular;
                       popular.fit(plays_data().matrix);
                       kd::save(popular, path);
                     },
                     [](const std::string& path) { return text_of(kd::load<kd::PopularityRecommender>(path).recommend(3)); }});
  writers.push_back({"save, Recommender", [](const std::string& path) { kd::save(kd::KeyedRecommender<float>(model, plays_data()), path); },
                     [](const std::string& path) {
                       return std::string(kd::load<kd::KeyedRecommender<float>>(path)
                                              .recommend("user7", {.known = kd::KeyedOptions::KnownItems::included})
                                              .items.at(0)
                                              .key);
                     }});
  writers.push_back({"fit_with_checkpoints",
                     [](const std::string& path) {
                       kd::ImplicitALS<float> fitted(model.options());
                       (void)kd::fit_with_checkpoints(fitted, plays_data().matrix.view(), path);
                     },
                     [](const std::string& path) {
                       kd::detail::TensorReader reader(kd::detail::ByteStore::of_file(path));
                       return text_of(reader.factors<float>("item_factors", kd::detail::TensorReader::Place::copied));
                     },
                     false});
  writers.push_back({"CsrFileWriter",
                     [](const std::string& path) {
                       kd::CsrFileWriter writer(path, {.memory_limit = std::uint64_t{1} << 20});
                       for (int n = 0; n < 50'000; ++n) writer.add(n % 40, n * 7 % 31, 1.5F);
                       writer.finish();
                     },
                     csr_text});
  writers.push_back({"write_csr_file",
                     [](const std::string& path) {
                       const kd::test::TemporaryDirectory directory;
                       (void)kd::write_csr_file(directory.file(plays_text()), path, {}, {.memory_limit = std::uint64_t{1} << 20});
                     },
                     csr_text});
  return writers;
}

}  // namespace kindred_test
