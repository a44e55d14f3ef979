// SPDX-License-Identifier: MIT
// What the comparisons share: files of public data, one table for published and measured rows.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>

#include <kindred/kindred.hpp>

#include "../lastfm/stopwatch.hpp"

namespace compare {

/// A row of a table. Published rows have no errors and no seconds.
struct Row {
  std::string model;
  std::vector<kindred::MeanAndError> values;
  double fit_seconds = -1.0;
  double list_seconds = -1.0;
  std::string settings;  // or the source of a published row
};

inline void print(const std::vector<std::string>& metrics, const std::vector<Row>& rows) {
  std::string line = "| Model |", below = "|---|";
  for (const std::string& metric : metrics) line += " " + metric + " |", below += "---|";
  std::printf("%s Fit, s | Lists, s | Settings or source |\n%s---|---|---|\n", line.c_str(), below.c_str());
  for (const Row& row : rows) {
    std::printf("| %s |", row.model.c_str());
    for (const kindred::MeanAndError& value : row.values)
      if (value.standard_error > 0.0)
        std::printf(" %.4f (%.4f) |", value.mean, value.standard_error);
      else
        std::printf(" %.4f |", value.mean);
    for (const double seconds : {row.fit_seconds, row.list_seconds})
      if (seconds >= 0.0)
        std::printf(" %.2f |", seconds);
      else
        std::printf(" |");
    std::printf(" %s |\n", row.settings.c_str());
  }
  std::fflush(stdout);
}

[[nodiscard]] inline Row published(std::string model, std::vector<double> values, std::string source) {
  Row row{std::move(model), {}, -1.0, -1.0, std::move(source)};
  for (const double value : values) row.values.push_back({value, 0.0, 0});
  return row;
}

/// The folder of data: the first argument, or KINDRED_DATA_DIR.
[[nodiscard]] inline std::string data_folder(int argc, char** argv) {
  if (argc > 1) return argv[1];
  const char* const given = std::getenv("KINDRED_DATA_DIR");
  return given != nullptr ? given : "";
}

/// Whether rows whose settings are searched belong in the table: not with `defaults` after the folder, which takes seconds instead of minutes.
[[nodiscard]] inline bool searches(int argc, char** argv) { return argc < 3 || std::string_view(argv[2]) != "defaults"; }

/// `folder`/`name`, or says where to get it and ends.
[[nodiscard]] inline std::string file_of(const std::string& folder, const std::string& name, const char* source) {
  std::string path = folder + "/" + name;
  if (!folder.empty() && std::filesystem::exists(path)) return path;
  std::fprintf(stderr, "%s is not there. %s Then name the folder of data, or set KINDRED_DATA_DIR.\n", name.c_str(), source);
  std::exit(1);
}

/// The text of a file, compressed or not.
[[nodiscard]] inline std::string text_of(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw kindred::IoError(path, "open", errno);
  std::string text;
  char buffer[1 << 16];
  int got = 0;
  while ((got = gzread(file.get(), buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
  if (got < 0) throw kindred::IoError(path, "read", EIO);
  return text;
}

/// The settings of a model in a few words.
[[nodiscard]] inline std::string words(const kindred::AlsOptions& o) {
  char text[200];
  std::snprintf(text, sizeof(text), "%zu factors, penalty %.3g, ratio %.3g, item exponent %.2g, damping %.2g, %zu iterations", *o.factors,
                *o.regularization, *o.background.ratio, *o.background.item_exponent, *o.confidence.popularity_damping, *o.iterations);
  return text;
}

[[nodiscard]] inline std::string words(const kindred::BlendedOptions& o) {
  char text[100];
  std::snprintf(text, sizeof(text), ", weight %.2g, popularity %.2g", o.weight, o.neighbours.popularity);
  return words(o.factors) + text;
}

/// Fits a model and measures its lists of `test`.
template <typename Model, typename Measure, typename... Options>
[[nodiscard]] Row measured(const std::string& name, Model& model, const kindred::CsrView& train, const Measure& measure,
                           std::string settings, const Options&... options) {
  const study::Stopwatch fitting;
  (void)model.fit(train, options...);
  Row row{name, {}, fitting.seconds(), -1.0, std::move(settings)};
  const study::Stopwatch listing;
  row.values = measure(model);
  row.list_seconds = listing.seconds();
  std::fprintf(stderr, "%s: %.4f, %.4f\n", name.c_str(), row.values[0].mean, row.values[1].mean);
  return row;
}

}  // namespace compare
