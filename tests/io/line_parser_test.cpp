// SPDX-License-Identifier: MIT
#include <kindred/io/line_parser.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/io/delimited_format.hpp>

#include <kindred/core/random.hpp>
#include <kindred/io/delimited_format.hpp>

namespace kd = kindred;
using kd::detail::LineKind;
using kd::detail::LineParser;
using kd::detail::LineProblem;
using Fields = std::vector<std::string>;

namespace {

Fields split(LineParser& parser, std::string_view line) {
  LineProblem problem;
  REQUIRE(parser.parse(line, problem) == LineKind::row);
  return {parser.fields().begin(), parser.fields().end()};
}

LineProblem problem_of(LineParser& parser, std::string_view line) {
  LineProblem problem;
  REQUIRE(parser.parse(line, problem) == LineKind::bad);
  return problem;
}

}  // namespace

TEST_SUITE("line parser") {
  TEST_CASE("separators of one character and of several") {
    LineParser tabs({});
    CHECK(split(tabs, "a\tb c\t") == Fields{"a", "b c", ""});
    CHECK(split(tabs, "\t\t") == Fields{"", "", ""});
    LineParser colons({.separator = "::"});
    CHECK(split(colons, "1::1193:5::978300760") == Fields{"1", "1193:5", "978300760"});
    CHECK(split(colons, "::::") == Fields{"", "", ""});
  }

  TEST_CASE("without quoting a quote is a character") {
    LineParser parser({});
    CHECK(split(parser, "\"a\tb\"") == Fields{"\"a", "b\""});
    CHECK(split(parser, "12\" mix\t\"\"") == Fields{"12\" mix", "\"\""});
  }

  TEST_CASE("quotes of RFC 4180") {
    LineParser parser(
        {.separator = ",", .quoting = kd::DelimitedFormat::Quoting::rfc_4180, .field_rule = kd::DelimitedFormat::FieldRule::at_least});
    CHECK(split(parser, "a,\"b,c\",d") == Fields{"a", "b,c", "d"});
    CHECK(split(parser, "\"\",\"a \"\"b\"\"\",") == Fields{"", "a \"b\"", ""});
    CHECK(split(parser, "\"\"\"\"") == Fields{"\""});
    CHECK(split(parser, "\"many\",\"quoted\",\"fields that together are longer than any short string\"").size() == 3);

    CHECK(problem_of(parser, "a,\"b").found == "a quote that is not closed on its line");
    CHECK(problem_of(parser, "a,\"b").column == 2);
    CHECK(problem_of(parser, "\"a\"b,c").found == "text after a closing quote");
    CHECK(problem_of(parser, "\"a\"b,c").expected == "the separator ','");
    CHECK(problem_of(parser, "a,b\"c").expected == "a field with quotes around it, or without quotes");
  }

  TEST_CASE("blank lines and comments are skipped") {
    LineParser parser({.comment_prefix = "# "});
    LineProblem problem;
    CHECK(parser.parse("", problem) == LineKind::skipped);
    CHECK(parser.parse("# a remark", problem) == LineKind::skipped);
    CHECK(parser.parse("#id\tname", problem) == LineKind::row);
    LineParser plain({});
    CHECK(plain.parse("# a\tremark", problem) == LineKind::row);
    CHECK(plain.parse(" ", problem) == LineKind::bad);  // a space is not nothing; it is one field of two
  }

  TEST_CASE("the number of fields") {
    LineParser first({});
    CHECK(split(first, "a\tb\tc").size() == 3);
    CHECK(problem_of(first, "a\tb").found == "2 fields");
    CHECK(problem_of(first, "a").found == "1 field");
    CHECK(problem_of(first, "a\tb\tc\td").expected == "3 fields separated by '\\t', as in the first line");

    LineParser given({.field_count = 2});
    CHECK(problem_of(given, "a\tb\tc").expected == "2 fields separated by '\\t'");

    LineParser least({.separator = ",", .field_rule = kd::DelimitedFormat::FieldRule::at_least});
    least.require_fields(2);
    CHECK(split(least, "a,b,c,d").size() == 4);
    CHECK(split(least, "a,b").size() == 2);
    CHECK(problem_of(least, "a").expected == "at least 2 fields separated by ','");
  }

  TEST_CASE("fields beyond those that a line may have are counted, not kept") {
    LineParser same({.separator = ","});
    CHECK(same.fields_kept() > 1'000'000);
    CHECK(split(same, "a,b,c").size() == 3);
    CHECK(same.fields_kept() == 3);
    const std::string long_line(1'000'000, ',');
    CHECK(problem_of(same, long_line).found == "1000001 fields");
    CHECK(same.fields().size() == 3);
    LineParser quoted({.separator = ",", .quoting = kd::DelimitedFormat::Quoting::rfc_4180, .field_count = 2});
    CHECK(problem_of(quoted, "\"a\",b,\"c\",d").found == "4 fields");
    CHECK(problem_of(quoted, "a,b,c,d,e\"").column == 5);
    // Until it is settled what columns there are, somebody may look at the others.
    LineParser some({.separator = ",", .field_rule = kd::DelimitedFormat::FieldRule::at_least});
    some.require_fields(2);
    CHECK(split(some, "a,b,c,d").size() == 4);
    some.settle();
    CHECK(split(some, "a,b,c,d") == Fields{"a", "b"});
    CHECK(problem_of(some, "a").found == "1 field");
  }

  TEST_CASE("a byte that is not UTF-8 is named with its field") {
    LineParser parser({});
    const LineProblem problem = problem_of(parser, "a\tcaf\xE9\t1");
    CHECK(problem.column == 2);
    CHECK(problem.found == "byte 0xE9 at byte 6 of the line");
    CHECK(problem.expected == "UTF-8 text");
    CHECK(problem_of(parser, std::string_view("a\tb\t\0", 5)).found == "byte 0x00 at byte 5 of the line");
    LineParser csv({.separator = ",", .quoting = kd::DelimitedFormat::Quoting::rfc_4180});
    CHECK(problem_of(csv, "a,\"b,c\",\xFF").column == 3);
  }

  TEST_CASE("bad lines are found without words too") {
    LineParser parser({.field_count = 2});
    parser.word_problems(false);
    for (const char* line : {"a", "a\tb\tc", "a\t\xFF"}) CHECK(problem_of(parser, line).found.empty());
    CHECK(split(parser, "a\tb") == Fields{"a", "b"});
    parser.word_problems(true);
    CHECK(problem_of(parser, "a").found == "1 field");
  }

  TEST_CASE("separators that cannot be") {
    for (const std::string separator : {"", "\n", "a\r", "::\n"})
      CHECK_THROWS_AS(LineParser({.separator = separator}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(LineParser({.separator = "\"", .quoting = kd::DelimitedFormat::Quoting::rfc_4180}),
                         "separator is '\"'; it must be not empty, and without line ends or active quotes", kd::InvalidArgument);
    CHECK_NOTHROW(LineParser({.separator = "\""}));
  }

  // Whatever the fields hold, quoting them brings them back.
  TEST_CASE("round trip of random quoted fields") {
    kd::detail::Random random(3, kd::detail::RandomStream::sample);
    LineParser parser(
        {.separator = ",", .quoting = kd::DelimitedFormat::Quoting::rfc_4180, .field_rule = kd::DelimitedFormat::FieldRule::at_least});
    for (int trial = 0; trial < 2'000; ++trial) {
      Fields fields(1 + random.below(5));
      std::string line;
      for (std::string& field : fields) {
        for (std::uint32_t n = random.below(8); n > 0; --n) field += "ab,\" \t\xC3\xA9"[random.below(6)];
        std::string doubled;
        for (const char c : field) doubled += c == '"' ? "\"\"" : std::string(1, c);
        line += (&field == fields.data() ? "\"" : ",\"") + doubled + "\"";
      }
      CHECK(split(parser, line) == fields);
    }
  }
}
