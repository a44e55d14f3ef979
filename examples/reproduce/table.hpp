// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

namespace reproduce {

/// The metrics of one model over several splits.
struct Row {
  std::string name;
  std::vector<double> precision = {}, recall = {}, ndcg = {}, map = {}, coverage = {};
  std::vector<double> fit_seconds = {};  // empty: the table has no such column

  void add(const kindred::CutoffReport& report) {
    precision.push_back(report.precision.mean);
    recall.push_back(report.recall.mean);
    ndcg.push_back(report.ndcg.mean);
    map.push_back(report.map.mean);
    coverage.push_back(report.coverage);
  }
};

/// Mean and half of a 95 % t interval over splits. (The splits share data: the interval is about these splits, not about new listeners.)
inline void print(const Row& row) {
  std::string line = "| " + row.name + " |";
  for (const std::vector<double>* values : {&row.precision, &row.recall, &row.ndcg, &row.map, &row.coverage}) {
    const kindred::MeanAndError estimated = kindred::metrics::mean_and_error(*values);
    char text[48];
    // t(0.975) with 9 degrees of freedom, for ten splits; none for fewer.
    std::snprintf(text, sizeof(text), values->size() == 10 ? " %.4f ± %.4f |" : " %.4f |", estimated.mean,
                  2.262 * estimated.standard_error);
    line += text;
  }
  if (!row.fit_seconds.empty()) {
    char text[32];
    std::snprintf(text, sizeof(text), " %.2f |", kindred::metrics::mean_and_error(row.fit_seconds).mean);
    line += text;
  }
  std::puts(line.c_str());
}

inline void print_header(const char* cutoff, bool with_seconds = false) {
  std::printf("| Model | Precision@%s | Recall@%s | NDCG@%s | MAP@%s | Coverage |%s\n|---|---|---|---|---|---|%s\n", cutoff, cutoff, cutoff,
              cutoff, with_seconds ? " Fit, s |" : "", with_seconds ? "---|" : "");
}

/// True if the file is there; else says where to get it.
inline bool have(const std::string& file, const char* source) {
  if (std::filesystem::exists(file)) return true;
  std::fprintf(stderr, "%s is not there. %s\n", file.c_str(), source);
  return false;
}

inline bool have_hetrec(const std::string& folder) {
  return have(folder + "/user_artists.dat",
              "Get hetrec2011-lastfm-2k.zip from https://grouplens.org/datasets/hetrec-2011/ and name its folder.");
}

}  // namespace reproduce
