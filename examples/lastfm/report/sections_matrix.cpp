// SPDX-License-Identifier: MIT
#include "charts.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

std::string cell(const std::string& text, const std::string& css_class = "") {
  return "<td" + (css_class.empty() ? "" : " class=\"" + css_class + "\"") + ">" + text + "</td>";
}

std::string cells_table(const std::string& caption, const std::string& rows) {
  return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + caption + "\"><table class=\"cells\"><caption>" + caption +
         "</caption>\n" + rows + "</table></div>\n";
}

std::string header_row(const ordered_json& names) {
  std::string row = "<tr><td></td>";
  for (const auto& text : names) row += "<th scope=\"col\">" + name(shortened(text.get<std::string>(), 24)) + "</th>";
  return row + "</tr>\n";
}

std::string row_name(const ordered_json& text) { return "<th scope=\"row\">" + name(shortened(text.get<std::string>(), 18)) + "</th>"; }

std::string array_row(const std::string& title, const ordered_json& values) {
  std::string row = "<tr><th scope=\"row\">" + title + "</th>";
  for (const auto& value : values) row += cell(shortest(value.get<double>()));
  return row + "</tr>\n";
}

/// Plays of user `u` and artist `i` in the corner, 0 where there are none.
double plays_at(const ordered_json& corner, std::size_t u, std::size_t i) {
  for (std::size_t n = corner["offsets"][u]; n < corner["offsets"][u + 1].get<std::size_t>(); ++n)
    if (corner["columns"][n].get<std::size_t>() == i) return corner["values"][n];
  return 0.0;
}

void stored(Page& page, const ordered_json& corner) {
  page.heading("A corner of it, and how it is stored");
  std::string rows = header_row(corner["artists"]);
  for (std::size_t u = 0; u < corner["users"].size(); ++u) {
    rows += "<tr>" + row_name(corner["users"][u]);
    for (std::size_t i = 0; i < corner["artists"].size(); ++i) {
      const double plays = plays_at(corner, u, i);
      rows += plays > 0.0 ? cell(grouped(plays), "played") : cell("·", "empty");
    }
    rows += "</tr>\n";
  }
  page.p("Here are " + std::to_string(corner["users"].size()) +
         " listeners of the data and the most popular artists, with the plays that the models are shown.");
  page.raw(cells_table("Plays; a dot is a pair that nothing is known of", rows));
  page.p(
      "In memory nothing is spent on the dots. The rows stand one after the other in three arrays (compressed sparse rows, CSR): "
      "<em>columns</em> says which "
      "artist, <em>values</em> how many plays, and <em>offsets</em> where each listener's row begins and ends.");
  page.raw("<div id=\"csr\">" +
           cells_table("The same corner as CSR arrays", array_row("offsets", corner["offsets"]) + array_row("columns", corner["columns"]) +
                                                            array_row("values", corner.value("values", ordered_json::array()))) +
           "</div>\n");
}

std::string factor_rows(const ordered_json& names, const ordered_json& factors) {
  std::string rows = "<tr><td></td><th scope=\"col\">1</th><th scope=\"col\">2</th><th scope=\"col\">3</th></tr>\n";
  for (std::size_t r = 0; r < names.size(); ++r) {
    rows += "<tr>" + row_name(names[r]);
    for (const auto& value : factors[r]) rows += cell(fixed(value, 2));
    rows += "</tr>\n";
  }
  return rows;
}

void factored(Page& page, const ordered_json& corner) {
  page.heading("The same corner as factors");
  page.p(
      "A factor model gives every listener and every artist a few numbers, the <em>factors</em>, and scores a pair by multiplying them one "
      "by one and adding up: users × "
      "factors times factors × items. This is a real model of this data with just three factors; those compared below have up to "
      "a hundred or more.");
  page.raw("<div id=\"factors\" class=\"pair\">" + cells_table("Users × factors", factor_rows(corner["users"], corner["user_factors"])) +
           cells_table("Items × factors", factor_rows(corner["artists"], corner["item_factors"])) + "</div>\n");
  std::string rows = header_row(corner["artists"]);
  for (std::size_t u = 0; u < corner["users"].size(); ++u) {
    rows += "<tr>" + row_name(corner["users"][u]);
    for (std::size_t i = 0; i < corner["artists"].size(); ++i)
      rows += cell(fixed(corner["scores"][u][i], 2), plays_at(corner, u, i) > 0.0 ? "played" : "");
    rows += "</tr>\n";
  }
  page.raw(cells_table("Their product: a score for every pair, also those that nothing is known of (played ones are framed)", rows));
  std::string sum;
  for (std::size_t f = 0; f < corner["user_factors"][0].size(); ++f)
    sum += (f == 0 ? "" : " + ") + ("(" + fixed(corner["user_factors"][0][f], 2)) + " × " + fixed(corner["item_factors"][0][f], 2) + ")";
  page.note("For example " + name(shortened(corner["users"][0].get<std::string>(), 30)) + " and " +
            name(shortened(corner["artists"][0].get<std::string>(), 40)) + ": " + sum + " = " + fixed(corner["scores"][0][0], 2) +
            ", up to rounding. Recommending is looking for the highest scores among the pairs without a frame.");
}

}  // namespace

void matrix_section(Page& page, const Results& results) {
  const auto& data = results.json.at("dataset");
  if (!data.contains("density")) return;
  page.section("matrix", "The matrix");
  const double empty = 1.0 - data.at("density").get<double>();
  page.p("Write the listeners below each other and the artists beside each other, and every pair is a cell: " + grouped(data.at("users")) +
         " × " + grouped(data.at("items")) + " of them, of which " + percent_text(empty, 2) + " are empty. As a full table it would take " +
         bytes_text(data.at("dense_bytes")) + "; stored as below it takes " + bytes_text(data.at("csr_bytes")) + ".");
  if (const auto found = results.json.find("sparsity"); found != results.json.end()) {
    const Table dots = table_of(results, "sparsity");
    Figure figure{.id = "sparsity",
                  .script = "sparsity",
                  .title = "Where the matrix holds anything",
                  .alt = {},
                  .labels = {},
                  .drawings = {},
                  .table = {}};
    figure.alt = "A rectangle of dots, one for each interaction between " + grouped(found->at("users")) + " listeners and " +
                 grouped(found->at("items")) + " artists; nearly all are on the left, where the popular artists are";
    figure.title += ": every n-th listener (most active on top) and artist (most popular on the left)";
    std::string data_rows;
    std::vector<int> columns(10, 0);
    const double width = found->at("items");
    for (std::size_t r = 1; r < dots.size(); ++r) {
      data_rows += dots[r][0].plain + " " + dots[r][1].plain + "\n";
      ++columns[static_cast<std::size_t>(10.0 * std::stod(dots[r][0].plain) / width)];
    }
    figure.table = {{"tenth of the artists, most popular first", "dots"}};
    for (std::size_t c = 0; c < columns.size(); ++c) figure.table.push_back({std::to_string(c + 1), std::to_string(columns[c])});
    const std::string settings = "ITEMS = " + shortest(width) + "; USERS = " + shortest(found->at("users")) + ".0\n";
    figure.drawings = {{720, 400, settings, data_rows}, {350, 260, settings, data_rows}};
    page.raw(figure_html(figure));
    page.note("Of the " + grouped(found->at("users").get<double>() * width) + " cells drawn, " + grouped(found->at("dots")) +
              " hold something. The table of dots is in sparsity.tsv.");
  }
  if (const auto corner = results.json.find("corner"); corner != results.json.end() && corner->contains("users")) {
    stored(page, *corner);
    if (corner->contains("scores")) factored(page, *corner);
  }
}

void split_section(Page& page, const Results& results) {
  const auto found = results.json.find("split");
  if (found == results.json.end()) return;
  page.section("split", "What is hidden");
  const bool on_test = results.json.contains("search") && results.json["search"].at("tuned_on") == "test";
  page.p("Of every listener with at least five artists, " + percent_text(found->at("test_fraction"), 0) +
         " of the artists are taken out at random (seed " + grouped(found->at("seed")) + "): these " + grouped(found->at("test")) +
         " pairs are the <em>test set</em>. The models learn from the other " + grouped(found->at("train")) + ".");
  if (on_test)
    page.warning(
        "This run chose settings on the test set itself (<code>--tune-on-test</code>), so that what it says of “best of search” is too "
        "good to be true.");
  else
    page.p("Whoever tries many settings on the test set and reports the best is fooling himself. So " +
           grouped(found->at("inner_validation")) +
           " pairs of the training data are hidden once more; settings are chosen by those alone, and the test set is looked at once, at "
           "the end.");
  const double inner_train = found->at("inner_train"), validation = found->at("inner_validation"), test = found->at("test");
  const Table table = {{"part", "pairs"},
                       {"to learn from while choosing settings", count_cell(inner_train)},
                       {"to choose settings by", count_cell(validation)},
                       {"test, looked at once", count_cell(test)}};
  page.raw(bars({"split-sizes", "Three parts of the data",
                 "Bars: pairs to learn from, to choose settings by, and to test with; the final models learn from the first two", table},
                {{"to learn from while choosing settings", inner_train, 0.0, grouped(inner_train), blue},
                 {"to choose settings by", validation, 0.0, grouped(validation), green},
                 {"test, looked at once", test, 0.0, grouped(test), vermilion}}));
}

}  // namespace study
