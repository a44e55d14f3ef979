// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/persistence/als_format.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/offset_format.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// `state` and `items`, the columns of its histories, must stay until the file is written.
inline void write_neighbours(TensorWriter& writer, FlatObject& fields, const NeighbourState& state, Index items) {
  fields.set("neighbours.neighbours", state.options.neighbours);
  fields.set("neighbours.popularity", state.options.popularity);
  fields.set("neighbours.user_discount", state.options.user_discount);
  fields.set("neighbours.share_votes", std::uint64_t{state.options.share_votes ? 1U : 0U});
  fields.set("neighbours.curve", confidence_names[static_cast<std::size_t>(state.options.curve)]);
  fields.set("neighbours.log_scale", state.scale.log_scale);
  fields.set("neighbours.mean_strength", state.scale.mean);
  fields.set("neighbours.popularity_scale", state.popularity_scale);
  const ItemGraph& graph = state.graph != nullptr ? *state.graph : writer.keep(ItemGraph{});
  writer.add("neighbours.offsets", graph.offsets);
  writer.add("neighbours.targets", graph.targets);
  writer.add("neighbours.weights", graph.weights);
  writer.add("neighbours.likes", state.item_likes);
  writer.add("neighbours.squares", state.squares);
  const CsrMatrix& histories = writer.keep(state.histories.matrix(items));
  writer.add("histories.offsets", histories.offsets());
  writer.add("histories.items", histories.columns());
  writer.add("histories.votes", histories.values());
}

[[nodiscard]] inline ItemNeighboursOptions read_neighbour_options(FlatObject& fields, const std::string& file) {
  ItemNeighboursOptions options;
  options.neighbours = static_cast<std::size_t>(fields.whole_of("neighbours.neighbours"));
  options.popularity = fields.number_of("neighbours.popularity");
  options.user_discount = fields.number_of("neighbours.user_discount");
  options.share_votes = fields.whole_of("neighbours.share_votes") != 0;
  options.curve = fields.choice_of<Confidence>("neighbours.curve", confidence_names);
  try {
    validate(options);
  } catch (const InvalidArgument& error) {
    throw FormatError(file + ": an option is out of range: " + error.what());
  }
  return options;
}

/// A matrix of tensors, in place where that is possible. All of it is checked: what it names is written to when votes are added up.
struct HeldMatrix {
  CsrView view;
  std::shared_ptr<const void> owner;
};
[[nodiscard]] inline HeldMatrix read_matrix(TensorReader& reader, const std::string& name, std::string_view columns,
                                            std::string_view values, Index items, TensorReader::Place place) {
  struct Owners {
    TensorReader::Held<Offset> offsets;
    TensorReader::Held<Index> columns;
    TensorReader::Held<float> values;
  };
  const auto held = std::make_shared<const Owners>(Owners{reader.held_values<Offset>(name + ".offsets", place),
                                                          reader.held_values<Index>(name + "." + std::string(columns), place),
                                                          reader.held_values<float>(name + "." + std::string(values), place)});
  const std::size_t rows = held->offsets.values.size();
  if (rows == 0 || rows - 1 > static_cast<std::size_t>((std::numeric_limits<Index>::max)()))
    reader.fail("tensor '" + name + ".offsets' has " + std::to_string(rows) + " entries; it must have 1 to 2147483648");
  try {
    return {CsrView({static_cast<Index>(rows - 1), items}, held->offsets.values, held->columns.values, held->values.values), held};
  } catch (const Error& error) {
    reader.fail("'" + name + "' is damaged: " + error.what());
  }
}

/// `items`: columns of the histories, at least those of the graph; by default as many.
[[nodiscard]] inline NeighbourState read_neighbours(TensorReader& reader, FlatObject& fields, TensorReader::Place place,
                                                    std::optional<Index> items = std::nullopt) {
  NeighbourState state;
  state.options = read_neighbour_options(fields, reader.name());
  const auto positive = [&](const std::string& key) {
    const double number = fields.number_of(key);
    if (!(number > 0.0) || !is_finite(number)) reader.fail("'" + key + "' is " + number_text(number) + "; it must be finite and above 0");
    return number;
  };
  state.scale = {state.options.curve, positive("neighbours.log_scale"), positive("neighbours.mean_strength")};
  state.popularity_scale = fields.optional_of("neighbours.popularity_scale");
  if (state.popularity_scale && (!(*state.popularity_scale >= 0.0) || !is_finite(*state.popularity_scale)))
    reader.fail("'neighbours.popularity_scale' is " + number_text(*state.popularity_scale) + "; it must be at least 0");
  const std::uint64_t entries = reader.tensor("neighbours.offsets", 1).shape[0];
  if (entries == 0) {  // not fitted
    for (const char* const name :
         {"neighbours.targets", "neighbours.weights", "neighbours.likes", "neighbours.squares", "histories.items", "histories.votes"})
      if (reader.tensor(name, 1).shape[0] != 0) reader.fail("tensor '" + std::string(name) + "' belongs to no graph");
    (void)reader.values<Offset>("histories.offsets", 1);
    return state;
  }
  if (entries - 1 > static_cast<std::uint64_t>((std::numeric_limits<Index>::max)())) reader.fail("more than 2147483647 items");
  const auto nodes = static_cast<Index>(entries - 1);
  if (items && *items < nodes)
    reader.fail("its neighbours are of " + std::to_string(nodes) + " items, its factors of " + std::to_string(*items));
  const HeldMatrix graph = read_matrix(reader, "neighbours", "targets", "weights", nodes, place);
  for (const float weight : graph.view.values())
    if (!(weight >= least_edge))
      reader.fail("tensor 'neighbours.weights' holds " + number_text(static_cast<double>(weight)) + "; weights are above 0");
  const HeldMatrix histories = read_matrix(reader, "histories", "items", "votes", items.value_or(nodes), place);
  for (const float vote : histories.view.values())
    if (!(vote >= least_vote) && !(vote < 0.0F))
      reader.fail("tensor 'histories.votes' holds " + number_text(static_cast<double>(vote)) + "; a vote is not 0");
  state.item_likes = read_counts(reader, "neighbours.likes", entries - 1, static_cast<std::uint64_t>(histories.view.rows()));
  state.squares = reader.values<double>("neighbours.squares", entries - 1);
  check_finite<double>(reader, "neighbours.squares", state.squares);
  state.graph = std::make_shared<const ItemGraph>(ItemGraph{graph.view.offsets(), graph.view.columns(), graph.view.values(), graph.owner});
  state.histories = VoteHistories(histories.view, histories.owner);
  return state;
}

template <>
struct ModelFormat<ItemNeighbours> {
  static constexpr std::string_view kind = "ItemNeighbours";

  template <typename Write>
  static void save(const ItemNeighbours& model, Write&& write) {
    if (model.fitted()) (void)model.popularity_scale();
    const NeighbourState state = model.state();
    TensorWriter writer;
    FlatObject fields;
    write_neighbours(writer, fields, state, model.shape().items);
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static ItemNeighbours load(TensorReader reader, const LoadOptions& options) {
    ItemNeighbours model = read(reader, TensorReader::Place::copied);
    reader.check_checksum(options.checksum);
    return model;
  }
  static ItemNeighbours map(TensorReader& reader, const LoadOptions&) { return read(reader, TensorReader::Place::in_place_if_possible); }
  /// Nothing but the checksum is left to check.
  static void verify(const ItemNeighbours&, const TensorReader&, const Execution&) {}

 private:
  static ItemNeighbours read(TensorReader& reader, TensorReader::Place place) {
    FlatObject fields = read_head(reader, kind);
    NeighbourState state = read_neighbours(reader, fields, place);
    fields.check_all_used();
    reader.check_all_used();
    return ItemNeighbours(std::move(state));
  }
};

/// The two parts of a blend in one file. `writer` keeps what it refers to.
template <Real Scalar>
void write_blend(TensorWriter& writer, FlatObject& fields, const BlendedRecommender<Scalar>& model) {
  const ImplicitALS<Scalar>& factors = model.factors().is_settled() ? model.factors() : writer.keep(model.factors().settled());
  write_als(writer, fields, factors, writer.keep(factors.weights().state()),
            writer.keep(stored_offsets(factors.item_offsets(), factors.shape())));
  write_neighbours(writer, fields, writer.keep(model.neighbours().state()), model.shape().items);
  fields.set("blend.weight", model.weight());
  fields.set("blend.popularity_scale", model.fitted() ? std::optional<double>(model.popularity_scale()) : std::nullopt);
}

template <Real Scalar>
struct BlendState {
  AlsState<Scalar> factors;
  NeighbourState neighbours;
  double weight = 0.0;
  std::optional<double> popularity_scale;
};

template <Real Scalar>
[[nodiscard]] BlendState<Scalar> read_blend(TensorReader& reader, FlatObject& fields, const LoadOptions& options,
                                            TensorReader::Place place) {
  BlendState<Scalar> state{
      read_als<Scalar>(reader, fields, options, place), {}, fields.number_of("blend.weight"), fields.optional_of("blend.popularity_scale")};
  state.neighbours = read_neighbours(reader, fields, place, state.factors.items.rows());
  if (!(state.weight >= 0.0) || !is_finite(state.weight))
    reader.fail("'blend.weight' is " + number_text(state.weight) + "; it must be finite and at least 0");
  if (state.popularity_scale && (!(*state.popularity_scale >= 0.0) || !is_finite(*state.popularity_scale)))
    reader.fail("'blend.popularity_scale' is " + number_text(*state.popularity_scale) + "; it must be at least 0");
  const bool has_graph = state.neighbours.graph != nullptr;
  if (has_graph != (state.factors.users.factors() > 0) || (has_graph && state.neighbours.histories.users() != state.factors.users.rows()))
    reader.fail("its histories are of " + std::to_string(has_graph ? state.neighbours.histories.users() : 0) + " users, its factors of " +
                std::to_string(state.factors.users.rows()));
  return state;
}

template <Real Scalar>
[[nodiscard]] BlendedRecommender<Scalar> blend_of(ImplicitALS<Scalar> factors, BlendState<Scalar> state) {
  return {std::move(factors), ItemNeighbours(std::move(state.neighbours)), state.weight, state.popularity_scale};
}

template <Real Scalar>
struct ModelFormat<BlendedRecommender<Scalar>> {
  static constexpr std::string_view kind = "BlendedRecommender";

  template <typename Write>
  static void save(const BlendedRecommender<Scalar>& model, Write&& write) {
    TensorWriter writer;
    FlatObject fields;
    write_blend(writer, fields, model);
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static BlendedRecommender<Scalar> load(TensorReader reader, const LoadOptions& options) {
    BlendState<Scalar> state = read(reader, options, TensorReader::Place::copied);
    ImplicitALS<Scalar> factors = checked_model(std::move(state.factors), reader, options);
    return blend_of(std::move(factors), std::move(state));
  }
  static BlendedRecommender<Scalar> map(TensorReader& reader, const LoadOptions& options) {
    BlendState<Scalar> state = read(reader, options, TensorReader::Place::in_place_if_possible);
    ImplicitALS<Scalar> factors(std::move(state.factors), options.execution.simd, IndexItems::when_needed);
    return blend_of(std::move(factors), std::move(state));
  }
  static void verify(const BlendedRecommender<Scalar>& model, const TensorReader& reader, const Execution& execution) {
    ModelFormat<ImplicitALS<Scalar>>::verify(model.factors(), reader, execution);
  }

 private:
  static BlendState<Scalar> read(TensorReader& reader, const LoadOptions& options, TensorReader::Place place) {
    FlatObject fields = read_head(reader, kind);
    BlendState<Scalar> state = read_blend<Scalar>(reader, fields, options, place);
    fields.check_all_used();
    reader.check_all_used();
    return state;
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
