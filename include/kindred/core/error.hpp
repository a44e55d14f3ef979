// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The shortest text that reads back as `number`, independent of the locale where the standard library can.
[[nodiscard]] inline std::string number_text(double number) {
  char buffer[40];
#if defined(__cpp_lib_to_chars)
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return {buffer, result.ptr};
#else
  const int length = std::snprintf(buffer, sizeof(buffer), "%.9g", number);
  return {buffer, static_cast<std::size_t>(length)};
#endif
}

template <typename T>
[[nodiscard, gnu::cold]] std::string value_text(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return std::string(std::string_view(value));
  else if constexpr (std::signed_integral<T>)
    return std::to_string(static_cast<long long>(value));
  else if constexpr (std::unsigned_integral<T>)
    return std::to_string(static_cast<unsigned long long>(value));
  else
    return number_text(static_cast<double>(value));
}

/// Not a template, so that a program compiles it once.
[[nodiscard, gnu::cold]] inline std::string argument_text(std::string_view name, std::string_view value, std::string_view allowed) {
  std::string text(name);
  for (const std::string_view part : {std::string_view(" is "), value, std::string_view("; it must be "), allowed}) text += part;
  return text;
}

}  // namespace detail

/// The root of everything that Kindred throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option or argument outside what is allowed: "<name> is <value>; it must be <allowed>".
class InvalidArgument : public Error {
 public:
  /// `name` is `value`; it must be `allowed`.
  template <typename T>
  InvalidArgument(std::string_view name, const T& value, std::string_view allowed)
      : Error(detail::argument_text(name, detail::value_text(value), allowed)) {}
};

/// Matrices, lists or ids whose sizes do not belong together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A line of a text file that is not what its format says. Lines and columns (fields) count from 1; 0 stands for "the whole".
class ParseError : public Error {
 public:
  /// What was found there, and what was expected.
  ParseError(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found, std::string_view expected)
      : Error(text(file, line, column, found, expected)), line_(line), column_(column) {}

  [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
  [[nodiscard]] std::uint64_t column() const noexcept { return column_; }

 private:
  static std::string text(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found,
                          std::string_view expected) {
    std::string out(file);
    if (line > 0) out += ", line " + std::to_string(line);
    if (column > 0) out += ", column " + std::to_string(column);
    return out + ": found " + std::string(found) + "; expected " + std::string(expected);
  }

  std::uint64_t line_;
  std::uint64_t column_;
};

/// The operating system refused a file: its path and the system's words.
class IoError : public Error {
 public:
  /// `action` on `path` failed with this errno.
  IoError(std::string_view path, std::string_view action, int error_number)
      : Error(std::string(path) + ": cannot " + std::string(action) + ": " + std::generic_category().message(error_number)),
        error_number_(error_number) {}

  [[nodiscard]] int error_number() const noexcept { return error_number_; }

 private:
  int error_number_;
};

/// A model file that is damaged, from a newer version, or not a model file.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// Arithmetic that cannot go on; the text names iteration, side, row, lambda and alpha where they are known.
class NumericalError : public Error {
 public:
  using Error::Error;
};

/// A model was asked before it was fitted.
class NotFitted : public Error {
 public:
  /// `model` was asked before it was fitted.
  explicit NotFitted(std::string_view model) : Error(std::string(model) + " is not fitted yet: call fit(train) first") {}
};

/// A progress callback answered `cancel`.
class Cancelled : public Error {
 public:
  /// `what` was cancelled.
  explicit Cancelled(std::string_view what) : Error(std::string(what) + " was cancelled by its progress callback") {}
};

}  // namespace kindred::inline v0
