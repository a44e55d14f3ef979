// SPDX-License-Identifier: MIT
#include "html.hpp"

#include <algorithm>

#include "assets.hpp"

namespace study {

namespace {

/// Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none (or with a surrogate, or a longer form than needed).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t n) { return n < text.size() ? static_cast<unsigned char>(text[n]) : 0U; };
  const auto follows = [&](std::size_t n) { return (byte(n) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU)
    return follows(1) && follows(2) && !(first == 0xE0U && byte(1) < 0xA0U) && !(first == 0xEDU && byte(1) > 0x9FU) ? 3 : 0;
  if (first >= 0xF0U && first <= 0xF4U)
    return follows(1) && follows(2) && follows(3) && !(first == 0xF0U && byte(1) < 0x90U) && !(first == 0xF4U && byte(1) > 0x8FU) ? 4 : 0;
  return 0;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
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
  for (std::size_t n = 0; n < length && bytes < text.size(); ++n) bytes += (std::max)(character_length(text.substr(bytes)), std::size_t{1});
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
