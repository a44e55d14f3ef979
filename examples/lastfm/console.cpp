// SPDX-License-Identifier: MIT
#include "console.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

#include <kindred/core/error.hpp>

#include "interrupt.hpp"

namespace study {

namespace {

/// Columns on a terminal: code points, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Whether escape sequences would be understood, and are wanted.
bool wants_colour(int stream) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(stream) != 0 && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

std::string grouped(double number) {
  std::string digits = fixed(std::abs(number), 0);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return (number < 0 ? "-" : "") + digits;
}

std::string fixed(double number, int digits) {
  char buffer[352];
  const int length = std::snprintf(buffer, sizeof(buffer), "%.*f", digits, number);
  return {buffer, static_cast<std::size_t>(length)};
}

std::string significant(double number) {
  char buffer[32];
  const int length = std::snprintf(buffer, sizeof(buffer), "%.3g", number);
  return {buffer, static_cast<std::size_t>(length)};
}

std::string about(double number) {
  const double tenths = std::round(number * 10.0) / 10.0;
  return tenths == std::round(tenths) || std::abs(tenths) >= 1000.0 ? grouped(tenths) : fixed(tenths, 1);
}

std::string shortest(double number) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof(buffer), number).ptr};
}

std::string bytes_text(double bytes) {
  const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000.0 && unit + 1 < std::size(units)) {
    bytes /= 1000.0;
    ++unit;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + units[unit];
}

Cell count_cell(double number) { return {grouped(number), shortest(number)}; }

Cell number_cell(double number, int digits) { return {fixed(number, digits), shortest(number)}; }

Cell share_cell(double share) { return {fixed(100.0 * share, 1) + " %", shortest(share)}; }

Console::Console(bool quiet) : quiet_(quiet), colour_(wants_colour(STDOUT_FILENO)) {}

void Console::section(std::string_view title) const {
  if (quiet_) return;
  std::printf(colour_ ? "\n\033[1;36m== %.*s ==\033[0m\n" : "\n== %.*s ==\n", static_cast<int>(title.size()), title.data());
  std::fflush(stdout);
}

void Console::line(std::string_view text) const {
  if (quiet_) return;
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(stdout);
}

void Console::table(const Table& rows) const {
  if (quiet_) return;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize((std::max)(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = (std::max)(widths[c], width_of(row[c].shown));
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - width_of(row[c].shown), ' ');
      text += "  " + (c == 0 ? row[c].shown + space : space + row[c].shown);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    line(text);
  }
}

void Console::histogram(std::string_view title, const std::vector<double>& values) const {
  if (quiet_) return;
  const kindred::statistics::Summary s = kindred::statistics::summarize(values);
  line(std::string(title) + ": mean " + about(s.mean) + ", median " + about(s.median) + ", 90 % below " + about(s.quantile_90) +
       ", 99 % below " + about(s.quantile_99) + ", largest " + about(s.max));
  const std::vector<kindred::statistics::HistogramBin> bins = kindred::statistics::log_histogram(values);
  std::uint64_t tallest = 1;
  for (const auto& bin : bins) tallest = (std::max)(tallest, bin.count);
  for (const auto& bin : bins) {
    const double high = bin.high - 1.0;
    const std::string range = high <= bin.low ? grouped(bin.low) : grouped(bin.low) + " to " + grouped(high);
    const auto length = static_cast<std::size_t>(std::lround(40.0 * static_cast<double>(bin.count) / static_cast<double>(tallest)));
    const std::string bar = length == 0 ? "" : "  " + std::string(length, '#');
    char text[160];
    std::snprintf(text, sizeof(text), "  %20s %11s%s", range.c_str(), grouped(static_cast<double>(bin.count)).c_str(), bar.c_str());
    line(text);
  }
}

kindred::ProgressCallback Console::progress(std::string label, std::string (*amount)(double), kindred::ProgressAnswer on_interrupt) const {
  const bool draws = !quiet_ && isatty(STDERR_FILENO) != 0;
  return [label = std::move(label), amount, on_interrupt, draws](const kindred::Progress& p) {
    const bool ends = interrupted() || p.done >= p.total;
    if (draws && (ends || p.elapsed_seconds >= 1.0)) {
      const auto done = static_cast<double>(p.done), total = static_cast<double>(p.total);
      const auto full = static_cast<std::size_t>(30.0 * done / total);
      const double rate = done / p.elapsed_seconds;
      if (ends)
        std::fprintf(stderr, "\r\033[K");
      else
        std::fprintf(stderr, "\r\033[K%s [%s%s] %s of %s, %s/s, %.0f s left", label.c_str(), std::string(full, '#').c_str(),
                     std::string(30 - full, '.').c_str(), amount(done).c_str(), amount(total).c_str(),
                     rate < 10.0 ? fixed(rate, 1).c_str() : amount(rate).c_str(), (total - done) / rate);
      std::fflush(stderr);
    }
    return interrupted() ? on_interrupt : kindred::ProgressAnswer::keep_going;
  };
}

}  // namespace study
