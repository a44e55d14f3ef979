// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>
#include <kindred/persistence/texts.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Writes the names and groups of feature columns: tensors `prefix`_names, ..._groups, ..._group_kinds, ..._group_ends, ..._numbers, ..._separators.
inline void write_columns(TensorWriter& writer, const std::string& prefix, const FeatureColumns& columns) {
  Texts names, groups, separators;
  std::vector<std::int32_t> kinds, ends;
  std::vector<double> numbers;
  for (const std::string& name : columns.names()) names.add(name);
  for (const FeatureColumns::Group& group : columns.groups()) {
    groups.add(group.name);
    separators.add(group.separator);
    kinds.push_back(static_cast<std::int32_t>(group.kind));
    ends.push_back(group.last);
    numbers.insert(numbers.end(), group.numbers.begin(), group.numbers.end());
  }
  writer.keep(std::move(names)).write(writer, prefix + "_names");
  writer.keep(std::move(groups)).write(writer, prefix + "_groups");
  writer.keep(std::move(separators)).write(writer, prefix + "_separators");
  writer.add(prefix + "_group_kinds", writer.keep(std::move(kinds)));
  writer.add(prefix + "_group_ends", writer.keep(std::move(ends)));
  writer.add(prefix + "_numbers", writer.keep(std::move(numbers)));
}

/// @throws FormatError if they do not belong together.
[[nodiscard]] inline FeatureColumns read_columns(TensorReader& reader, const std::string& prefix) {
  using Kind = FeatureColumns::Kind;
  const Texts names = Texts::read(reader, prefix + "_names", TensorReader::any);
  const Texts groups = Texts::read(reader, prefix + "_groups", TensorReader::any);
  const Texts separators = Texts::read(reader, prefix + "_separators", groups.ends.size());
  const auto kinds = reader.values<std::int32_t>(prefix + "_group_kinds", groups.ends.size());
  const auto ends = reader.values<std::int32_t>(prefix + "_group_ends", groups.ends.size());
  const auto numbers = reader.values<double>(prefix + "_numbers");
  check_finite<double>(reader, prefix + "_numbers", numbers);
  std::vector<FeatureColumns::Group> made;
  std::size_t used = 0;
  for (std::size_t g = 0; g < kinds.size(); ++g) {
    if (kinds[g] < 0 || kinds[g] > static_cast<std::int32_t>(Kind::words))
      reader.fail("tensor '" + prefix + "_group_kinds' holds " + std::to_string(kinds[g]) + ", which is no kind of group");
    FeatureColumns::Group group{std::string(groups[g]),    static_cast<Kind>(kinds[g]), g == 0 ? 0 : ends[g - 1], ends[g], {},
                                std::string(separators[g])};
    if (group.kind == Kind::number || group.kind == Kind::words) {
      const auto count = static_cast<std::size_t>(group.last > group.first ? group.last - group.first : 0);
      if (count > numbers.size() - used) reader.fail("tensor '" + prefix + "_numbers' is too short");
      group.numbers.assign(numbers.begin() + static_cast<std::ptrdiff_t>(used),
                           numbers.begin() + static_cast<std::ptrdiff_t>(used + count));
      used += count;
    }
    made.push_back(std::move(group));
  }
  if (used != numbers.size()) reader.fail("tensor '" + prefix + "_numbers' is too long");
  std::vector<std::string> all;
  for (std::size_t c = 0; c < names.ends.size(); ++c) all.emplace_back(names[c]);
  try {
    return FeatureColumns(std::move(all), std::move(made));
  } catch (const Error& error) {
    reader.fail(std::string("its features are damaged: ") + error.what());
  }
}

/// Writes the features of one side, if there are any. `side` must stay until the file is written.
template <Real Scalar>
void write_side(TensorWriter& writer, const std::string& prefix, const FeatureSide<Scalar>& side) {
  if (side.table.columns().size() == 0) return;
  write_columns(writer, prefix, side.table.columns());
  const CsrMatrix& matrix = side.table.matrix();
  writer.add(prefix + ".offsets", matrix.offsets());
  writer.add(prefix + ".columns", matrix.columns());
  writer.add(prefix + ".values", matrix.values());
  writer.add(prefix + "_map", side.map(MapKind::fit));
  writer.add(prefix + "_cold_map", side.map(MapKind::cold));
  writer.add(prefix + "_centre", side.centre);
  writer.add(prefix + "_ridge", side.ridge);
  writer.add(prefix + "_mean", side.mean);
  writer.add(prefix + "_explained", writer.keep(std::vector<double>{side.explained}));
}

/// Reads the features of a side of `rows` rows, if the file has any. @throws FormatError.
template <Real Scalar>
[[nodiscard]] FeatureSide<Scalar> read_side(TensorReader& reader, const std::string& prefix, Index rows, std::size_t factors,
                                            const Execution& execution) {
  FeatureSide<Scalar> side;
  if (reader.find(prefix + "_map") == nullptr) return side;
  FeatureColumns columns = read_columns(reader, prefix);
  const auto d = static_cast<std::uint64_t>(columns.size());
  try {
    CsrMatrix matrix({rows, columns.size()}, reader.values<Offset>(prefix + ".offsets"), reader.values<Index>(prefix + ".columns"),
                     reader.values<float>(prefix + ".values"));
    side.table = FeatureTable(std::move(matrix), std::move(columns));
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    reader.fail(std::string("its features are damaged: ") + error.what());
  }
  side.centre = reader.values<double>(prefix + "_centre", d);
  side.ridge = reader.values<double>(prefix + "_ridge", d);
  side.mean = reader.values<double>(prefix + "_mean", factors);
  if (reader.find(prefix + "_explained") != nullptr) {  // files of before have none
    const std::vector<double> explained = reader.values<double>(prefix + "_explained", 1);
    check_finite<double>(reader, prefix + "_explained", explained);
    side.explained = explained.front();
  }
  check_finite<double>(reader, prefix + "_centre", side.centre);
  check_finite<double>(reader, prefix + "_ridge", side.ridge);
  check_finite<double>(reader, prefix + "_mean", side.mean);
  for (const MapKind kind : {MapKind::fit, MapKind::cold}) {
    const std::string name = prefix + (kind == MapKind::fit ? "_map" : "_cold_map");
    const std::vector<std::uint64_t> shape = reader.tensor(name, 2).shape;
    if (shape[0] == 0 && shape[1] == 0) continue;  // nothing was learned
    if (shape[0] != d || shape[1] != factors)
      reader.fail("tensor '" + name + "' is " + std::to_string(shape[0]) + " x " + std::to_string(shape[1]) + "; it must be " +
                  std::to_string(d) + " x " + std::to_string(factors));
    FactorMatrix<Scalar> map = reader.factors<Scalar>(name, TensorReader::Place::copied);
    check_finite(reader, name, map, execution);
    side.maps[static_cast<std::size_t>(kind)] = std::move(map);
  }
  derive(side);
  return side;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
