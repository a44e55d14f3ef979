// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The shortest text that reads back as `number`, independent of the locale where the standard library can.
[[nodiscard]] KINDRED_ONCE std::string number_text(double number);

/// Decimal text of a whole number.
[[nodiscard, gnu::cold]] KINDRED_ONCE std::string whole_text(long long number);
[[nodiscard, gnu::cold]] KINDRED_ONCE std::string whole_text(unsigned long long number);

template <typename T>
[[nodiscard, gnu::cold]] std::string value_text(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return std::string(std::string_view(value));
  else if constexpr (std::signed_integral<T>)
    return whole_text(static_cast<long long>(value));
  else if constexpr (std::unsigned_integral<T>)
    return whole_text(static_cast<unsigned long long>(value));
  else
    return number_text(static_cast<double>(value));
}

[[nodiscard, gnu::cold]] KINDRED_ONCE std::string argument_text(std::string_view name, std::string_view value, std::string_view allowed);

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
  ParseError(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found, std::string_view expected);

  [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
  [[nodiscard]] std::uint64_t column() const noexcept { return column_; }

 private:
  static std::string text(std::string_view file, std::uint64_t line, std::uint64_t column, std::string_view found,
                          std::string_view expected);

  std::uint64_t line_;
  std::uint64_t column_;
};

/// The operating system refused a file: its path and the system's words.
class IoError : public Error {
 public:
  /// `action` on `path` failed with this errno.
  IoError(std::string_view path, std::string_view action, int error_number);

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
  explicit NotFitted(std::string_view model);
};

/// A progress callback answered `cancel`.
class Cancelled : public Error {
 public:
  /// `what` was cancelled.
  explicit Cancelled(std::string_view what);
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/core/error.ipp>  // IWYU pragma: export
#endif
