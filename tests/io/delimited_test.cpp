// SPDX-License-Identifier: MIT
#include <kindred/io/delimited.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/filters.hpp>

#include "../support/temporary_file.hpp"
#include "real_data.hpp"

namespace kd = kindred;

namespace {

const kd::ReadOptions skip{.on_bad_line = kd::ReadOptions::BadLinePolicy::skip};

std::vector<std::string> keys(const kd::IdMap& map) {
  std::vector<std::string> all;
  for (kd::Index n = 0; n < map.size(); ++n) all.emplace_back(map.key(n));
  return all;
}

float value(const kd::Dataset& data, std::string_view user, std::string_view item) {
  const kd::SparseRow row = data.matrix.row(data.users.index(user));
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.columns[n] == data.items.index(item)) return row.values[n];
  return 0.0F;
}

/// The message of the ParseError that reading `content` throws, without the path.
std::string parse_error(const std::string& content, const kd::DelimitedFormat& format = {}, const kd::ReadOptions& options = {}) {
  const kd::test::TemporaryDirectory directory;
  const std::string path = directory.file(content);
  try {
    (void)kd::read_delimited(path, format, options);
  } catch (const kd::ParseError& error) {
    const std::string text = error.what();
    REQUIRE(text.starts_with(path));
    return text.substr(path.size());
  }
  return "no error";
}

kd::Dataset read_text(const std::string& content, const kd::DelimitedFormat& format = {}, const kd::ReadOptions& options = {}) {
  const kd::test::TemporaryDirectory directory;
  kd::Dataset data = kd::read_delimited(directory.file(content), format, options);
  data.check();
  const kd::LoadReport& load = data.load;
  CHECK(load.lines == load.skipped + load.rows + load.dropped_total());
  CHECK(load.rows == load.merged + static_cast<std::uint64_t>(data.matrix.nnz()));
  CHECK(load.bytes == content.size());
  return data;
}

}  // namespace

TEST_SUITE("read_delimited") {
  TEST_CASE("the plain form: user, item, value, time; ids in the order of the file; repeats summed") {
    const kd::Dataset data = read_text("u2\tb\t3\t500\nu1\ta\t1.5\t200\nu2\tb\t4\t400\nu2\ta\t1\t600\n");
    CHECK(keys(data.users) == std::vector<std::string>{"u2", "u1"});
    CHECK(keys(data.items) == std::vector<std::string>{"b", "a"});
    CHECK(data.matrix.nnz() == 3);
    CHECK(value(data, "u2", "b") == 7.0F);
    CHECK(value(data, "u2", "a") == 1.0F);
    CHECK(value(data, "u1", "a") == 1.5F);
    CHECK(data.times == std::vector<std::int64_t>{400, 600, 200});  // the first time of (u2, b)
    CHECK(data.raw_rows == std::vector<std::uint32_t>{2, 1, 1});
    CHECK(data.item_names.empty());
    CHECK(data.load.lines == 4);
    CHECK(data.load.rows == 4);
    CHECK(data.load.merged == 1);
  }

  TEST_CASE("without a value every row counts 1; without a repeat there are no raw rows") {
    const kd::Dataset data = read_text("u\ta\nu\tb\nu\ta\n");
    CHECK(value(data, "u", "a") == 2.0F);
    CHECK(value(data, "u", "b") == 1.0F);
    CHECK(data.times.empty());
    CHECK(data.raw_rows == std::vector<std::uint32_t>{2, 1});
    CHECK(read_text("u\ta\nu\tb\n").raw_rows.empty());
  }

  TEST_CASE("columns by index, and names of items as first seen") {
    const kd::DelimitedFormat format{.separator = ";", .user = 3, .item = 1, .value = 0, .time = {}, .item_name = 2};
    const kd::Dataset data = read_text("5;i1;;ann\n2;i2;Two;bob\n1;i1;One;bob\n9;i1;Uno;ann\n", format);
    CHECK(keys(data.users) == std::vector<std::string>{"ann", "bob"});
    CHECK(value(data, "ann", "i1") == 14.0F);
    CHECK(data.item_names == std::vector<std::string>{"One", "Two"});
    CHECK(data.times.empty());
  }

  TEST_CASE("columns by the names of the header") {
    const kd::DelimitedFormat format{.separator = ",",
                                     .header = kd::DelimitedFormat::Header::first_line,
                                     .quoting = kd::DelimitedFormat::Quoting::rfc_4180,
                                     .comment_prefix = "#",
                                     .user = "who",
                                     .item = "what",
                                     .value = "plays",
                                     .time = kd::DelimitedFormat::if_present("when")};
    const kd::Dataset data = read_text("# exported\n\n,what,plays,\"who\"\n0,\"a, b\",2,\"the \"\"x\"\"\"\n\n1,c,3,y\n", format);
    CHECK(keys(data.users) == std::vector<std::string>{"the \"x\"", "y"});
    CHECK(keys(data.items) == std::vector<std::string>{"a, b", "c"});
    CHECK(data.load.skipped == 4);
    CHECK(data.times.empty());

    CHECK(parse_error("who,what\nu,a\n", format) == ", line 1: found the columns 'who', 'what'; expected a column 'plays'");
    CHECK(parse_error("who,what,who,plays\nu,a,u,1\n", format) ==
          ", line 1, column 1: found the column 'who' twice; expected every name once");
    CHECK(parse_error("who,\"what\nu,a\n", format, skip) ==
          ", line 1, column 2: found a quote that is not closed on its line; expected a closing quote");
    CHECK(parse_error("a\tb\n1\t2\n", {.header = kd::DelimitedFormat::Header::first_line, .value = 2}) ==
          ", line 1: found 2 columns; expected at least 3");
  }

  TEST_CASE("milliseconds are no seconds, unless they are asked for") {
    CHECK(parse_error("u\ta\t1\t1260759144000\n") ==
          ", line 1, column 4: found '1260759144000'; expected a time in seconds since 1970, below 10^11 (TimeFormat::unix_milliseconds "
          "reads "
          "milliseconds, iso_8601 dates)");
    CHECK(parse_error("u\ta\t1\t-1260759144000.0\n") != "no error");
    CHECK(read_text("u\ta\t1\t99999999999\n").times == std::vector<std::int64_t>{99'999'999'999});
    const kd::DelimitedFormat milliseconds{.time_format = kd::DelimitedFormat::TimeFormat::unix_milliseconds};
    CHECK(read_text("u\ta\t1\t1260759144999\n", milliseconds).times == std::vector<std::int64_t>{1260759144});
    CHECK(read_text("u\ta\t1\t-1\n", milliseconds).times == std::vector<std::int64_t>{-1});
    CHECK(parse_error("u\ta\t1\t1260759144000000\n", milliseconds) ==
          ", line 1, column 4: found '1260759144000000'; expected a time in milliseconds since 1970, below 10^14");
  }

  TEST_CASE("a CR that is not before LF makes a bad line") {
    const kd::DelimitedFormat pairs{.value = {}, .time = {}};
    const std::string wanted = "; expected line ends LF or CR LF: convert files of classic Mac OS, whose lines end with CR, first";
    CHECK(parse_error("ann\tx\rbob\ty\rcat\tz\r", pairs) == ", line 1: found a CR that is not before LF, at byte 6 of the line" + wanted);
    CHECK(parse_error("ann\tx\rbob\ty\r", pairs, skip).find("a CR that is not before LF") != std::string::npos);
    CHECK(parse_error("# a remark\rann\tx\n", {.comment_prefix = "#", .value = {}, .time = {}}) != "no error");
    // Beyond the limit as well.
    std::string mac;
    for (int n = 0; n < 1'000; ++n) mac += "u" + std::to_string(n) + "\tx\r";
    for (const std::size_t block : {std::size_t{50}, std::size_t{1} << 20})
      CHECK(parse_error(mac, pairs, {.max_line_bytes = 500, .block_bytes = block}) ==
            ", line 1: found a line longer than 500 bytes with a CR that is not before LF" + wanted);
    // In every place of the 64 bytes that are looked at together, in the middle of a line and before its CR LF.
    for (std::size_t at = 1; at < 140; ++at) {
      const std::string before(at, 'a');
      CAPTURE(at);
      CHECK(parse_error("u\ti\n" + before + "\rb\ti\n", pairs).starts_with(", line 2: found a CR"));
      CHECK(parse_error("u\ti\n" + before + "\ti\r\r\n", pairs).starts_with(", line 2: found a CR"));
      CHECK(read_text("u\ti\n" + before + "\ti\r\nv\tj\r", pairs).matrix.nnz() == 3);
    }
    const kd::Dataset data = read_text("ann\tx\r\r\nbob\tx\r\n\r\r\n", pairs, skip);
    CHECK(keys(data.users) == std::vector<std::string>{"bob"});
    CHECK(data.load.bad_lines == 2);
  }

  TEST_CASE("a byte order mark of a second file makes a bad line") {
    const std::string mark = "\xEF\xBB\xBF";
    const kd::DelimitedFormat comma{.separator = ",", .time = {}};
    CHECK(parse_error(mark + "ann,x,3\n" + mark + "ann,y,4\n", comma) ==
          ", line 2: found a byte order mark (U+FEFF) at byte 1 of the line; expected one at the start of the file alone: were files "
          "joined?");
    CHECK(parse_error(mark + mark + "ann,x,3\n", comma) != "no error");
    const kd::Dataset data = read_text(mark + "ann,x,3\n" + mark + "ann,y,4\n", comma, skip);
    CHECK(data.matrix.nnz() == 1);
    CHECK(data.load.first_bad.at(0).line == 2);
    // A first file without a last line end.
    CHECK(parse_error("ann,x,3" + mark + "ann,y,4\n", comma) != "no error");
    const kd::DelimitedFormat more{.separator = ",", .field_rule = kd::DelimitedFormat::FieldRule::at_least, .value = {}, .time = {}};
    CHECK(parse_error("ann,x" + mark + "bob,y\n", more).find("(U+FEFF) at byte 6") != std::string::npos);
    // The character inside a name is text.
    CHECK(keys(read_text("ann,a" + mark + "b,3\n", comma).items) == std::vector<std::string>{"a" + mark + "b"});
  }

  TEST_CASE("quotes that stay open make all lines bad up to where they close") {
    const kd::DelimitedFormat csv{
        .separator = ",", .header = kd::DelimitedFormat::Header::first_line, .quoting = kd::DelimitedFormat::Quoting::rfc_4180, .time = {}};
    const std::string text =
        "user,item,plays\nu1,\"liked it\nu2,b,5\nu3,c,6\nvery much\",4\nu4,d,7\nu5,\"a \"\"b\n\"\"c\",1\nu6,e,8\n"
        "u7,\"x\ny\",\"z\nw\"\nu8,f,9\nu9,\"g\"h,1\nu10,i,2\n";
    for (const std::size_t block : {std::size_t{1}, std::size_t{20}, std::size_t{1} << 18})
      for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
        const kd::Dataset data = read_text(
            text, csv, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .execution = {.threads = threads}, .block_bytes = block});
        CHECK(keys(data.users) == std::vector<std::string>{"u4", "u6", "u8", "u10"});
        CHECK(data.load.bad_lines == 10);
        CHECK(data.load.first_bad.at(0).line == 2);
        CHECK(data.load.first_bad.at(1).reason ==
              "found a line inside the quotes of a field that an earlier line opened; expected a field on one line");
      }
    // In a line beyond the limit as well, and where the text ends inside quotes.
    const std::string wide(100, 'w');
    for (const std::size_t block : {std::size_t{8}, std::size_t{1} << 18}) {
      const kd::Dataset data = read_text("user,item,plays\nu0,a,1\nu1,\"" + wide + "\nu2,b,5\nvery much\",4\nu4,d,7\nu5,\"\nu6,e,1\n", csv,
                                         {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .max_line_bytes = 60, .block_bytes = block});
      CHECK(keys(data.users) == std::vector<std::string>{"u0", "u4"});
    }
  }

  TEST_CASE("Matrix Market files are refused by name") {
    const std::string text = " matrix coordinate real general\n% made for a test\n3 4 2\n1 1 2\n3 4 2\n";
    const kd::DelimitedFormat format{.separator = " ", .comment_prefix = "%", .time = {}};
    for (const std::string start : {"%%MatrixMarket", "%%matrixmarket", "\xEF\xBB\xBF%%MatrixMarket"})
      CHECK(parse_error(start + text, format, skip) ==
            ", line 1: found the header of a Matrix Market file; expected rows of interactions: remove all lines up to that of the sizes, "
            "which is no interaction");
    CHECK(read_text("%%MatrixMarke" + text.substr(0, 9) + "\n1 1 2\n", format).matrix.nnz() == 1);
  }

  TEST_CASE("more threads than blocks are not used") {
    CHECK(read_text("u\ta\t1\n", {}, {.execution = {.threads = 4'096}}).matrix.nnz() == 1);
    CHECK_THROWS_WITH_AS(read_text("u\ta\t1\n", {}, {.execution = {.threads = static_cast<std::size_t>(-1)}}),
                         doctest::Contains("threads is 18446744073709551615"), kd::InvalidArgument);
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("u\ta\t1\nu\tb\t1\n");
    CHECK(kd::detail::TableReader(path, {}, {.block_bytes = 4}).most_threads() == 4);
    CHECK(kd::detail::TableReader(path, {}, {.block_bytes = 1 << 20}).most_threads() == 1);
    const kd::ReadOptions::OpenBytes nothing = [](const std::string&) { return [](char*, std::size_t) { return std::size_t{0}; }; };
    CHECK(kd::detail::TableReader(path, {}, {.open = nothing}).most_threads() == 256);
  }

  TEST_CASE("a reader of the caller that breaks its word") {
    const kd::ReadOptions::OpenBytes none = [](const std::string&) { return kd::ReadOptions::ReadBytes(); };
    CHECK_THROWS_WITH_AS((void)kd::read_delimited("x", {}, {.open = none}), doctest::Contains("an empty function"), kd::InvalidArgument);
    const kd::ReadOptions::OpenBytes too_many = [](const std::string&) { return [](char*, std::size_t most) { return most + 1; }; };
    CHECK_THROWS_WITH_AS((void)kd::read_delimited("x", {}, {.open = too_many}), doctest::Contains("asked for"), kd::InvalidArgument);
  }

  TEST_CASE("times in words") {
    const kd::DelimitedFormat format{.value = {}, .time = 2, .time_format = kd::DelimitedFormat::TimeFormat::iso_8601};
    const kd::Dataset data = read_text("u\ta\t2009-05-04T23:08:57Z\nu\ta\t2009-05-04T23:08:56Z\n", format);
    CHECK(data.times == std::vector<std::int64_t>{1241478536});
    CHECK(parse_error("u\ta\tyesterday\n", format) ==
          ", line 1, column 3: found 'yesterday'; expected a time such as 2009-05-04T23:08:57Z, 2009-05-04 23:08:57 or 2009-05-04");
    CHECK(read_text("u\ta\t9999-12-31\n", format).times == std::vector<std::int64_t>{253402214400});
    CHECK(read_text("u\ta\t1\t12.5\n").times == std::vector<std::int64_t>{12});
    CHECK(read_text("u\ta\t1\t1260759144.0\n").times == std::vector<std::int64_t>{1260759144});
    CHECK(read_text("u\ta\t1\t-7\n").times == std::vector<std::int64_t>{-7});
    CHECK(read_text("u\ta\t-7\n", {.value = {}, .time = 2, .time_format = kd::DelimitedFormat::TimeFormat::unix_seconds}).times ==
          std::vector<std::int64_t>{-7});
  }

  TEST_CASE("a column by index, by name, or none") {
    CHECK(kd::DelimitedFormat::Column().is_none());
    const kd::DelimitedFormat::Column third = 2, named = "plays";
    CHECK_FALSE(third.is_none());
    CHECK(std::get<std::size_t>(third.place) == 2);
    CHECK(std::get<std::string>(named.place) == "plays");
    CHECK_FALSE(third.optional);
    CHECK(kd::DelimitedFormat::if_present(third).optional);
  }

  TEST_CASE("a space as separator, and two characters") {
    CHECK(value(read_text("u a 2\n", {.separator = " "}), "u", "a") == 2.0F);
    CHECK(parse_error("u a 2\nu  a 2\n", {.separator = " "}) ==
          ", line 2: found 4 fields; expected 3 fields separated by ' ', as in the first line");
    CHECK(value(read_text("u::a::2::7\n", {.separator = "::"}), "u", "a") == 2.0F);
  }

  TEST_CASE("CR LF, no last line end, a byte order mark, blank lines") {
    const kd::Dataset plain = read_text("u\ta\t1\nv\tb\t2\n");
    for (const std::string content : {"u\ta\t1\r\nv\tb\t2\r\n", "u\ta\t1\nv\tb\t2", "u\ta\t1\r\nv\tb\t2\r",
                                      "\xEF\xBB\xBFu\ta\t1\nv\tb\t2\n", "\n\r\nu\ta\t1\n\nv\tb\t2\n\n"}) {
      CAPTURE(content);
      const kd::Dataset data = read_text(content);
      CHECK(data.matrix == plain.matrix);
      CHECK(data.users == plain.users);
      CHECK(data.items == plain.items);
    }
  }

  TEST_CASE("ids keep spaces, quotes and letters of every script") {
    const kd::Dataset data = read_text(" u \t\"a\" 12\" mix\t1\nu\t\xE6\xA4\x8D\xE6\x9D\xBE\t1\n");
    CHECK(keys(data.users) == std::vector<std::string>{" u ", "u"});
    CHECK(keys(data.items) == std::vector<std::string>{"\"a\" 12\" mix", "\xE6\xA4\x8D\xE6\x9D\xBE"});
  }
}

TEST_SUITE("read_delimited: values") {
  TEST_CASE("zero is no interaction: dropped, counted, and its user and item are not known") {
    const kd::Dataset data = read_text("u\ta\t0\nv\tb\t1\nw\tb\t-0.0\n");
    CHECK(keys(data.users) == std::vector<std::string>{"v"});
    CHECK(keys(data.items) == std::vector<std::string>{"b"});
    CHECK(data.load.dropped == std::map<std::string, std::uint64_t>{{"zero value", 2}});
    CHECK(data.load.rows == 1);
  }

  TEST_CASE("negative values are bad lines, or dislikes") {
    CHECK(parse_error("u\ta\t1\nu\tb\t-3\n") ==
          ", line 2, column 3: found '-3'; expected a value of at least 0 (NegativeValue::keep reads dislikes)");
    CHECK(value(read_text("u\ta\t-3\n", {.negative = kd::DelimitedFormat::NegativeValue::keep}), "u", "a") == -3.0F);
  }

  TEST_CASE("a pair that sums to zero goes, with a user or item that has nothing else") {
    const kd::DelimitedFormat format{.negative = kd::DelimitedFormat::NegativeValue::keep, .item_name = 4};
    const kd::Dataset data =
        read_text("u\ta\t2\t1\tA\nv\ta\t1\t2\tA\nu\ta\t-2\t3\tA\nv\tb\t1\t4\tB\nv\tc\t1\t5\tC\nv\tc\t-1\t6\tC\nv\tb\t1\t7\tB\n", format);
    CHECK(keys(data.users) == std::vector<std::string>{"v"});
    CHECK(keys(data.items) == std::vector<std::string>{"a", "b"});
    CHECK(data.item_names == std::vector<std::string>{"A", "B"});
    CHECK(data.times == std::vector<std::int64_t>{2, 4});
    CHECK(data.raw_rows == std::vector<std::uint32_t>{1, 2});
    CHECK(data.load.dropped == std::map<std::string, std::uint64_t>{{"sum of zero", 4}});
    CHECK(data.load.merged == 1);
  }

  TEST_CASE("a minimum") {
    const kd::Dataset data = read_text("u\ta\t3\nu\tb\t3.5\nv\tc\t4\n", {.min_value = 3.5F});
    CHECK(keys(data.items) == std::vector<std::string>{"b", "c"});
    CHECK(data.load.dropped == std::map<std::string, std::uint64_t>{{"below the minimum", 1}});
  }

  TEST_CASE("numbers that are none") {
    for (const std::string text : {"", "x", "+1", "1 ", "0x1F", "nan", "inf", "1e39", "1e-60", "1,5"}) {
      CHECK(parse_error("u\ta\t" + text + "\n") ==
            ", line 1, column 3: found '" + text + "'; expected a decimal number within the range of a float");
    }
    CHECK(parse_error("u\ta\t" + std::string(200, '1')).find("'111") != std::string::npos);
    CHECK(parse_error("u\ta\t" + std::string(5'000, 'z')).size() < 200);
  }

  TEST_CASE("a sum beyond a float is refused, by the keys of the file") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("v\tb\t1\nu\ta\t3e38\nu\ta\t3e38\n");
    try {
      (void)kd::read_delimited(path);
      FAIL("no error");
    } catch (const kd::InvalidArgument& error) {
      CHECK(std::string_view(error.what()).starts_with("the sum of user 'u' and item 'a' in " + path + " is 6"));
    }
  }
}

TEST_SUITE("read_delimited: bad lines") {
  TEST_CASE("the first one ends strict reading, and says where") {
    CHECK(parse_error("u\ta\t1\n\ta\t1\n") == ", line 2, column 1: found an empty user id; expected a user id");
    CHECK(parse_error("u\t\t1\n") == ", line 1, column 2: found an empty item id; expected an item id");
    CHECK(parse_error("u\ta\t1\nu\ta\n") == ", line 2: found 2 fields; expected 3 fields separated by '\\t', as in the first line");
    CHECK(parse_error("u a 1\n") == ", line 1: found 1 field; expected at least 2 fields separated by '\\t'");
    CHECK(parse_error("u\tcaf\xE9\t1\n") == ", line 1, column 2: found byte 0xE9 at byte 6 of the line; expected UTF-8 text");
    CHECK(parse_error(std::string("u\ta\0b\t1\n", 9)) == ", line 1, column 2: found byte 0x00 at byte 4 of the line; expected UTF-8 text");
    CHECK(parse_error("u\t\"a\nb\"\t1\n", {.quoting = kd::DelimitedFormat::Quoting::rfc_4180}) ==
          ", line 1, column 2: found a quote that is not closed on its line; expected a closing quote");
    CHECK(parse_error("u\ta\t1\nu\t" + std::string(100, 'x') + "\t1\n", {}, {.max_line_bytes = 99}) ==
          ", line 2: found a line longer than 99 bytes; expected at most 99 bytes (ReadOptions::max_line_bytes)");
    try {
      (void)read_text("u\ta\t1\nu\tb\tx\n");
      FAIL("a bad line was read");
    } catch (const kd::ParseError& error) {
      CHECK(error.line() == 2);
      CHECK(error.column() == 3);
    }
  }

  TEST_CASE("skipped ones are counted, and the first few kept") {
    const std::string content =
        "u\ta\t1\n\tbad\t1\nu\tbad\tx\n" + std::string(2'000'000, 'x') + "\nu\tbad\nv\tb\xFF\t1\nw\tbad\t-1\nv\tb\t2";
    const kd::Dataset data = read_text(content, {}, skip);
    CHECK(data.load.lines == 8);
    CHECK(data.load.rows == 2);
    CHECK(data.load.bad_lines == 6);
    CHECK(keys(data.users) == std::vector<std::string>{"u", "v"});
    CHECK(keys(data.items) == std::vector<std::string>{"a", "b"});
    REQUIRE(data.load.first_bad.size() == 6);
    CHECK(data.load.first_bad[0].line == 2);
    CHECK(data.load.first_bad[0].column == 1);
    CHECK(data.load.first_bad[0].reason == "found an empty user id; expected a user id");
    CHECK(data.load.first_bad[2].line == 4);
    CHECK(data.load.first_bad[2].reason.starts_with("found a line longer than 1048576 bytes"));
    CHECK(data.load.first_bad[5].line == 7);

    const kd::Dataset few = read_text(content, {}, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .first_bad = 2});
    CHECK(few.load.bad_lines == 6);
    CHECK(few.load.first_bad.size() == 2);
  }

  TEST_CASE("a line that is malformed is bad even where it would be dropped") {
    CHECK(parse_error("u\t\tx\n", {.empty_item = kd::DelimitedFormat::EmptyItem::drop}) ==
          ", line 1, column 3: found 'x'; expected a decimal number within the range of a float");
  }

  TEST_CASE("more or fewer fields, where the format says so") {
    const kd::DelimitedFormat format{.field_rule = kd::DelimitedFormat::FieldRule::at_least, .value = 2, .time = {}};
    const kd::Dataset data = read_text("u\ta\t1\nu\tb\t2\textra\nu\tc\t3\t\t\t\n", format);
    CHECK(data.matrix.nnz() == 3);
    CHECK(parse_error("u\ta\t1\nu\ta\n", format) == ", line 2: found 2 fields; expected at least 3 fields separated by '\\t'");
    // A given number of fields that is too small for the columns makes every line bad.
    CHECK(parse_error("u\ta\n", {.field_count = 2, .value = 2}) ==
          ", line 1: found 2 fields; expected at least 3 fields separated by '\\t'");
  }

  TEST_CASE("empty items: another column, or dropped and counted") {
    const kd::DelimitedFormat fallback{.item_fallback = 2, .value = {}, .time = {}};
    CHECK(keys(read_text("u\ta\tA\nu\t\tB\n", fallback).items) == std::vector<std::string>{"a", "B"});
    CHECK(parse_error("u\t\t\n", fallback) == ", line 1, column 2: found an empty item id; expected an item id");
    const kd::Dataset data = read_text("u\ta\t1\nv\t\t1\n", {.empty_item = kd::DelimitedFormat::EmptyItem::drop});
    CHECK(keys(data.users) == std::vector<std::string>{"u"});
    CHECK(data.load.dropped == std::map<std::string, std::uint64_t>{{"no item key", 1}});
  }
}

TEST_SUITE("read_delimited: files") {
  TEST_CASE("no rows is an error, only dropped rows is an empty dataset") {
    const std::string no_rows = ": found no rows; expected at least one row of data";
    CHECK(parse_error("") == no_rows);
    CHECK(parse_error("\xEF\xBB\xBF\n\n") == no_rows);
    CHECK(parse_error("# nothing\n", {.comment_prefix = "#"}) == no_rows);
    CHECK(parse_error("user\titem\n", {.header = kd::DelimitedFormat::Header::first_line}) == no_rows);
    CHECK(parse_error("\n", {.header = kd::DelimitedFormat::Header::first_line}) == no_rows);
    CHECK(parse_error("u\n\nv\n", {}, skip) ==
          ": found no good rows in 2 lines (line 1: found 1 field; expected at least 2 fields separated by '\\t'); expected at least one "
          "row of data");

    const kd::Dataset empty = read_text("u\ta\t0\n");
    CHECK(empty.matrix.shape() == kd::MatrixShape{0, 0});
    CHECK(empty.users.empty());
    CHECK(empty.load.dropped.at("zero value") == 1);
  }

  TEST_CASE("a missing file, a directory, other kinds of file") {
    const kd::test::TemporaryDirectory directory;
    const std::string missing = directory.path("missing.tsv");
    CHECK_THROWS_WITH_AS((void)kd::read_delimited(missing), (missing + ": cannot open: No such file or directory").c_str(), kd::IoError);
    CHECK_THROWS_WITH_AS((void)kd::read_delimited(directory.path()), (directory.path() + ": cannot read: Is a directory").c_str(),
                         kd::IoError);
    CHECK(parse_error(std::string("\xFF\xFEu\0\t\0", 6), {}, skip) == ": found a UTF-16 byte order mark; expected UTF-8 text");
  }

  TEST_CASE("progress: told in bytes, stops and keeps, cancels") {
    std::string content;
    for (int n = 0; n < 100'000; ++n) content += "user" + std::to_string(n % 500) + "\titem" + std::to_string(n) + "\t1\n";
    std::vector<kd::Progress> told;
    kd::ReadOptions options;
    options.progress = [&](const kd::Progress& p) {
      told.push_back(p);
      return kd::ProgressAnswer::keep_going;
    };
    const kd::Dataset all = read_text(content, {}, options);
    CHECK(!all.load.stopped);
    REQUIRE(told.size() > 2);
    for (std::size_t n = 0; n < told.size(); ++n) {
      CHECK(told[n].what == "read");
      CHECK(told[n].total == content.size());
      CHECK(told[n].elapsed_seconds >= 0.0);
      if (n > 0) CHECK(told[n].done > told[n - 1].done);
    }
    CHECK(told.back().done == content.size());

    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file(content);
    options.progress = [](const kd::Progress& p) {
      return 2 * p.done > p.total ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    const kd::Dataset some = kd::read_delimited(path, {}, options);
    CHECK(some.load.stopped);
    CHECK(some.load.lines == some.load.rows);
    CHECK(some.matrix.nnz() == static_cast<kd::Offset>(some.load.rows));
    CHECK(some.matrix.nnz() > 0);
    CHECK(some.matrix.nnz() < all.matrix.nnz());
    for (kd::Index i = 0; i < some.items.size(); ++i) CHECK(some.items.key(i) == all.items.key(i));  // the first lines of the file

    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_WITH_AS((void)kd::read_delimited(path, {}, options),
                         ("reading " + path + " was cancelled by its progress callback").c_str(), kd::Cancelled);
  }

  TEST_CASE("formats and options that make no sense") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("u\ta\t1\n");
    const auto read = [&](const kd::DelimitedFormat& format, const kd::ReadOptions& options = {}) {
      return kd::read_delimited(path, format, options);
    };
    CHECK_THROWS_WITH_AS((void)read({.user = "user"}),
                         "column is 'user'; it must be an index from 0: the format has no header to find a name in", kd::InvalidArgument);
    CHECK_THROWS_AS((void)read({.user = {}}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)read({.item = kd::DelimitedFormat::if_present(1)}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)read({.user = 1, .item = 1}), "item is the same column as user; it must be a column of its own",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::DelimitedFormat::Column(-1), "column is -1; it must be at least 0", kd::InvalidArgument);
    CHECK_THROWS_AS((void)read({.separator = ""}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)read({}, {.max_line_bytes = 0}), "max_line_bytes is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)read({}, {.block_bytes = 0}), "block_bytes is 0; it must be in [1, 2^30]", kd::InvalidArgument);
    CHECK_THROWS_AS((void)read({}, {.block_bytes = (std::size_t{1} << 30) + 1}), kd::InvalidArgument);
    CHECK_NOTHROW((void)read({}, {.max_line_bytes = 5, .block_bytes = 1}));
    const std::string long_first = directory.file(std::string(200, 'x') + "\nu\ta\t1\n", "long.tsv");
    const kd::Dataset after =
        kd::read_delimited(long_first, {}, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .max_line_bytes = 10, .block_bytes = 4});
    CHECK(after.load.bad_lines == 1);
    CHECK(after.load.lines == 2);
    CHECK(after.matrix.nnz() == 1);
    CHECK_THROWS_AS((void)read({}, {.max_line_bytes = 4}), kd::ParseError);
  }

  // Properties: a random dataset written as text is read back as it was, whatever the line ends, the separator and the quoting.
  TEST_CASE("round trip of random datasets") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(11, kd::detail::RandomStream::sample);
    for (int trial = 0; trial < 24; ++trial) {
      const std::string end = trial % 2 == 0 ? "\n" : "\r\n";
      const bool last_end = trial % 3 != 0;
      const bool csv = trial % 4 == 1;
      const std::string separator = csv ? "," : trial % 5 == 0 ? "::" : "\t";
      const std::uint32_t n_users = 1 + random.below(30);
      const std::uint32_t n_items = 1 + random.below(40);
      const auto name = [&](char kind, std::uint32_t n) {
        return std::string(1, kind) + (csv ? ", \"" : " \xC3\xA9 \"") + std::to_string(n) + "\"";
      };
      const auto field = [&](const std::string& text) {
        std::string doubled;
        for (const char c : text) doubled += c == '"' ? "\"\"" : std::string(1, c);
        return csv ? "\"" + doubled + "\"" : text;
      };

      std::map<std::pair<std::string, std::string>, std::pair<float, std::int64_t>> expected;
      std::string content;
      for (std::uint32_t n = 0; n < 200; ++n) {
        const std::string user = name('u', random.below(n_users));
        const std::pair pair(user, name('i', random.below(n_items)));
        if (expected.contains(pair)) continue;
        const auto number = static_cast<float>(1.0 + 1e4 * random.uniform());
        const auto time = static_cast<std::int64_t>(random());
        expected[pair] = {number, time};
        char text[40];
        std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(number));
        content += (content.empty() ? "" : end) + field(pair.first) + separator + field(pair.second) + separator + text + separator +
                   std::to_string(time);
      }
      if (last_end) content += end;

      const kd::Dataset data = kd::read_delimited(
          directory.file(content),
          {.separator = separator, .quoting = csv ? kd::DelimitedFormat::Quoting::rfc_4180 : kd::DelimitedFormat::Quoting::none});
      data.check();
      REQUIRE(static_cast<std::size_t>(data.matrix.nnz()) == expected.size());
      for (kd::Index u = 0; u < data.matrix.rows(); ++u) {
        const kd::SparseRow row = data.matrix.row(u);
        for (std::size_t n = 0; n < row.size(); ++n) {
          const auto& [number, time] = expected.at({std::string(data.users.key(u)), std::string(data.items.key(row.columns[n]))});
          CHECK(row.values[n] == number);
          CHECK(data.times[static_cast<std::size_t>(data.matrix.offsets()[static_cast<std::size_t>(u)]) + n] == time);
        }
      }
    }
  }

  // Whatever the bytes are: a dataset whose report adds up (read_text checks that), or a ParseError.
  TEST_CASE("random bytes are read or refused") {
    kd::detail::Random random(13, kd::detail::RandomStream::sample);
    constexpr std::string_view alphabet("\t\t\t\n\n\r\",ab11-.e\xC3\xA9\xEF\xBB\xBF\0#", 22);
    int read = 0;
    for (int trial = 0; trial < 600; ++trial) {
      std::string content;
      for (std::uint32_t n = random.below(300); n > 0; --n) content += alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
      const kd::DelimitedFormat format{
          .quoting = trial % 2 == 0 ? kd::DelimitedFormat::Quoting::none : kd::DelimitedFormat::Quoting::rfc_4180,
          .comment_prefix = "#",
          .field_rule = trial % 3 == 0 ? kd::DelimitedFormat::FieldRule::same : kd::DelimitedFormat::FieldRule::at_least,
          .negative = kd::DelimitedFormat::NegativeValue::keep};
      try {
        (void)read_text(content, format, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .max_line_bytes = 20});
        ++read;
      } catch (const kd::ParseError&) {
      }
    }
    CHECK(read > 50);
  }
}

TEST_SUITE("read_delimited: real files") {
  TEST_CASE("the sample of Last.fm 360K as quoted CSV, columns by name") {
    const auto path = kd::test::real_data("lastfm-360k-slice/lastfm_9000sample.csv");
    if (!path) return;
    const auto read = [&](kd::DelimitedFormat::Column item, kd::DelimitedFormat::EmptyItem empty) {
      return kd::read_delimited(*path, {.separator = ",",
                                        .header = kd::DelimitedFormat::Header::first_line,
                                        .quoting = kd::DelimitedFormat::Quoting::rfc_4180,
                                        .user = "user_id",
                                        .item = std::move(item),
                                        .empty_item = empty,
                                        .value = "plays",
                                        .time = {},
                                        .item_name = "artist_name"});
    };
    const kd::Dataset by_name = read("artist_name", kd::DelimitedFormat::EmptyItem::bad_line);
    CHECK(by_name.load.rows == 9'000);
    CHECK(by_name.users.size() == 8'883);
    CHECK(by_name.items.size() == 4'965);
    const kd::Dataset by_mbid = read("artist_mbid", kd::DelimitedFormat::EmptyItem::drop);
    CHECK(by_mbid.load.dropped.at("no item key") == 105);
    CHECK(by_mbid.load.rows == 8'895);

    // Which mbid stands under which names: the file as a matrix of mbids and names; rows without an mbid are bad lines of it.
    const kd::Dataset spellings = kd::read_delimited(*path,
                                                     {.separator = ",",
                                                      .header = kd::DelimitedFormat::Header::first_line,
                                                      .quoting = kd::DelimitedFormat::Quoting::rfc_4180,
                                                      .user = "artist_mbid",
                                                      .item = "artist_name",
                                                      .value = {},
                                                      .time = {}},
                                                     skip);
    const auto several = [](const std::vector<kd::Index>& counts) {
      return std::count_if(counts.begin(), counts.end(), [](kd::Index count) { return count > 1; });
    };
    CHECK(several(kd::row_counts(spellings.matrix)) == 32);
    CHECK(several(kd::column_counts(spellings.matrix)) == 12);
  }

  TEST_CASE("the events of the Jodie study: user, item, seconds") {
    const auto path = kd::test::real_data("lastfm-1k/jodie_lastfm_first10pct.tsv");
    if (!path) return;
    const kd::Dataset data = kd::read_delimited(*path, {.value = {}, .time = 2});
    CHECK(data.load.rows == 129'310);
    CHECK(data.users.size() == 304);
    CHECK(data.items.size() == 789);
    CHECK(data.matrix.nnz() == 22'700);
    CHECK(data.times.size() == 22'700);
    CHECK(data.times.front() == 0);
  }
}
