// SPDX-License-Identifier: MIT
#include <kindred/io/event_log.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/io/delimited.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

/// A file with this text, and its folder.
struct TextFile {
  explicit TextFile(std::string_view text) : where(folder.file(text)) {}
  [[nodiscard]] const std::string& path() const { return where; }

  kindred::test::TemporaryDirectory folder;
  std::string where;
};

}  // namespace

TEST_SUITE("io/event_log") {
  TEST_CASE("rows stay apart, with times and kinds, and the object may be moved") {
    const TextFile file("user,item,when,what,n\nben,70,2009-05-04T23:08:57Z,view,1\nanna,70,2009-05-04,buy,2\nben,70,2009-05-05,view,3\n");
    kd::DelimitedFormat format{.separator = ",", .header = kd::DelimitedFormat::Header::first_line};
    format.value = 4;
    format.time = 2;
    format.time_format = kd::DelimitedFormat::TimeFormat::iso_8601;
    kd::EventLog read = kd::read_events(file.path(), format, 3);
    const kd::EventLog log = std::move(read);
    const kd::Events events = log.events();
    CHECK(log.size() == 3);
    CHECK(events.values[2] == 3.0F);
    CHECK(events.times[0] == 1241478537);
    CHECK(events.times[2] - events.times[1] == 86'400);
    const kd::Dataset counted = events.dataset({.weights = {{"view", 1}, {"buy", 5}}});
    CHECK(counted.matrix.row(counted.users.index("ben")).values[0] == 4.0F);
    CHECK(counted.matrix.row(counted.users.index("anna")).values[0] == 10.0F);
    CHECK(log.load().rows == 3);
  }

  TEST_CASE("without times, kinds and values") {
    const TextFile file("a\tx\nb\tx\na\tx\n");
    const kd::EventLog log = kd::read_events(file.path());
    CHECK(log.events().times.empty());
    CHECK(log.events().kinds.size() == 0);
    CHECK(log.events().dataset().matrix == kd::read_delimited(file.path()).matrix);
  }

  TEST_CASE("bad lines and formats") {
    const TextFile file("a\tx\t1\t5\tview\nb\ty\t0\t6\tview\nc\tz\t1\t7\t\n");
    CHECK_THROWS_WITH_AS((void)kd::read_events(file.path(), {}, 4), Contains("an empty kind"), kd::ParseError);
    const kd::EventLog log = kd::read_events(file.path(), {}, 4, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip});
    CHECK(log.size() == 1);
    CHECK(log.load().bad_lines == 1);
    CHECK(log.load().dropped.at("zero value") == 1);
    CHECK_THROWS_WITH_AS((void)kd::read_events(file.path(), {.item_name = 4}), Contains("item_name"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::read_events(file.path(), {}, kd::DelimitedFormat::if_present(4)), Contains("kind"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::read_events("/nowhere/events.tsv"), kd::IoError);
    const TextFile milliseconds("a\tx\t1\t1700000000000\n");
    CHECK_THROWS_AS((void)kd::read_events(milliseconds.path()), kd::ParseError);
  }
}
