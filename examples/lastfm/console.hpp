// SPDX-License-Identifier: MIT
// How the study talks: sections, tables, histograms and a progress bar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/progress.hpp>
#include <kindred/data/statistics.hpp>

namespace study {

/// "1,234,567".
[[nodiscard]] std::string grouped(double number);
/// Fixed number of digits after the point.
[[nodiscard]] std::string fixed(double number, int digits);
/// For people: at most one digit after the point, "77.5", "924", "1,234".
[[nodiscard]] std::string about(double number);
/// The shortest text that reads back as the number.
[[nodiscard]] std::string shortest(double number);
/// "1.5 MB".
[[nodiscard]] std::string bytes_text(double bytes);

class Console {
 public:
  explicit Console(bool quiet) : quiet_(quiet) {}

  void section(std::string_view title) const;
  void line(std::string_view text = "") const;
  /// Columns as wide as they need to be; the first is left-aligned, the others right-aligned. rows[0] is the header.
  void table(const std::vector<std::vector<std::string>>& rows) const;
  void histogram(std::string_view title, const std::vector<double>& values) const;

  /// A callback that draws a bar on the standard error once the work has taken a second; nothing where that is no terminal.
  [[nodiscard]] kindred::ProgressCallback progress(std::string label) const;

 private:
  bool quiet_;
};

}  // namespace study
