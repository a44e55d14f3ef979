// SPDX-License-Identifier: MIT
#include <kindred/io/arrow.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>

namespace kd = kindred;
using doctest::Contains;

namespace {

/// Structs that were handed out and not yet released.
int alive = 0;

/// A column: its type, its buffers, and a dictionary perhaps.
struct Column {
  std::string format, name;
  std::vector<std::vector<std::byte>> buffers;  // validity, then what the type has
  std::int64_t length = 0, nulls = 0, offset = 0;
  std::shared_ptr<Column> dictionary = {};
};

template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
Column numbers(std::string format, std::string name, const std::vector<T>& values) {
  return {std::move(format), std::move(name), {{}, bytes_of(values)}, static_cast<std::int64_t>(values.size())};
}

template <typename OffsetOf>
Column texts(std::string format, std::string name, const std::vector<std::string>& values) {
  std::vector<OffsetOf> ends{0};
  std::vector<char> bytes;
  for (const std::string& value : values) {
    bytes.insert(bytes.end(), value.begin(), value.end());
    ends.push_back(static_cast<OffsetOf>(bytes.size()));
  }
  return {std::move(format), std::move(name), {{}, bytes_of(ends), bytes_of(bytes)}, static_cast<std::int64_t>(values.size())};
}

template <typename T>
Column coded(std::string format, std::string name, const std::vector<T>& codes, Column dictionary) {
  Column column = numbers(std::move(format), std::move(name), codes);
  column.dictionary = std::make_shared<Column>(std::move(dictionary));
  return column;
}

using Table = std::vector<Column>;

/// The structs of a batch with everything that they refer to; freed by release.
struct Exported {
  Table table;
  std::deque<ArrowSchema> schemas;
  std::deque<ArrowArray> arrays;
  std::vector<ArrowSchema*> schema_children;
  std::vector<ArrowArray*> array_children;
  std::deque<std::vector<const void*>> buffers;

  ArrowSchema* add_schema(const Column& column) {
    ArrowSchema* const dictionary = column.dictionary ? add_schema(*column.dictionary) : nullptr;
    return &schemas.emplace_back(
        ArrowSchema{column.format.c_str(), column.name.c_str(), nullptr, 0, 0, nullptr, dictionary, nullptr, nullptr});
  }
  ArrowArray* add_array(const Column& column) {
    ArrowArray* const dictionary = column.dictionary ? add_array(*column.dictionary) : nullptr;
    std::vector<const void*>& own = buffers.emplace_back();
    for (const std::vector<std::byte>& buffer : column.buffers) own.push_back(buffer.empty() ? nullptr : buffer.data());
    return &arrays.emplace_back(ArrowArray{column.length, column.nulls, column.offset, static_cast<std::int64_t>(own.size()), 0, own.data(),
                                           nullptr, dictionary, nullptr, nullptr});
  }
};

template <typename Struct>
void release(Struct* owned) {
  delete static_cast<Exported*>(owned->private_data);
  owned->release = nullptr;
  --alive;
}

ArrowSchema schema_of(const Table& table, const char* format = "+s") {
  ++alive;
  auto* const exported = new Exported;
  exported->table = table;
  for (const Column& column : exported->table) exported->schema_children.push_back(exported->add_schema(column));
  return {format,  "", nullptr, 0, static_cast<std::int64_t>(table.size()), exported->schema_children.data(), nullptr, release<ArrowSchema>,
          exported};
}

ArrowArray array_of(const Table& table, std::int64_t offset = 0) {
  ++alive;
  auto* const exported = new Exported;
  exported->table = table;
  for (const Column& column : exported->table) exported->array_children.push_back(exported->add_array(column));
  const std::int64_t length = table.empty() ? 0 : table[0].length - table[0].offset - offset;
  exported->buffers.push_back({nullptr});
  return {length,
          0,
          offset,
          1,
          static_cast<std::int64_t>(table.size()),
          exported->buffers.back().data(),
          exported->array_children.data(),
          nullptr,
          release<ArrowArray>,
          exported};
}

kd::EventLog read(const Table& table, const kd::ArrowColumns& columns = {}, std::int64_t offset = 0) {
  ArrowSchema schema = schema_of(table);
  ArrowArray array = array_of(table, offset);
  return kd::read_arrow(schema, array, columns);
}

/// A stream of tables; after the last it fails, if it has words to say.
struct Stream {
  std::vector<Table> tables;
  std::string failure = {};
  std::size_t next = 0;

  ArrowArrayStream exported() {
    ++alive;
    return {[](ArrowArrayStream* stream, ArrowSchema* out) {
              *out = schema_of(static_cast<Stream*>(stream->private_data)->tables[0]);
              return 0;
            },
            [](ArrowArrayStream* stream, ArrowArray* out) {
              Stream& own = *static_cast<Stream*>(stream->private_data);
              if (own.next == own.tables.size()) {
                if (!own.failure.empty()) return 5;
                *out = {};
                return 0;
              }
              *out = array_of(own.tables[own.next++]);
              return 0;
            },
            [](ArrowArrayStream* stream) { return static_cast<Stream*>(stream->private_data)->failure.c_str(); },
            [](ArrowArrayStream* stream) {
              stream->release = nullptr;
              --alive;
            },
            this};
  }
};

/// Text of the error of reading `table`; "" if there is none.
std::string error_of(const Table& table, const kd::ArrowColumns& columns = {}) {
  try {
    (void)read(table, columns);
  } catch (const kd::Error& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> keys(const kd::KeyColumn& column) {
  std::vector<std::string> keys;
  kd::KeyColumn::Buffer buffer;
  for (std::size_t n = 0; n < column.size(); ++n) keys.emplace_back(column.text(n, buffer));
  return keys;
}

using Keys = std::vector<std::string>;

const Column some_users = numbers<std::int32_t>("i", "user", {4, 5, 4});
const Column some_items = texts<std::int32_t>("u", "item", {"a", "b", "a"});

}  // namespace

TEST_SUITE("io/arrow") {
  TEST_CASE("keys of every type, the same by plain columns and by dictionaries") {
    const auto check = [&](Column users, const Keys& wanted) {
      CAPTURE(users.format);
      const kd::EventLog log = read({std::move(users), some_items});
      CHECK(keys(log.events().users) == wanted);
      CHECK(keys(log.events().items) == Keys{"a", "b", "a"});
    };
    check(numbers<std::int8_t>("c", "user", {-1, 7, -1}), {"-1", "7", "-1"});
    check(numbers<std::uint8_t>("C", "user", {255, 7, 0}), {"255", "7", "0"});
    check(numbers<std::int16_t>("s", "user", {-300, 7, 0}), {"-300", "7", "0"});
    check(numbers<std::uint16_t>("S", "user", {65535, 7, 0}), {"65535", "7", "0"});
    check(numbers<std::int32_t>("i", "user", {-70000, 7, 0}), {"-70000", "7", "0"});
    check(numbers<std::uint32_t>("I", "user", {4294967295U, 7, 0}), {"4294967295", "7", "0"});
    check(numbers<std::int64_t>("l", "user", {std::numeric_limits<std::int64_t>::min(), 7, 0}), {"-9223372036854775808", "7", "0"});
    check(numbers<std::uint64_t>("L", "user", {std::numeric_limits<std::uint64_t>::max(), 7, 0}), {"18446744073709551615", "7", "0"});
    check(texts<std::int32_t>("u", "user", {"anna", "ben", "anna"}), {"anna", "ben", "anna"});
    check(texts<std::int64_t>("U", "user", {"anna", "Zoë", "anna"}), {"anna", "Zoë", "anna"});
    check(coded<std::int8_t>("c", "user", {1, 0, 1}, texts<std::int32_t>("u", "", {"ben", "anna", "nobody"})), {"anna", "ben", "anna"});
    check(coded<std::uint32_t>("I", "user", {1, 0, 1}, numbers<std::int64_t>("l", "", {30, 40})), {"40", "30", "40"});
    CHECK(alive == 0);
  }

  TEST_CASE("values, times and kinds become a dataset; keys that no row has stay out") {
    const Table table{some_users,
                      some_items,
                      numbers<double>("g", "plays", {1.5, 2.0, -0.5}),
                      numbers<std::int64_t>("tsn:Europe/Berlin", "at", {1'700'000'000'999'999'999, -1, 0}),
                      coded<std::int32_t>("i", "what", {2, 0, 2}, texts<std::int32_t>("u", "", {"view", "sell", "buy"})),
                      texts<std::int32_t>("vu", "of no type that is read", {"", "", ""})};
    const kd::EventLog log = read(table, {.value = "plays", .time = "at", .kind = "what"});
    CHECK(log.size() == 3);
    CHECK(log.load().rows == 3);
    const kd::Events events = log.events();
    CHECK(std::vector<std::int64_t>(events.times.begin(), events.times.end()) == std::vector<std::int64_t>{1'700'000'000, -1, 0});
    CHECK(keys(events.kinds) == Keys{"buy", "view", "buy"});
    const kd::Dataset data = events.dataset({.weights = {{"buy", 4}, {"view", 1}}});
    CHECK(data.users.size() == 2);
    CHECK(data.matrix.row(data.users.index("4")).values[0] == 4.0F);
    CHECK(data.matrix.row(data.users.index("5")).values[0] == 2.0F);
  }

  TEST_CASE("times of every unit, in seconds, and numbers of every type as values") {
    const auto times = [&](Column column) {
      column.name = "at";
      const kd::EventLog log = read({some_users, some_items, std::move(column)}, {.time = "at"});
      return std::vector<std::int64_t>(log.events().times.begin(), log.events().times.end());
    };
    using Times = std::vector<std::int64_t>;
    CHECK(times(numbers<std::int64_t>("l", "", {7, -7, 0})) == Times{7, -7, 0});
    CHECK(times(numbers<std::int64_t>("tss:", "", {7, -7, 0})) == Times{7, -7, 0});
    CHECK(times(numbers<std::int64_t>("tsm:UTC", "", {7'001, -7'001, 0})) == Times{7, -8, 0});
    CHECK(times(numbers<std::int64_t>("tsu:", "", {7'000'001, -7'000'000, 0})) == Times{7, -7, 0});
    CHECK(times(numbers<std::int32_t>("tdD", "", {1, -1, 0})) == Times{86'400, -86'400, 0});
    CHECK(times(numbers<std::int64_t>("tdm", "", {86'400'000, 0, 0})) == Times{86'400, 0, 0});
    const auto values = [&](Column column) {
      column.name = "n";
      const kd::EventLog log = read({some_users, some_items, std::move(column)}, {.value = "n"});
      return std::vector<float>(log.events().values.begin(), log.events().values.end());
    };
    CHECK(values(numbers<float>("f", "", {0.5F, 1.0F, -2.0F})) == std::vector<float>{0.5F, 1.0F, -2.0F});
    CHECK(values(numbers<std::uint64_t>("L", "", {3, 1, 2})) == std::vector<float>{3, 1, 2});
    CHECK(values(numbers<std::int8_t>("c", "", {-3, 1, 2})) == std::vector<float>{-3, 1, 2});
  }

  TEST_CASE("slices: offsets of the batch, of its columns and of bits of validity add up") {
    Column users = texts<std::int32_t>("u", "user", {"x", "y", "anna", "ben"});
    users.offset = 1;
    users.nulls = -1;                             // not counted
    users.buffers[0] = {std::byte{0b0000'1100}};  // the first two are null, and outside
    Column items = numbers<std::int64_t>("l", "item", {0, 1, 2, 3});
    items.offset = 1;
    const kd::EventLog log = read({users, items}, {}, 1);
    CHECK(keys(log.events().users) == Keys{"anna", "ben"});
    CHECK(keys(log.events().items) == Keys{"2", "3"});
  }

  TEST_CASE("a stream of batches is one table, of which dictionaries may differ") {
    Stream stream{{{some_users, some_items, coded<std::int8_t>("c", "what", {0, 0, 0}, texts<std::int32_t>("u", "", {"view"}))},
                   {some_users, some_items, coded<std::int8_t>("c", "what", {0, 1, 0}, texts<std::int32_t>("u", "", {"buy", "view"}))}}};
    ArrowArrayStream exported = stream.exported();
    const kd::EventLog log = kd::read_arrow(exported, {.kind = "what"});
    CHECK((exported.release == nullptr));
    CHECK(keys(log.events().kinds) == Keys{"view", "view", "view", "buy", "view", "buy"});
    CHECK(keys(log.events().users) == Keys{"4", "5", "4", "4", "5", "4"});
    CHECK(alive == 0);

    Stream failing{{{some_users, some_items}}, "the disk is on fire"};
    exported = failing.exported();
    CHECK_THROWS_WITH_AS((void)kd::read_arrow(exported), Contains("the disk is on fire"), kd::IoError);
    CHECK(alive == 0);
  }

  TEST_CASE("no rows, and no batches") {
    CHECK(read({numbers<std::int32_t>("i", "user", {}), texts<std::int32_t>("u", "item", {})}).size() == 0);
    Stream stream{{{some_users, some_items}}};
    stream.next = 1;
    ArrowArrayStream exported = stream.exported();
    CHECK(kd::read_arrow(exported).events().dataset().matrix.nnz() == 0);
  }

  TEST_CASE("what cannot be read is refused by column and row, and everything is released") {
    Column with_null = some_users;
    with_null.nulls = 1;
    with_null.buffers[0] = {std::byte{0b0000'0101}};
    CHECK(error_of({with_null, some_items}) == "column 'user', row 1 is null; it must be a value: leave such rows out before");
    CHECK(error_of({some_users, texts<std::int32_t>("u", "item", {"a", "", "c"})}).find("column 'item', row 1") == 0);
    CHECK(error_of({some_users}).find("column 'item' is missing") == 0);
    CHECK(error_of({some_users, some_items, some_items}).find("column 'item' is there twice") == 0);
    CHECK(error_of({numbers<double>("g", "user", {1, 2, 3}), some_items}).find("the Arrow type of column 'user' is 'g'") == 0);
    CHECK(error_of({some_users, some_items, texts<std::int32_t>("u", "n", {"1", "2", "3"})}, {.value = "n"})
              .find("the Arrow type of column 'n'") == 0);
    CHECK(error_of({some_users, some_items, numbers<double>("g", "n", {1, 1e300, 3})}, {.value = "n"}).find("column 'n', row 1") == 0);
    CHECK(error_of({some_users, some_items, numbers<float>("f", "at", {1, 2, 3})}, {.time = "at"}).find("the Arrow type of column 'at'") ==
          0);
    CHECK(error_of({coded<std::int8_t>("c", "user", {0, 2, 0}, texts<std::int32_t>("u", "", {"a", "b"})), some_items})
              .find("column 'user', row 1") == 0);
    CHECK(error_of({coded<std::int8_t>("c", "user", {0, -1, 0}, texts<std::int32_t>("u", "", {"a", "b"})), some_items})
              .find("column 'user', row 1") == 0);
    CHECK(error_of({some_users, numbers<std::int32_t>("i", "item", {1})}).find("column 'item' has 1 rows; its batch needs 3") == 0);
    Column falling = some_items;
    falling.buffers[1] = bytes_of(std::vector<std::int32_t>{0, 2, 1, 3});
    CHECK(error_of({some_users, falling}).find("column 'item', row 1: its text has a length below 0") == 0);
    Column bare = some_items;
    bare.buffers.resize(1);
    CHECK(error_of({some_users, bare}).find("column 'item' has 1 buffers") == 0);
    CHECK(error_of({some_users, some_items}, {.user = ""}).find("columns.user") == 0);
    ArrowSchema schema = schema_of({some_users, some_items}, "i");
    ArrowArray array = array_of({some_users, some_items});
    CHECK_THROWS_AS((void)kd::read_arrow(schema, array), kd::InvalidArgument);
    CHECK(alive == 0);
  }
}
