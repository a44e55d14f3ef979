// SPDX-License-Identifier: MIT
#include <kindred/io/write_csr_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/storage/csr_file.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

// 2^20 bytes sort 32,768 interactions at a time.
const kd::CsrFileOptions least{.memory_limit = std::uint64_t{1} << 20};

}  // namespace

TEST_SUITE("io/write_csr_file") {
  TEST_CASE("a text file becomes what read_delimited reads, names included") {
    const kd::test::TemporaryDirectory directory;
    std::string text = "user,item,plays\n";
    for (std::size_t n = 0; n < 60'000; ++n) {
      kd::detail::Random random(3, kd::detail::RandomStream::sample, n);
      const std::string user = std::to_string(random.below(700)), item = std::to_string(random.below(400));
      text += "user " + user + ",\"item, " + item + "\"," + std::to_string(n % 7) + "\n";
    }
    const std::string source = directory.file(text + "bad line\nuser 1,item 1,many\n");
    const kd::DelimitedFormat format{
        .separator = ",", .header = kd::DelimitedFormat::Header::first_line, .quoting = kd::DelimitedFormat::Quoting::rfc_4180};
    const kd::ReadOptions lenient{.on_bad_line = kd::ReadOptions::BadLinePolicy::skip};
    const kd::Dataset wanted = kd::read_delimited(source, format, lenient);
    const std::string path = directory.path("plays.csr");
    const kd::LoadReport report = kd::write_csr_file(source, path, format, least, lenient);
    CHECK(report.rows == wanted.load.rows);
    CHECK(report.dropped == wanted.load.dropped);
    CHECK(report.bad_lines == 2);
    const kd::CsrFile file(path);
    file.verify();
    CHECK(kd::CsrMatrix(file.block(0).rows) == wanted.matrix);
    REQUIRE(file.has_keys());
    for (kd::Index u = 0; u < file.shape().users; ++u) REQUIRE(file.user_key(u) == wanted.users.key(u));
    for (kd::Index i = 0; i < file.shape().items; ++i) REQUIRE(file.item_key(i) == wanted.items.key(i));
    CHECK_THROWS_AS((void)file.item_key(file.shape().items), kd::InvalidArgument);

    CHECK_THROWS_WITH_AS(kd::write_csr_file(source, path, format, least), doctest::Contains("line 60002"), kd::ParseError);
    CHECK_THROWS_WITH_AS(
        kd::write_csr_file(directory.file("ann\tfirst\t2\nbob\tfirst\tmany\n", "text"), directory.path("other.csr"), {}, least),
        doctest::Contains("line 2, column 3: found 'many'"), kd::ParseError);
    CHECK(kd::CsrMatrix(kd::CsrFile(path).block(0).rows) == wanted.matrix);  // an error leaves what was there
  }

  TEST_CASE("a build after a failed one is of its own input, columns and minimum alone") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    const auto text = [&](const char* value, const char* last) {
      std::string lines;
      for (int n = 0; n < 80'000; ++n) lines += "u" + std::to_string(n % 500) + "\ti" + std::to_string(n % 901) + "\t" + value + "\t7\n";
      return directory.file(lines + last, "plays.tsv");
    };
    const auto total = [&] {
      const kd::CsrFile file(path);
      double sum = 0.0;
      for (const float value : file.block(0).rows.values()) sum += static_cast<double>(value);
      return sum;
    };
    const kd::DelimitedFormat third{.value = 2, .time = {}}, fourth{.value = 3, .time = {}};
    CHECK_THROWS_AS(kd::write_csr_file(text("3", "u1\ti1\tx\t7\n"), path, third, least), kd::ParseError);  // after two runs
    (void)kd::write_csr_file(text("5", "u1\ti1\t5\t7\n"), path, third, least);                             // the same path and size
    CHECK(total() == 5.0 * 80'001);
    CHECK_THROWS_AS(kd::write_csr_file(text("3", "u1\ti1\tx\t7\n"), path, third, least), kd::ParseError);
    (void)kd::write_csr_file(text("3", ""), path, fourth, least);
    CHECK(total() == 7.0 * 80'000);
    kd::DelimitedFormat minimum = third;
    minimum.min_value = 4.0F;
    CHECK_THROWS_AS(kd::write_csr_file(text("3", "u1\ti1\tx\t7\n"), path, third, least), kd::ParseError);
    CHECK_THROWS_WITH_AS(kd::write_csr_file(text("3", ""), path, minimum, least), doctest::Contains("interactions is none"),
                         kd::InvalidArgument);
  }

  TEST_CASE("a sum that is too large names the text file") {
    const kd::test::TemporaryDirectory directory;
    const std::string text = directory.file("ann\tCan\t3e38\nann\tCan\t3e38\n");
    CHECK_THROWS_WITH_AS(kd::write_csr_file(text, directory.path("plays.csr")), doctest::Contains(("item 'Can' in " + text).c_str()),
                         kd::InvalidArgument);
  }
}
