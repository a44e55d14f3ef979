// SPDX-License-Identifier: MIT
#include "map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "charts.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

struct Box {
  double left, right, bottom, top;
  [[nodiscard]] bool meets(const Box& o) const { return left < o.right && o.left < right && bottom < o.top && o.bottom < top; }
};

/// Pixels that a label takes at 13 px, rather too many: fonts differ.
double width_of(const std::string& text) {
  double width = 6.0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;
    width += byte >= 0xE3U ? 15.0 : (c >= 'A' && c <= 'Z') ? 10.5 : 8.6;
  }
  return width;
}

/// Half the place in the order, half the value itself: artists keep their sides, and crowds get more room.
std::vector<double> eased(const ordered_json& artists, const char* axis) {
  std::vector<double> values;
  for (const auto& artist : artists) values.push_back(artist.at(axis));
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  const double low = values[order.front()], high = values[order.back()];
  std::vector<double> places(values.size());
  for (std::size_t n = 0; n < order.size(); ++n) {
    const double rank = (static_cast<double>(n) + 0.5) / static_cast<double>(order.size());
    const double value = high > low ? (values[order[n]] - low) / (high - low) : 0.5;
    places[order[n]] = 0.5 * rank + 0.5 * value;
  }
  return places;
}

/// Dots everywhere, and names of as many artists as fit without touching each other, the most popular first.
Drawing draw(const ordered_json& artists, int width, int height, std::vector<std::string>& labels) {
  const std::vector<double> xs = eased(artists, "x"), ys = eased(artists, "y");
  const double w = width, h = height, most = artists.front().at("listeners");
  Drawing drawing{width, height};
  std::vector<Box> taken;
  for (std::size_t n = 0; n < artists.size(); ++n) {
    const double x = 10.0 + xs[n] * (w - 20.0), y = 10.0 + ys[n] * (h - 20.0);
    const double size = (w > 400.0 ? 1.0 : 0.7) * (0.4 + 0.6 * std::sqrt(artists[n].at("listeners").get<double>() / most));
    const std::string text = shortened(artists[n].at("name").get<std::string>(), 22);
    const double half = 0.5 * width_of(text);
    std::optional<Box> place;
    for (const double above : {12.0, -12.0}) {
      const Box box{x - half, x + half, y + above - 8.0, y + above + 8.0};
      if (box.left < 0.0 || box.right > w || box.bottom < 0.0 || box.top > h) continue;
      if (std::any_of(taken.begin(), taken.end(), [&](const Box& other) { return box.meets(other); })) continue;
      place = box;
      break;
    }
    if (place) taken.push_back(*place);
    drawing.data +=
        data_row({fixed(x / w, 4), fixed(y / h, 4), std::to_string(artists[n].at("group").get<int>()), fixed(size, 2),
                  place ? label(labels, text) : "0", fixed(x / w, 4), fixed(place ? 0.5 * (place->bottom + place->top) / h : 0.0, 4)});
  }
  return drawing;
}

/// The three best-known artists of each group.
std::string groups_html(const ordered_json& artists) {
  constexpr std::array<const char*, 7> colours = {"grey", "blue", "purple", "green", "orange", "olive", "pink"};
  std::string html = "<ul>\n";
  for (std::size_t group = 1; group < colours.size(); ++group) {
    std::string members;
    std::size_t n = 0;
    for (const auto& artist : artists)
      if (artist.at("group").get<std::size_t>() == group && n++ < 4)
        members += (members.empty() ? "" : ", ") + name(artist.at("name").get<std::string>());
    if (n > 0)
      html += "<li><span style=\"color:var(--c" + std::to_string(group) + ")\">●</span> " + colours[group] + ", " + std::to_string(n) +
              " artists: " + members + " …</li>\n";
  }
  return html + "</ul>\n";
}

}  // namespace

void artist_map(Page& page, const ordered_json& map, const Table& table) {
  const auto& artists = map.at("artists");
  page.heading("A map of the most popular artists");
  page.p("The " + std::to_string(artists.size()) +
         " artists with the most listeners, laid out by the two directions in which their vectors differ most (principal components of "
         "vectors of length one). "
         "Colours are six groups of artists with similar vectors, which the program found by itself:");
  page.raw(groups_html(artists));
  Figure figure{.id = "artist-map",
                .script = "map",
                .title = "Artists near each other tend to share listeners; larger dots have more of them",
                .alt = {},
                .labels = {},
                .drawings = {},
                .table = table};
  figure.alt = "A map of dots, one an artist, with the names of the best-known; artists of the same kind of music lie close together";
  for (const auto& [width, height] : {std::pair(720, 620), std::pair(350, 460)})
    figure.drawings.push_back(draw(artists, width, height, figure.labels));
  figure.table = table;
  page.raw(figure_html(figure));
  page.note(
      "A map in two dimensions cannot show all that the vectors hold: the two directions make up " +
      fixed(100.0 * map.at("variance_share").get<double>(), 0) +
      " % of their differences. Distances are stretched where artists crowd. Only names that have room are written; all are in the table.");
}

}  // namespace study
