// SPDX-License-Identifier: MIT
// read_delimited with any format on any bytes: what a reader gives that goes line by line.
//
// An input is one byte for threads and blocks, two to twelve for the format, one or two for the options of reading, then the text.
#include <algorithm>
#include <cstddef>
#include <string>

#include <kindred/io/delimited.hpp>

#include "../support/line_by_line_reader.hpp"
#include "../support/read_outcome.hpp"
#include "input.hpp"
#include "memory_files.hpp"

namespace kd = kindred;

namespace kindred_fuzz {

namespace {

kd::DelimitedFormat::Column column(Input& input) {
  const std::uint8_t choice = input.byte();
  kd::DelimitedFormat::Column column;
  switch (choice % 4) {
    case 0: break;
    case 1: column = choice / 8; break;
    case 2: column = std::string(1, static_cast<char>('a' + choice / 8 % 26)); break;
    case 3: column = choice / 8 % 5; break;
  }
  column.optional = (choice & 4) != 0;
  return column;
}

kd::DelimitedFormat format_of(Input& input) {
  kd::DelimitedFormat format;
  const std::uint8_t separator = input.byte();
  static const char* const separators[] = {"\t", ",", " ", ";", "::", "\r", "\xE2\x82\xAC", "", "\"", "\n", "ab", "\t\t"};
  format.separator = separator < 192 ? separators[separator % 12] : std::string(1, static_cast<char>(separator & 0x7F));
  const std::uint8_t choice = input.byte();
  format.header = (choice & 1) != 0 ? kd::DelimitedFormat::Header::first_line : kd::DelimitedFormat::Header::none;
  format.quoting = (choice & 2) != 0 ? kd::DelimitedFormat::Quoting::rfc_4180 : kd::DelimitedFormat::Quoting::none;
  format.field_rule = (choice & 4) != 0 ? kd::DelimitedFormat::FieldRule::at_least : kd::DelimitedFormat::FieldRule::same;
  format.empty_item = (choice & 8) != 0 ? kd::DelimitedFormat::EmptyItem::drop : kd::DelimitedFormat::EmptyItem::bad_line;
  format.negative = (choice & 16) != 0 ? kd::DelimitedFormat::NegativeValue::keep : kd::DelimitedFormat::NegativeValue::bad_line;
  format.time_format = (choice & 32) != 0 ? kd::DelimitedFormat::TimeFormat::iso_8601 : kd::DelimitedFormat::TimeFormat::unix_seconds;
  if ((choice & 64) != 0) format.comment_prefix = input.flag() ? "#" : "//";
  if ((choice & 128) != 0) {  // other columns than the usual ones
    format.user = column(input);
    format.item = column(input);
    format.item_fallback = column(input);
    format.value = column(input);
    format.time = column(input);
    format.item_name = column(input);
    format.field_count = input.byte() % 8;
    if (input.flag()) format.min_value = static_cast<float>(static_cast<int>(input.byte()) - 100) * 0.25F;
  }
  return format;
}

}  // namespace

void delimited(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t blocks = input.byte();
  const kd::DelimitedFormat format = format_of(input);
  kd::ReadOptions options = read_options(input);
  const std::string text(input.rest());
  // One file, whatever its bytes.
  const std::size_t piece = blocks % 5 == 0 ? 1 + blocks / 5 : text.size() + 1;
  options.open = [&](const std::string&) -> kd::ReadOptions::ReadBytes {
    return [&, at = std::size_t{0}](char* to, std::size_t most) mutable -> std::size_t {
      const std::size_t count = text.copy(to, (std::min)(most, piece), at);
      at += count;
      return count;
    };
  };
  const std::string wanted = kindred_test::outcome([&] { return kindred_test::read_line_by_line("input", format, options); });
  for (const bool many : {false, true}) {
    options.execution.threads = many ? 2 + blocks % 3 : 1;
    options.block_bytes = many ? 1 + blocks / 4 : 4096;
    const std::string found = kindred_test::outcome([&] { return kd::read_delimited("input", format, options); });
    if (found != wanted) fail("not what a reader gives that goes line by line:\n" + wanted + "\n--- but\n" + found);
  }
}

}  // namespace kindred_fuzz
