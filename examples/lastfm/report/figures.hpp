// SPDX-License-Identifier: MIT
// Figures: a gnuplot script of this folder, its data, and the table that says the same in numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "html.hpp"

namespace study {

/// How a figure is drawn once, for one width of the page.
struct Drawing {
  int width = 350;
  int height = 260;
  std::string settings = {};  // lines of gnuplot before the data
  std::string data = {};      // rows of the data block $data
  std::string ends = {};      // rows of $ends, for scripts that have one
};

struct Figure {
  std::string id;
  std::string script;               // "bars" stands for bars.gp
  std::string title;                // plain text, says what there is to see
  std::string alt;                  // plain text for those who do not see it
  std::vector<std::string> labels;  // plain text that stands where a drawing says @0@, @1@ ...: names never pass through gnuplot
  std::vector<Drawing> drawings;    // one for any width, or a wide and a narrow one
  Table table;
  bool names = false;  // whether the first column of the table is of names in the data
};

/// "@3@": adds a label to those of a figure.
[[nodiscard]] std::string label(std::vector<std::string>& labels, std::string_view text);

/// A row of a gnuplot data block.
[[nodiscard]] std::string data_row(const std::vector<std::string>& fields);

/// The figure as HTML: drawings, if gnuplot is there, and the table.
[[nodiscard]] std::string figure_html(const Figure& figure);

/// What the page has to say about figures that could not be drawn; empty if all is well.
[[nodiscard]] std::string missing_figures_html();

}  // namespace study
