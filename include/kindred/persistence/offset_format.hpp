// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/score_spread.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail {

/// `offsets` with a number for each item and each user that the model has by now.
[[nodiscard]] inline ItemOffsets stored_offsets(ItemOffsets offsets, MatrixShape shape) {
  if (offsets.values.empty()) return {};
  offsets.values.resize(static_cast<std::size_t>(shape.items), offsets.unknown);
  if (!offsets.user_weights.empty()) offsets.user_weights.resize(static_cast<std::size_t>(shape.users), 1.0F);
  return offsets;
}

/// `offsets` must stay until the file is written.
inline void write_offsets(TensorWriter& writer, FlatObject& fields, const ItemOffsets& offsets) {
  fields.set("offset_weight", offsets.weight);
  fields.set("offset_unknown", static_cast<double>(offsets.unknown));
  if (offsets.last_event) fields.set("offset_last_event", static_cast<double>(*offsets.last_event));  // below 10^11: exact
  writer.add("item_offsets", offsets.values);
  if (!offsets.user_weights.empty()) writer.add("offset_user_weights", offsets.user_weights);
}

/// Offsets of a file; none in a file without them.
[[nodiscard]] inline ItemOffsets read_offsets(TensorReader& reader, FlatObject& fields, MatrixShape shape,
                                              const std::optional<double>& score_spread) {
  ItemOffsets offsets;
  if (!fields.has("offset_weight")) return offsets;
  offsets.weight = fields.number_of("offset_weight");
  const double unknown = fields.number_of("offset_unknown");
  if (!(std::abs(unknown) <= static_cast<double>((std::numeric_limits<float>::max)())))
    reader.fail("'offset_unknown' is " + number_text(unknown) + "; it must be within the range of a float");
  offsets.unknown = static_cast<float>(unknown);
  if (fields.has("offset_last_event")) {
    const double last = fields.number_of("offset_last_event");
    if (!(last > -1e11 && last < 1e11))
      reader.fail("'offset_last_event' is " + number_text(last) + "; it must be below 10^11 in magnitude");
    offsets.last_event = static_cast<std::int64_t>(last);
  }
  offsets.values = reader.values<float>("item_offsets", static_cast<std::uint64_t>(shape.items));
  if (reader.find("offset_user_weights") != nullptr)
    offsets.user_weights = reader.values<float>("offset_user_weights", static_cast<std::uint64_t>(shape.users));
  const bool has_effect = offsets.weight != 0.0;
  if (!score_spread || (has_effect && !(*score_spread > 0.0))) reader.fail("it has item offsets, but no 'score_spread' above 0");
  try {
    check_item_offsets(offsets, shape, has_effect ? *score_spread : 1.0);
  } catch (const Error& error) {
    reader.fail(std::string("the item offsets are damaged: ") + error.what());
  }
  return offsets;
}

}  // namespace kindred::inline v0::detail
