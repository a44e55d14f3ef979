// SPDX-License-Identifier: MIT
// Arrow from a producer that is not ours: duckdb_arrow LIBDUCKDB reads the result of a query, and compares it with the same rows made here. The library is
// loaded at run time by the names of its C interface (https://duckdb.org/docs/api/c/api), so that nothing of it is needed to compile.
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/io/arrow.hpp>

namespace kd = kindred;

namespace {

constexpr std::int64_t n_rows = 10'000;
// Whole numbers, texts, decimals as double, timestamps in microseconds, an enumeration (a dictionary), in several batches.
constexpr const char* query =
    "SELECT (i * 7) % 101 AS user, 'item ' || (i * 3) % 53 AS item, ((i % 5) + 0.5)::DOUBLE AS value, "
    "TIMESTAMP '2024-01-01' + to_minutes(i) AS time, (CASE WHEN i % 3 = 0 THEN 'buy' ELSE 'view' END)::ENUM('sell', 'view', 'buy') AS "
    "kind, "
    "[i, i] AS passed_over FROM range(10000) rows(i)";

class Library {
 public:
  explicit Library(const char* path) : library_(::dlopen(path, RTLD_NOW)) {
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
  }
  template <typename Function>
  [[nodiscard]] Function* function(const char* name) const {
    void* const found = ::dlsym(library_, name);
    if (found == nullptr) throw std::runtime_error(std::string("libduckdb has no function ") + name);
    return reinterpret_cast<Function*>(found);
  }

 private:
  void* library_;
};

/// A result of DuckDB as a stream.
struct Result {
  void* arrow = nullptr;
  int (*schema)(void* arrow, ArrowSchema** out) = nullptr;
  int (*array)(void* arrow, ArrowArray** out) = nullptr;
};

ArrowArrayStream stream_of(Result& result) {
  return {[](ArrowArrayStream* stream, ArrowSchema* out) {
            auto& own = *static_cast<Result*>(stream->private_data);
            return own.schema(own.arrow, &out);
          },
          [](ArrowArrayStream* stream, ArrowArray* out) {
            auto& own = *static_cast<Result*>(stream->private_data);
            return own.array(own.arrow, &out);
          },
          [](ArrowArrayStream*) -> const char* { return "DuckDB failed"; }, [](ArrowArrayStream* stream) { stream->release = nullptr; },
          &result};
}

kd::Dataset made_here() {
  std::vector<std::int64_t> users, times;
  std::vector<std::string> items, kinds;
  std::vector<float> values;
  for (std::int64_t i = 0; i < n_rows; ++i) {
    users.push_back(i * 7 % 101);
    items.push_back("item " + std::to_string(i * 3 % 53));
    values.push_back(static_cast<float>(i % 5) + 0.5F);
    times.push_back(1'704'067'200 + 60 * i);
    kinds.emplace_back(i % 3 == 0 ? "buy" : "view");
  }
  return kd::Events{.users = users, .items = items, .values = values, .times = times, .kinds = kinds}.dataset(
      {.weights = {{"view", 1}, {"buy", 5}}});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::fputs("usage: duckdb_arrow LIBDUCKDB\n", stderr), 2;
  const Library library(argv[1]);
  void *database = nullptr, *connection = nullptr;
  Result result{.schema = library.function<int(void*, ArrowSchema**)>("duckdb_query_arrow_schema"),
                .array = library.function<int(void*, ArrowArray**)>("duckdb_query_arrow_array")};
  if (library.function<int(const char*, void**)>("duckdb_open")(nullptr, &database) != 0 ||
      library.function<int(void*, void**)>("duckdb_connect")(database, &connection) != 0 ||
      library.function<int(void*, const char*, void**)>("duckdb_query_arrow")(connection, query, &result.arrow) != 0)
    throw std::runtime_error("DuckDB does not answer the query");
  ArrowArrayStream stream = stream_of(result);
  const kd::EventLog log = kd::read_arrow(stream, {.value = "value", .time = "time", .kind = "kind"});
  const kd::Dataset read = log.events().dataset({.weights = {{"view", 1}, {"buy", 5}}}), wanted = made_here();
  const bool same = read.matrix == wanted.matrix && read.users == wanted.users && read.items == wanted.items && read.times == wanted.times;
  std::printf("%zu rows by Arrow, %s the rows made here\n", log.size(), same ? "the same as" : "NOT");
  library.function<void(void**)>("duckdb_destroy_arrow")(&result.arrow);
  library.function<void(void**)>("duckdb_disconnect")(&connection);
  library.function<void(void**)>("duckdb_close")(&database);
  return same && log.size() == static_cast<std::size_t>(n_rows) ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "duckdb_arrow: %s\n", error.what());
  return 1;
}
