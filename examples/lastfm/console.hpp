// SPDX-License-Identifier: MIT
// How the study talks: sections, tables, histograms and a progress bar.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/progress.hpp>
#include <kindred/data/statistics.hpp>

namespace study {

/// "1,234,567".
[[nodiscard]] std::string grouped(double number);
/// Fixed number of digits after the point.
[[nodiscard]] std::string fixed(double number, int digits);
/// Three significant digits, "0.00123".
[[nodiscard]] std::string significant(double number);
/// For people: at most one digit after the point, "77.5", "924", "1,234".
[[nodiscard]] std::string about(double number);
/// The shortest text that reads back as the number.
[[nodiscard]] std::string shortest(double number);
/// "1.5 MB".
[[nodiscard]] std::string bytes_text(double bytes);

/// One cell of a table: what people see, and what a program reads in the TSV file of the same table.
struct Cell {
  Cell(std::string text) : shown(text), plain(std::move(text)) {}
  Cell(const char* text) : Cell(std::string(text)) {}
  Cell(std::string for_people, std::string for_programs) : shown(std::move(for_people)), plain(std::move(for_programs)) {}

  std::string shown;
  std::string plain;
};

/// Rows of cells; the first one is the header.
using Table = std::vector<std::vector<Cell>>;

/// "1,234,567", and 1234567 for programs.
[[nodiscard]] Cell count_cell(double number);
/// A fixed number of digits after the point, and all of them for programs.
[[nodiscard]] Cell number_cell(double number, int digits);
/// A share in [0, 1] as "12.3 %", and 0.123 for programs.
[[nodiscard]] Cell share_cell(double share);

class Console {
 public:
  explicit Console(bool quiet);

  void section(std::string_view title) const;
  void line(std::string_view text = "") const;
  /// Columns as wide as they need to be; the first is left-aligned, the others right-aligned.
  void table(const Table& rows) const;
  void histogram(std::string_view title, const std::vector<double>& values) const;

  /// The progress callback of the study. It draws a bar with rate and remaining time on the standard error once the work has taken a second (nothing
  /// where that is no terminal), and answers `on_interrupt` after Ctrl-C. `amount` puts into words how much is done.
  [[nodiscard]] kindred::ProgressCallback progress(std::string label, std::string (*amount)(double) = grouped,
                                                   kindred::ProgressAnswer on_interrupt = kindred::ProgressAnswer::stop_and_keep) const;
  /// The same for work of which a part is worth nothing: Ctrl-C cancels it.
  [[nodiscard]] kindred::ProgressCallback whole(std::string label, std::string (*amount)(double) = grouped) const {
    return progress(std::move(label), amount, kindred::ProgressAnswer::cancel);
  }

 private:
  bool quiet_;
  bool colour_;  // of headings: on a terminal, unless NO_COLOR says no (https://no-color.org)
};

}  // namespace study
