// SPDX-License-Identifier: MIT
#include "charts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace study {

namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = (std::min)(low, value);
    high = (std::max)(high, value);
  }
  /// Some room on both sides, also where all values are the same.
  [[nodiscard]] Range padded(double share) const {
    const double room = high > low ? share * (high - low) : (std::max)(std::abs(high), 1e-3) * share;
    return {low - room, high + room};
  }
};

std::string set(const std::string& variable, double value) { return variable + " = " + shortest(value) + "\n"; }
std::string set(const std::string& variable, const std::string& text) { return variable + " = '" + text + "'\n"; }
std::string axes(const std::string& x_label, const std::string& y_label) { return set("XLAB", x_label) + set("YLAB", y_label); }

/// A round number between ticks, so that at most five of them stand side by side.
double step_of(const Range& x) {
  const double least = (x.high - x.low) / 4.0, power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double round : {1.0, 2.0, 5.0})
    if (round * power >= least) return round * power;
  return 10.0 * power;
}

/// As many digits as tell the ticks apart.
std::string format_of(const Range& y) {
  const double length = y.high - y.low;
  return length >= 1000.0  ? "%.1s%c"
         : length >= 10.0  ? "%.0f"
         : length >= 1.0   ? "%.1f"
         : length >= 0.1   ? "%.2f"
         : length >= 0.005 ? "%.3f"
                           : "%.4f";
}

std::string dots_data(const std::vector<Dot>& dots, std::vector<std::string>& labels) {
  std::string data;
  for (const Dot& dot : dots)
    data += data_row({shortest(dot.x), shortest(dot.y), shortest(dot.error), std::to_string(dot.colour), label(labels, dot.text),
                      std::to_string(dot.above)});
  return data;
}

Range y_range(const std::vector<Dot>& dots) {
  Range y;
  for (const Dot& dot : dots) {
    y.add(dot.y - dot.error);
    y.add(dot.y + dot.error);
  }
  return y.padded(0.15);
}

}  // namespace

Colour model_colour(const std::string& model) {
  if (model.starts_with("popularity")) return grey;
  return model == "study"            ? blue
         : model == "as run"         ? purple
         : model == "best of search" ? green
         : model == "defaults"       ? vermilion
         : model == "tuned"          ? pink
                                     : olive;
}

std::string short_name(const std::string& model) {
  if (model == "popularity (plays, nothing excluded)") return "popular, all";
  if (model == "popularity (plays)") return "popular, plays";
  if (model == "popularity (listeners)") return "popular, listeners";
  return model;
}

std::vector<double> spread(const std::vector<double>& places, double gap, double low, double high) {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  std::vector<double> moved = places;
  for (int round = 0; round < 200; ++round)
    for (std::size_t n = 1; n < order.size(); ++n) {
      double &below = moved[order[n - 1]], &above = moved[order[n]];
      if (const double lacking = gap - (above - below); lacking > 0.0) {
        below -= 0.5 * lacking;
        above += 0.5 * lacking;
      }
      for (double* end : {&moved[order.front()], &moved[order.back()]}) *end = (std::min)((std::max)(*end, low), high);
    }
  for (std::size_t n = 1; n < order.size(); ++n) moved[order[n]] = (std::max)(moved[order[n]], moved[order[n - 1]] + gap);
  return moved;
}

std::string bars(const Words& words, const std::vector<Bar>& bars) {
  Figure figure{
      .id = words.id, .script = "bars", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  double longest = 0.0;
  std::size_t characters = 0;
  std::string data;
  for (const Bar& bar : bars) {
    longest = (std::max)(longest, bar.value + bar.error);
    characters = (std::max)(characters, bar.text.size());
    data += data_row({label(figure.labels, bar.label), shortest(bar.value), shortest(bar.value - bar.error),
                      shortest(bar.value + bar.error), label(figure.labels, bar.text), std::to_string(bar.colour)});
  }
  const std::string settings = set("MAX", longest > 0.0 ? longest : 1.0) + set("ROOM", 8.5 * static_cast<double>(characters) + 20.0) +
                               set("ROWS", static_cast<double>(bars.size()));
  const int height = 42 * static_cast<int>(bars.size()) + 4;
  figure.drawings = {{720, height, settings, data}, {350, height, settings, data}};
  return figure_html(figure);
}

std::string lines(const Words& words, const std::vector<Line>& lines, const std::vector<double>& places,
                  const std::vector<std::string>& ticks, const std::string& x_label, const std::string& y_label, bool percent) {
  Figure figure{
      .id = words.id, .script = "lines", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  double highest = 0.0;
  std::string data, colours, tic_text;
  std::vector<double> ends;
  std::size_t thick = 0;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    for (std::size_t x = 0; x < places.size(); ++x) {
      data += data_row({shortest(places[x]), shortest(lines[n].values[x])});
      highest = (std::max)(highest, lines[n].values[x]);
    }
    data += "\n\n";
    colours += " " + std::to_string(lines[n].colour);
    ends.push_back(lines[n].values.back());
    if (lines[n].colour == vermilion) thick = n;
  }
  highest = highest > 0.0 ? 1.08 * highest : 1.0;
  const std::size_t step = ticks.size() > 6 ? 3 : 1;  // no room for more on a phone
  for (std::size_t x = 0; x < ticks.size(); x += step) tic_text += (x == 0 ? "\"" : ", \"") + ticks[x] + "\" " + shortest(places[x]);
  std::size_t longest = 0;
  for (const Line& line : lines) longest = (std::max)(longest, line.label.size());
  for (const auto& [width, height] : {std::pair(720, 380), std::pair(350, 340)}) {
    const double plot_height = height - 76.0;
    const std::vector<double> at = spread(ends, 16.0 / plot_height * highest, 0.0, highest);
    Drawing drawing{width, height, axes(x_label, y_label), data};
    drawing.settings += set("ROOM", 8.2 * static_cast<double>(longest) + 14.0) + set("LOW", places.front()) + set("HIGH", places.back()) +
                        set("YHIGH", highest) + set("LINES", static_cast<double>(lines.size())) + set("COLORS", colours) +
                        set("THICK", static_cast<double>(thick)) + set("TICS", tic_text) + set("FORMAT", percent ? "%.0f %%" : "%.2f");
    for (std::size_t n = 0; n < lines.size(); ++n)
      drawing.ends +=
          data_row({shortest(places.back()), shortest(at[n]), label(figure.labels, lines[n].label), std::to_string(lines[n].colour)});
    figure.drawings.push_back(std::move(drawing));
  }
  return figure_html(figure);
}

std::string panel(const Words& words, const std::vector<Dot>& dots, const std::string& x_label, const std::string& y_label, bool log) {
  Figure figure{
      .id = words.id, .script = "panel", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  std::vector<double> levels;
  for (const Dot& dot : dots) levels.push_back(dot.x);
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  std::string tics;
  for (const double level : levels) tics += (tics.empty() ? "" : ", ") + shortest(level);
  const double room = levels.back() > levels.front() ? 0.12 * (levels.back() - levels.front()) : (std::max)(levels.front(), 1.0) * 0.5;
  const double factor = std::pow(levels.back() / levels.front(), 0.12) * 1.05;
  const Range y = y_range(dots);
  const std::string data = dots_data(dots, figure.labels);
  figure.drawings = {{350, 260,
                      axes(x_label, y_label) + set("TICS", tics) + set("LOG", log ? 1.0 : 0.0) +
                          set("LOW", log ? levels.front() / factor : levels.front() - room) +
                          set("HIGH", log ? levels.back() * factor : levels.back() + room) + set("YLOW", y.low) + set("YHIGH", y.high) +
                          set("FORMAT", format_of(y)),
                      data}};
  return figure_html(figure);
}

std::string scatter(const Words& words, const std::vector<Dot>& dots, const std::string& x_label, const std::string& y_label) {
  Figure figure{
      .id = words.id, .script = "scatter", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  Range x;
  for (const Dot& dot : dots) x.add(dot.x);
  x = x.padded(0.18);
  const Range y = y_range(dots);
  const std::string data = dots_data(dots, figure.labels);
  const std::string settings = axes(x_label, y_label) + set("LOW", x.low) + set("HIGH", x.high) + set("STEP", step_of(x)) +
                               set("YLOW", y.low) + set("YHIGH", y.high) + set("FORMAT", format_of(y));
  figure.drawings = {{720, 340, settings, data}, {350, 300, settings, data}};
  return figure_html(figure);
}

std::string curve(const Words& words, const std::vector<double>& values, const std::string& x_label, const std::string& y_label,
                  Colour colour) {
  Figure figure{
      .id = words.id, .script = "curve", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  Range y;
  std::string data;
  for (std::size_t n = 0; n < values.size(); ++n) {
    y.add(values[n]);
    data += data_row({std::to_string(n + 1), shortest(values[n])});
  }
  y = y.padded(0.12);
  figure.drawings = {{350, 260,
                      axes(x_label, y_label) + set("YLOW", y.low) + set("YHIGH", y.high) + set("C", static_cast<double>(colour)) +
                          set("FORMAT", format_of(y)),
                      data}};
  return figure_html(figure);
}

std::string histogram(const Words& words, const std::string& x_label, const std::string& y_label) {
  Figure figure{
      .id = words.id, .script = "histogram", .title = words.title, .alt = words.alt, .labels = {}, .drawings = {}, .table = words.table};
  std::string data;
  for (std::size_t r = 1; r < words.table.size(); ++r)
    if (words.table[r][2].plain != "0") data += data_row({words.table[r][0].plain, words.table[r][1].plain, words.table[r][2].plain});
  figure.drawings = {{350, 260, axes(x_label, y_label), data}};
  return figure_html(figure);
}

}  // namespace study
