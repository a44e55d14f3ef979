// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <>
struct ModelFormat<PopularityRecommender> {
  static constexpr std::string_view kind = "PopularityRecommender";
  static constexpr std::string_view by_names[] = {"summed_values", "users"};

  template <typename Write>
  static void save(const PopularityRecommender& model, Write&& write) {
    const PopularityState state = model.state();
    FlatObject fields;
    fields.set("by", by_names[static_cast<std::size_t>(state.options.by)]);
    fields.set("users", static_cast<std::uint64_t>(state.shape.users));
    TensorWriter writer;
    writer.add("popularity", state.popularity);
    writer.add("item_counts", state.train_counts);
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static PopularityRecommender load(TensorReader reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    PopularityState state;
    state.options.by = fields.choice_of<PopularityOptions::By>("by", by_names);
    const std::uint64_t users = fields.whole_of("users"), items = reader.tensor("popularity", 1).shape[0];
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<Index>::max)());
    if (users > most || items > most) reader.fail("more users or items than 2147483647");
    state.shape = {static_cast<Index>(users), static_cast<Index>(items)};
    state.popularity = reader.values<double>("popularity");
    check_finite<double>(reader, "popularity", state.popularity);
    state.train_counts = read_counts(reader, "item_counts", items, users);
    fields.check_all_used();
    reader.check_all_used();
    reader.check_checksum(options.checksum);
    return PopularityRecommender(std::move(state));
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
