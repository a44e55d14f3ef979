// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/load_report.hpp>

namespace kindred_test {

inline std::string text_of(const kindred::LoadReport& load) {
  std::string text = load.source + " " + std::to_string(load.bytes) + " bytes " + std::to_string(load.lines) + " lines " +
                     std::to_string(load.skipped) + " skipped " + std::to_string(load.rows) + " rows " + std::to_string(load.merged) +
                     " merged " + std::to_string(load.bad_lines) + " bad " + std::to_string(load.stopped);
  for (const auto& [reason, count] : load.dropped) text += "; " + reason + " " + std::to_string(count);
  for (const auto& [what, count] : load.noted) text += "; " + what + " " + std::to_string(count);
  for (const kindred::LoadReport::BadLine& bad : load.first_bad)
    text += "; line " + std::to_string(bad.line) + ", column " + std::to_string(bad.column) + ": " + bad.reason;
  for (const kindred::LoadReport& companion : load.companions) text += "\n" + text_of(companion);
  return text;
}

/// Everything that reading a file gives, as text; or the error.
template <typename Read>
std::string outcome(Read&& read) {
  try {
    const kindred::Dataset data = read();
    data.check();
    std::string text = text_of(data.load) + "\n";
    for (kindred::Index u = 0; u < data.users.size(); ++u) text += std::string(data.users.key(u)) + "\n";
    for (kindred::Index i = 0; i < data.items.size(); ++i) text += std::string(data.items.key(i)) + "\n";
    for (const std::string& name : data.item_names) text += "'" + name + "'\n";
    for (const kindred::Offset offset : data.matrix.offsets()) text += std::to_string(offset) + " ";
    for (const kindred::Index column : data.matrix.columns()) text += std::to_string(column) + " ";
    for (const float value : data.matrix.values()) text += kindred::detail::number_text(static_cast<double>(value)) + " ";
    for (const std::int64_t time : data.times) text += std::to_string(time) + " ";
    text += "\n";
    for (const std::uint32_t rows : data.raw_rows) text += std::to_string(rows) + " ";
    return text;
  } catch (const kindred::ParseError& error) {
    return "ParseError " + std::to_string(error.line()) + " " + std::to_string(error.column()) + " " + error.what();
  } catch (const kindred::Error& error) {
    return error.what();
  }
}

}  // namespace kindred_test
