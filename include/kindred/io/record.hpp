// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/text.hpp>

namespace kindred::inline v0 {

namespace detail {

/// One row of a file of interactions; the text belongs to the line.
struct Record {
  std::string_view user;
  std::string_view item;
  std::string_view item_name;
  float value = 1.0F;
  std::int64_t time = 0;
};

/// Collects records and makes the dataset. Users and items are numbered as they come.
class DatasetBuilder {
 public:
  /// What the records hold beside user, item and value.
  struct Parts {
    bool item_names = false;
    bool times = false;
  };

  explicit DatasetBuilder(Parts parts) : parts_(parts) {}

  /// @throws InvalidArgument beyond 2^31 - 1 users or items.
  void add(const Record& record) {
    const Index user = data_.users.intern(record.user);
    const Index item = data_.items.intern(record.item);
    triplets_.push_back({user, item, record.value});
    if (parts_.times) times_.push_back(record.time);
    if (!parts_.item_names) return;
    data_.item_names.resize(static_cast<std::size_t>(data_.items.size()));
    if (std::string& name = data_.item_names[static_cast<std::size_t>(item)]; name.empty()) name = record.item_name;
  }

  /// The dataset; the builder is empty after. Repeats are summed, pairs whose values sum to zero are dropped and counted. O(rows + users + items).
  /// @throws InvalidArgument if a sum is beyond the range of a float.
  [[nodiscard]] Dataset finish(LoadReport report) {
    const MatrixShape shape{data_.users.size(), data_.items.size()};
    CsrBuilder builder(shape);
    std::uint64_t zero_rows = 0;
    const auto merged = [&](std::span<const Offset> members, float sum) {
      if (sum == 0.0F) {
        zero_rows += members.size();
        return;
      }
      const Interaction& first = triplets_[static_cast<std::size_t>(members.front())];
      while (builder.rows_ended() < static_cast<std::size_t>(first.user)) builder.end_row();
      builder.add(first.item, sum);
      report.merged += members.size() - 1;
      data_.raw_rows.push_back(static_cast<std::uint32_t>(members.size()));
      if (parts_.times) data_.times.push_back(first_time(members));
    };
    // The file knows keys, not indices.
    merge_triplets(shape, triplets_, merged, [&](const Interaction& of) {
      return "user " + printable(data_.users.key(of.user)) + " and item " + printable(data_.items.key(of.item)) + " in " + report.source;
    });
    data_.matrix = builder.finish();
    if (report.merged == 0) data_.raw_rows = {};
    triplets_ = {};
    times_ = {};
    return finished(std::exchange(data_, {}), std::move(report), zero_rows);
  }

  /// The last steps: users and items of sums of zero go, the report comes in.
  [[nodiscard]] static Dataset finished(Dataset data, LoadReport report, std::uint64_t zero_rows) {
    std::string step = "rows read from " + report.source.substr(report.source.find_last_of("/\\") + 1);
    if (zero_rows > 0) {
      report.rows -= zero_rows;
      report.dropped["sum of zero"] += zero_rows;
      data = without_empty(data);
    }
    data.load = std::move(report);
    data.funnel.clear();
    data.funnel.push_back(funnel_step(std::move(step), data.matrix));
    return data;
  }

 private:
  [[nodiscard]] std::int64_t first_time(std::span<const Offset> members) const {
    std::int64_t first = (std::numeric_limits<std::int64_t>::max)();
    for (const Offset n : members) first = (std::min)(first, times_[static_cast<std::size_t>(n)]);
    return first;
  }

  /// Users and items that lost every interaction go, as if the file had not named them.
  [[nodiscard]] static Dataset without_empty(const Dataset& data) {
    const auto used = [](const std::vector<Index>& counts) {
      std::vector<Index> indices;
      for (std::size_t n = 0; n < counts.size(); ++n)
        if (counts[n] > 0) indices.push_back(static_cast<Index>(n));
      return indices;
    };
    return select(data, used(row_counts(data.matrix)), used(column_counts(data.matrix)), "");
  }

  Parts parts_;
  Dataset data_;
  std::vector<Interaction> triplets_;
  std::vector<std::int64_t> times_;
};

}  // namespace detail

}  // namespace kindred::inline v0
