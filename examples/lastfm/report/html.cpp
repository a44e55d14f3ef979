// SPDX-License-Identifier: MIT
#include "html.hpp"

#include <algorithm>

#include "assets.hpp"

namespace study {

namespace {

/// Bytes of the well-formed UTF-8 sequence that `text` starts with, or 0 (The Unicode Standard 15, table 3-7).
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned lead = byte(0);
  if (lead < 0x80U) return 1;
  const std::size_t length = lead < 0xC2U ? 0 : lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : lead < 0xF5U ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned low = lead == 0xE0U ? 0xA0U : lead == 0xF0U ? 0x90U : 0x80U, high = lead == 0xEDU ? 0x9FU : lead == 0xF4U ? 0x8FU : 0xBFU;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t n = 2; n < length; ++n)
    if (byte(n) < 0x80U || byte(n) > 0xBFU) return 0;
  return length;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const char c = text.front();
    if (length == 0 || (static_cast<unsigned char>(c) < 0x20U && c != '\t' && c != '\n') || c == 0x7F)
      html += "\xEF\xBF\xBD";
    else if (c == '&')
      html += "&amp;";
    else if (c == '<')
      html += "&lt;";
    else if (c == '>')
      html += "&gt;";
    else if (c == '"')
      html += "&quot;";
    else if (c == '\'')
      html += "&#39;";
    else
      html += text.substr(0, length);
    text.remove_prefix((std::max)(length, std::size_t{1}));
  }
  return html;
}

std::string name(std::string_view text) { return "<bdi>" + escape(text) + "</bdi>"; }

std::string shortened(std::string_view text, std::size_t length) {
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < length && bytes < text.size(); ++n) bytes += (std::max)(utf8_sequence(text.substr(bytes)), std::size_t{1});
  return bytes >= text.size() ? std::string(text) : std::string(text.substr(0, bytes)) + "\xE2\x80\xA6";
}

std::string table_html(const Table& rows, std::string_view caption, std::initializer_list<std::size_t> text_columns) {
  const auto is_text = [&](std::size_t c) { return std::find(text_columns.begin(), text_columns.end(), c) != text_columns.end(); };
  std::string html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>";
  if (!caption.empty()) html += "<caption>" + escape(caption) + "</caption>";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string attributes = std::string(r == 0 ? " scope=\"col\"" : "") + (is_text(c) ? " class=\"text\"" : "");
      const std::string shown = r == 0 && rows[r][c].shown.empty() ? rows[r][c].plain : rows[r][c].shown;
      html +=
          (r == 0 ? "<th" : "<td") + attributes + ">" + (is_text(c) && r > 0 ? name(shown) : escape(shown)) + (r == 0 ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

void Page::section(const std::string& id, const std::string& title) {
  body_ += (sections_.empty() ? "" : "</section>\n") + std::string("<section aria-labelledby=\"") + id + "\"><h2 id=\"" + id + "\">" +
           escape(title) + "</h2>\n";
  sections_.emplace_back(id, title);
}

std::string Page::finish(const std::string& title, const std::string& top) const {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>" +
      escape(title) + "</title>\n<style>\n" + std::string(asset("page.css")) + "</style></head>\n<body>\n" +
      std::string(asset("markers.svg")) + "<main>\n<h1>" + escape(title) + "</h1>\n" + top;
  if (sections_.size() > 3) {
    html += "<nav aria-label=\"Contents\"><ol>\n";
    for (const auto& [id, heading] : sections_) html += "<li><a href=\"#" + id + "\">" + escape(heading) + "</a></li>\n";
    html += "</ol></nav>\n";
  }
  return html + body_ + (sections_.empty() ? "" : "</section>\n") + "</main>\n</body>\n</html>\n";
}

}  // namespace study
