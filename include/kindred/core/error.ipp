// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/error.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::string number_text(double number) {
  char buffer[40];
#if defined(__cpp_lib_to_chars)
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return {buffer, result.ptr};
#else
  const int length = std::snprintf(buffer, sizeof(buffer), "%.9g", number);
  return {buffer, static_cast<std::size_t>(length)};
#endif
}

KINDRED_ONCE std::string argument_text(std::string_view name, std::string_view value, std::string_view allowed) {
  std::string text(name);
  for (const std::string_view part : {std::string_view(" is "), value, std::string_view("; it must be "), allowed}) text += part;
  return text;
}

KINDRED_ONCE std::string whole_text(long long number) { return std::to_string(number); }

KINDRED_ONCE std::string whole_text(unsigned long long number) { return std::to_string(number); }

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0 {

KINDRED_ONCE ParseError::ParseError(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found,
                                    std::string_view expected)
    : Error(text(file, line, column, found, expected)), line_(line), column_(column) {}

KINDRED_ONCE std::string ParseError::text(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found,
                                          std::string_view expected) {
  std::string out(file);
  if (line > 0) out += ", line " + std::to_string(line);
  if (column > 0) out += ", column " + std::to_string(column);
  return out + ": found " + std::string(found) + "; expected " + std::string(expected);
}

KINDRED_ONCE IoError::IoError(std::string_view path, std::string_view action, int error_number)
    : Error(std::string(path) + ": cannot " + std::string(action) + ": " + std::generic_category().message(error_number)),
      error_number_(error_number) {}

KINDRED_ONCE NotFitted::NotFitted(std::string_view model) : Error(std::string(model) + " is not fitted yet: call fit(train) first") {}

KINDRED_ONCE Cancelled::Cancelled(std::string_view what) : Error(std::string(what) + " was cancelled by its progress callback") {}

}  // namespace kindred::inline v0
