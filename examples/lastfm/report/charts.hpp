// SPDX-License-Identifier: MIT
// The kinds of figures that the page has more than one of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "figures.hpp"

namespace study {

/// Colours of the page by their role.
enum Colour { grey = 0, blue = 1, purple = 2, green = 3, vermilion = 4, olive = 5, pink = 6 };

struct Bar {
  std::string label;
  double value = 0.0;
  double error = 0.0;  // drawn as value +- error where above 0
  std::string text;    // behind the bar
  Colour colour = blue;
};

/// A figure's words and the table behind it.
struct Words {
  std::string id;
  std::string title;
  std::string alt;
  Table table;
};

[[nodiscard]] std::string bars(const Words& words, const std::vector<Bar>& bars);

struct Line {
  std::string label;
  std::vector<double> values;  // one for each tick
  Colour colour = blue;
};

/// Lines over the same places, their names at their ends. `ticks`: what the places are called; `places`: where they are.
[[nodiscard]] std::string lines(const Words& words, const std::vector<Line>& lines, const std::vector<double>& places,
                                const std::vector<std::string>& ticks, const std::string& x_label, const std::string& y_label,
                                bool percent);

struct Dot {
  double x = 0.0;
  double y = 0.0;
  double error = 0.0;
  Colour colour = grey;
  std::string text = {};
  int above = 1;  // where the text stands: 1 above the dot, -1 below
};

/// Dots with error bars at the levels of one option; `log`: the levels are far apart.
[[nodiscard]] std::string panel(const Words& words, const std::vector<Dot>& dots, const std::string& x_label, const std::string& y_label,
                                bool log);

/// Dots anywhere in the plane.
[[nodiscard]] std::string scatter(const Words& words, const std::vector<Dot>& dots, const std::string& x_label, const std::string& y_label);

/// One quantity over 1, 2, 3 ...
[[nodiscard]] std::string curve(const Words& words, const std::vector<double>& values, const std::string& x_label,
                                const std::string& y_label, Colour colour);

/// Counts in bins that double: rows of low, high, count as they stand in `words.table`.
[[nodiscard]] std::string histogram(const Words& words, const std::string& x_label, const std::string& y_label);

/// The colour of a model in all figures.
[[nodiscard]] Colour model_colour(const std::string& model);
/// A model's name where there is little room.
[[nodiscard]] std::string short_name(const std::string& model);

/// Moves `places` (any order) apart until neighbours are `gap` apart, as little as it takes, within [low, high] if there is room.
[[nodiscard]] std::vector<double> spread(const std::vector<double>& places, double gap, double low, double high);

}  // namespace study
