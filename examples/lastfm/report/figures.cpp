// SPDX-License-Identifier: MIT
#include "figures.hpp"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "assets.hpp"

namespace study {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

/// A new file for a script, where there is room for one, and its name; -1 if there is none.
int open_temporary(std::string& path) {
  std::error_code error;
  for (const std::filesystem::path& folder : {std::filesystem::temp_directory_path(error), std::filesystem::path("/tmp"),
                                              std::filesystem::path("/var/tmp"), std::filesystem::path(".")}) {
    if (folder.empty()) continue;
    path = (folder / "lastfm_study_XXXXXX").string();
    if (const int descriptor = mkstemp(path.data()); descriptor >= 0) return descriptor;
  }
  return -1;
}

/// What gnuplot prints when it is given `script`; empty if it fails.
std::string run_gnuplot(const std::string& script) {
  std::string path;
  const int descriptor = open_temporary(path);
  if (descriptor < 0) return {};
  std::string svg;
  if (std::FILE* file = fdopen(descriptor, "w")) {
    const bool written = std::fwrite(script.data(), 1, script.size(), file) == script.size();
    if (std::fclose(file) == 0 && written) {
      std::string word = path;
      replace_all(word, "'", "'\\''");
      const std::string command = "GNUTERM=svg gnuplot -d '" + word + "' 2>/dev/null";
      if (std::FILE* pipe = popen(command.c_str(), "r")) {
        std::array<char, 65536> buffer{};
        for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) svg.append(buffer.data(), n);
        if (pclose(pipe) != 0) svg.clear();
      }
    }
  }
  std::remove(path.c_str());
  return svg;
}

bool gnuplot_is_there() {
  static const bool there = std::system("gnuplot --version >/dev/null 2>&1") == 0;
  return there;
}

/// "rgb(  1,   0,  12)" to a colour of the page: 1 text, 2 muted text, 3 grid, from 10 on the series.
void use_page_colours(std::string& svg) {
  for (std::size_t at = svg.find("rgb("); at != std::string::npos; at = svg.find("rgb(", at + 1)) {
    const std::size_t end = svg.find(')', at);
    if (end == std::string::npos) return;
    int r = 0, g = 0, code = 0;
    if (std::sscanf(svg.c_str() + at, "rgb(%d,%d,%d)", &r, &g, &code) != 3 || r != 1 || g != 0) continue;
    const std::string colour = code == 1 ? "fg" : code == 2 ? "muted" : code == 3 ? "grid" : "c" + std::to_string(code - 10);
    svg.replace(at, end + 1 - at, "var(--" + colour + ")");
  }
}

/// Puts escaped labels where the drawing says @n@; any other @ stays.
void put_labels(std::string& svg, const std::vector<std::string>& labels) {
  for (std::size_t at = svg.find('@'); at != std::string::npos; at = svg.find('@', at)) {
    std::size_t end = at + 1;
    while (end < svg.size() && std::isdigit(static_cast<unsigned char>(svg[end])) != 0) ++end;
    const std::size_t n =
        end > at + 1 && end < svg.size() && svg[end] == '@' ? std::stoul(svg.substr(at + 1, end - at - 1)) : labels.size();
    if (n >= labels.size()) {
      ++at;
      continue;
    }
    const std::string text = escape(labels[n]);
    svg.replace(at, end + 1 - at, text);
    at += text.size();
  }
}

/// What gnuplot made, without what a page has once for all figures or not at all.
std::string inline_svg(std::string svg, const Figure& figure, const Drawing& drawing, const std::string& css_class) {
  const std::size_t defs = svg.find("</defs>");
  const std::size_t end = svg.rfind("</svg>");
  if (defs == std::string::npos || end == std::string::npos) return {};
  svg = svg.substr(defs + 7, end - defs - 7);
  replace_all(svg, "\t", "");
  replace_all(svg, "font-family=\"inherit\" ", "");
  replace_all(svg, " stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", "");
  replace_all(svg, "<g fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"1.00\">\n</g>\n", "");
  replace_all(svg, "<g fill=\"none\" color=\"white\" stroke=\"currentColor\" stroke-width=\"1.00\">\n</g>\n", "");
  for (std::size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>"))
    svg.erase(at, svg.find("</title>", at) + 8 - at);
  for (std::size_t at = svg.find(" id=\"gnuplot_"); at != std::string::npos; at = svg.find(" id=\"gnuplot_"))
    svg.erase(at, svg.find('"', at + 5) + 1 - at);
  replace_all(svg, "xlink:href", "href");
  replace_all(svg, "color='white'", "color='var(--bg)'");
  use_page_colours(svg);
  put_labels(svg, figure.labels);
  return "<svg class=\"" + css_class + "\" viewBox=\"0 0 " + std::to_string(drawing.width) + " " + std::to_string(drawing.height) +
         "\" role=\"img\" aria-label=\"" + escape(figure.alt) + "\">\n<g>" + svg + "</svg>\n";
}

std::string script_of(const Figure& figure, const Drawing& drawing) {
  return "W = " + std::to_string(drawing.width) + "; H = " + std::to_string(drawing.height) + "; XLAB = ''; YLAB = ''\n" +
         drawing.settings + "$data << END_OF_DATA\n" + drawing.data + "END_OF_DATA\n" + "$ends << END_OF_DATA\n" + drawing.ends +
         "END_OF_DATA\n" + std::string(asset("look.gp")) + std::string(asset(figure.script + ".gp")) + "\nreset\n";
}

/// The drawings, wide before narrow; empty if one cannot be made.
std::string drawings_html(const Figure& figure) {
  if (!gnuplot_is_there()) return {};
  std::string script;
  for (const Drawing& drawing : figure.drawings) script += script_of(figure, drawing);
  std::string output = run_gnuplot(script), html;
  for (std::size_t n = 0; n < figure.drawings.size(); ++n) {
    const std::size_t end = output.find("</svg>");
    if (end == std::string::npos) return {};
    const bool wide = figure.drawings.size() > 1 && n == 0;
    html += inline_svg(output.substr(0, end + 6), figure, figure.drawings[n],
                       wide                             ? "wide"
                       : figure.drawings[n].width > 350 ? "wide alone"
                                                        : "narrow");
    output.erase(0, end + 6);
  }
  return html;
}

}  // namespace

std::string label(std::vector<std::string>& labels, std::string_view text) {
  labels.emplace_back(text);
  return "@" + std::to_string(labels.size() - 1) + "@";
}

std::string data_row(const std::vector<std::string>& fields) {
  std::string row;
  for (const std::string& field : fields) row += (row.empty() ? "" : " ") + field;
  return row + "\n";
}

std::string figure_html(const Figure& figure) {
  const std::string drawings = drawings_html(figure);
  std::string html = "<figure id=\"" + figure.id + "\"><figcaption>" + escape(figure.title) + "</figcaption>\n" + drawings;
  if (drawings.empty() && gnuplot_is_there()) html += "<p class=\"warning\">gnuplot could not draw this figure; its numbers:</p>\n";
  html += std::string("<details") + (drawings.empty() ? " open" : "") + "><summary>The numbers</summary>\n" + table_html(figure.table) +
          "</details>";
  return html + "</figure>\n";
}

std::string missing_figures_html() {
  if (gnuplot_is_there()) return {};
  return "<p class=\"warning\">The figures are missing, because gnuplot is not installed where this page was made; their numbers stand in "
         "tables in their places. On Debian and Ubuntu <code>apt-get install gnuplot-nox</code> gets it, on macOS <code>brew install "
         "gnuplot</code>; the same command with <code>--resume</code> then draws them in seconds.</p>\n";
}

}  // namespace study
