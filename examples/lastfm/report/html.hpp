// SPDX-License-Identifier: MIT
// Pieces of a page. Whatever comes from data goes through escape() or name(); everything else is the program's own text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../console.hpp"

namespace study {

/// Text that HTML shows as it is: markup escaped, bytes that are no UTF-8 and control characters replaced.
[[nodiscard]] std::string escape(std::string_view text);

/// An artist's or listener's name: escaped, and kept from turning the direction of the words around it.
[[nodiscard]] std::string name(std::string_view text);

/// The first `length` characters and an ellipsis; `text` itself if it is not longer.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t length);

/// A table of data, the first row as its header; columns of `text_columns` are text, the others numbers.
[[nodiscard]] std::string table_html(const Table& rows, std::string_view caption = "",
                                     std::initializer_list<std::size_t> text_columns = {0});

/// A page in the making: sections with a table of contents.
class Page {
 public:
  void section(const std::string& id, const std::string& title);
  void heading(const std::string& html) { body_ += "<h3>" + html + "</h3>\n"; }
  void p(const std::string& html) { body_ += "<p>" + html + "</p>\n"; }
  void note(const std::string& html) { body_ += "<p class=\"note\">" + html + "</p>\n"; }
  void warning(const std::string& html) { body_ += "<p class=\"warning\">" + html + "</p>\n"; }
  void raw(const std::string& html) { body_ += html; }

  /// The whole file. `title` is plain text, `top` what stands between it and the contents.
  [[nodiscard]] std::string finish(const std::string& title, const std::string& top) const;

 private:
  std::vector<std::pair<std::string, std::string>> sections_;  // id, title
  std::string body_;
};

}  // namespace study
