// SPDX-License-Identifier: MIT
#include <kindred/storage/csr_file.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/storage/csr_file_writer.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

std::vector<kd::Interaction> random_triplets(std::size_t count, kd::Index users, kd::Index items, std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 0);
  std::vector<kd::Interaction> triplets;
  for (std::size_t n = 0; n < count; ++n)
    triplets.push_back({static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(users))),
                        static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(items))),
                        static_cast<float>(static_cast<int>(random.below(5))) - 1.0F});
  return triplets;
}

std::string write(const kd::test::TemporaryDirectory& directory, const std::vector<kd::Interaction>& triplets, kd::MatrixShape shape) {
  const std::string path = directory.path("plays.csr");
  kd::CsrFileWriter writer(path);
  for (const kd::Interaction& t : triplets) writer.add(t.user, t.item, t.value);
  writer.finish(shape);
  return path;
}

/// All blocks of a source, one below the other.
template <typename Rows>
kd::CsrMatrix gathered(const Rows& rows) {
  kd::detail::CsrBuilder builder(rows.shape());
  for (std::size_t n = 0; n < rows.block_count(); ++n) {
    const kd::RowBlock block = rows.block(n);
    CHECK(builder.rows_ended() == static_cast<std::size_t>(block.first));
    CHECK(block.rows.nnz() == static_cast<kd::Offset>(block.rows.values().size()));
    for (kd::Index r = 0; r < block.rows.rows(); ++r) {
      const kd::SparseRow row = block.rows.row(r);
      for (std::size_t at = 0; at < row.size(); ++at) builder.add(row.columns[at], row.values[at]);
      builder.end_row();
    }
    rows.release(n);
  }
  CHECK(builder.rows_ended() == static_cast<std::size_t>(rows.shape().users));
  return builder.finish();
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_SUITE("storage/csr_file") {
  // Written by the first version that wrote such files, from ann Can 3, ann Neu 1, bob Can 2, cat Neu 5, cat Faust 1, bob Faust 4.
  TEST_CASE("a file of format 1 is read; a newer one is refused by its number") {
    const std::string path = KINDRED_TEST_FORMATS "/plays.csr";
    const kd::CsrFile file(path);
    file.verify();
    REQUIRE(file.shape() == kd::MatrixShape{3, 3});
    CHECK(file.nnz() == 6);
    CHECK(file.user_key(2) == "cat");
    CHECK(file.item_key(2) == "Faust");
    CHECK(file.row(2).columns[0] == 1);
    CHECK(file.row(2).values[0] == 5.0F);
    CHECK(file.by_items().row(0).values[1] == 2.0F);

    const kd::test::TemporaryDirectory directory;
    std::ifstream stream(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    bytes[8] = 2;
    const std::string newer = directory.file(bytes, "newer.csr");
    CHECK_THROWS_WITH_AS(
        kd::CsrFile{newer},
        (newer + ": it is of format 2; this version (" + std::to_string(KINDRED_VERSION_MAJOR) + "." +
         std::to_string(KINDRED_VERSION_MINOR) + "." + std::to_string(KINDRED_VERSION_PATCH) + ") reads format 1, and the file is newer")
            .c_str(),
        kd::FormatError);
  }

  TEST_CASE("both orientations, in blocks of any size") {
    const kd::test::TemporaryDirectory directory;
    const auto triplets = random_triplets(20'000, 300, 170, 1);
    const kd::CsrMatrix wanted = kd::CsrMatrix::from_triplets({310, 180}, triplets);
    const std::string path = write(directory, triplets, {310, 180});
    for (const std::size_t block_bytes : {std::size_t{1}, std::size_t{5'000}, std::size_t{1} << 30}) {
      const kd::CsrFile file(path, block_bytes);
      CHECK(file.shape() == wanted.shape());
      CHECK(file.nnz() == wanted.nnz());
      CHECK((file.block_count() == 1) == (block_bytes > 1'000'000));
      CHECK(gathered(file) == wanted);
      CHECK(gathered(transpose(file)) == kd::transpose(wanted));
      CHECK(gathered(file.by_items()) == kd::transpose(wanted));
      CHECK(gathered(file) == wanted);  // what was let go of comes back
      for (const kd::Index user : {0, 123, 309})
        CHECK(std::vector<kd::Index>(file.row(user).columns.begin(), file.row(user).columns.end()) ==
              std::vector<kd::Index>(wanted.row(user).columns.begin(), wanted.row(user).columns.end()));
      CHECK_FALSE(file.has_keys());
      file.verify();
    }
    const kd::CsrFile file(path);
    CHECK(row_counts(file) == kd::row_counts(wanted));
    CHECK(row_counts(file.by_items()) == kd::column_counts(wanted));
    const kd::CsrFileRows some = rows_between(kd::CsrFile(path, 2'000), 100, 200);
    CHECK(some.shape() == wanted.shape());
    CHECK(some.block(0).first == 100);
    kd::Offset seen = 0;
    for (std::size_t n = 0; n < some.block_count(); ++n) seen += some.block(n).rows.nnz();
    CHECK(seen == some.nnz());
    CHECK(some.nnz() == wanted.offsets()[200] - wanted.offsets()[100]);
    CHECK(gathered(rows_between(file, 0, 310)) == wanted);
    CHECK(rows_between(file, 310, 310).nnz() == 0);
    CHECK(rows_between(file, 50, 50).block_count() == 0);
    CHECK(rows_between(file, 50, 50).nnz() == 0);
    for (const auto& [first, last] : std::vector<std::pair<kd::Index, kd::Index>>{{-1, 3}, {3, 2}, {0, 311}}) {
      CHECK_THROWS_AS((void)rows_between(file, first, last), kd::InvalidArgument);
      CHECK_THROWS_AS((void)kd::rows_between(wanted, first, last), kd::InvalidArgument);
    }
    CHECK_THROWS_WITH_AS((void)file.row(310), "row is 310; it must be in [0, 310)", kd::InvalidArgument);
    CHECK_THROWS_AS((void)file.row(-1), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)file.user_key(0), doctest::Contains("user is 0"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::CsrFile(path, 0), "block_bytes is 0; it must be at least 1", kd::InvalidArgument);
  }

  TEST_CASE("names, each by its place") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("named.csr");
    kd::CsrFileWriter writer(path);
    const std::vector<std::string> users = {"ann", "", "a long name of somebody", "bob"};
    for (std::size_t n = 0; n < users.size(); ++n) writer.add(users[n], n % 2 == 0 ? "even" : "odd", 1.0F);
    writer.finish();
    const kd::CsrFile file(path);
    CHECK(file.has_keys());
    for (std::size_t n = 0; n < users.size(); ++n) CHECK(file.user_key(static_cast<kd::Index>(n)) == users[n]);
    CHECK(file.item_key(0) == "even");
    CHECK(file.item_key(1) == "odd");
    CHECK_THROWS_WITH_AS((void)file.item_key(2), doctest::Contains("item is 2; it must be in [0, 2)"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)file.item_key(-1), kd::InvalidArgument);
  }

  TEST_CASE("a file that is missing or no such file") {
    const kd::test::TemporaryDirectory directory;
    CHECK_THROWS_AS(kd::CsrFile(directory.path("none")), kd::IoError);
    CHECK_THROWS_AS(kd::CsrFile(directory.path()), kd::IoError);
    CHECK_THROWS_WITH_AS(kd::CsrFile(directory.file("", "empty")), doctest::Contains("0 bytes"), kd::FormatError);
    CHECK_THROWS_WITH_AS(kd::CsrFile(directory.file(std::string(5'000, 'x'), "text")), doctest::Contains("not a file of interactions"),
                         kd::FormatError);
  }

  TEST_CASE("any damage is found: in header and offsets at once, elsewhere by verify; never a crash") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = write(directory, random_triplets(400, 30, 20, 2), {30, 20});
    const std::string whole = bytes_of(path);
    const auto found = [&](const std::string& bytes) {
      const std::string damaged = directory.file(bytes, "damaged");
      try {
        const kd::CsrFile file(damaged);
        file.verify();
      } catch (const kd::FormatError& error) {
        CHECK(std::string(error.what()).starts_with(damaged));
        return true;
      }
      return false;
    };
    REQUIRE_FALSE(found(whole));
    kd::detail::CsrFileHeader header = kd::detail::read_csr_header(path, std::as_bytes(std::span(whole.data(), whole.size())));
    std::size_t flips = 0;
    const auto flip = [&](std::size_t at) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      CAPTURE(at);
      CHECK(found(bytes));
      ++flips;
    };
    for (std::size_t at = 0; at < sizeof(header); ++at) flip(at);
    for (const kd::detail::HashedBytes& place : header.sections)
      for (std::size_t at = 0; at < place.bytes; at += 5) flip(place.start + at);
    CHECK(flips > 1'000);
    for (const std::size_t length : {std::size_t{0}, std::size_t{4'095}, std::size_t{4'096}, whole.size() - 1})
      CHECK(found(whole.substr(0, length)));
    CHECK(found(whole + '\0'));

    // Headers that lie, with a checksum that says they do not.
    const auto forged = [&](auto&& change) {
      kd::detail::CsrFileHeader forgery = header;
      change(forgery);
      forgery.checksum = forgery.checksum_of_rest();
      std::string bytes = whole;
      const auto* from = reinterpret_cast<const char*>(&forgery);
      std::copy(from, from + sizeof(forgery), bytes.begin());
      return found(bytes);
    };
    CHECK_FALSE(forged([](kd::detail::CsrFileHeader&) {}));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.version = 2; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.users = 31; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.items = -1; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.nnz = (std::numeric_limits<std::int64_t>::max)(); }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.nnz += 1; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.sections[6].start = 0; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.sections[6].start = ~std::uint64_t{4'095}; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.sections[7].bytes = ~std::uint64_t{0}; }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { std::swap(h.sections[0], h.sections[1]); }));
    CHECK(forged([](kd::detail::CsrFileHeader& h) { h.file_bytes = 0; }));

    // Offsets that fall, or leave a row longer than there are items: the first such is named.
    const std::size_t offsets = header.at(kd::detail::CsrSection::user_offsets).start;
    for (const std::size_t row : {std::size_t{3}, std::size_t{30}}) {
      for (const kd::Offset bad : {kd::Offset{-1}, kd::Offset{100'000}}) {
        std::string bytes = whole;
        std::memcpy(bytes.data() + offsets + row * sizeof(kd::Offset), &bad, sizeof(bad));
        const std::string message = "offset " + std::to_string(row) + " of its rows cannot be";
        CHECK_THROWS_WITH_AS(kd::CsrFile(directory.file(bytes, "damaged")), doctest::Contains(message.c_str()), kd::FormatError);
      }
    }
  }
}
