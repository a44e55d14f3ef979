// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/als_fields.hpp>
#include <kindred/persistence/feature_format.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/offset_format.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Which counts are those of the data: of no side, of users, of items, of both.
inline constexpr std::string_view current_counts_names[] = {"none", "users", "items", "both"};

/// Writes a settled model. `weights` and `offsets` must stay until the file is written.
template <Real Scalar>
void write_als(TensorWriter& writer, FlatObject& fields, const ImplicitALS<Scalar>& model, const AlsWeights::State& weights,
               const ItemOffsets& offsets) {
  writer.add("item_factors", model.item_factors());
  writer.add("user_factors", model.user_factors());
  write_options(model.options(), fields);
  write_chosen(model.options(), model.fitted() ? model.weights().settings() : settings_of(model.options()), fields);
  write_constants(weights, fields);
  if (model.fitted()) fields.set("popularity_scale", model.popularity_scale());
  fields.set("current_counts", current_counts_names[weights.user_counts_current + 2 * weights.item_counts_current]);
  writer.add("eigenvalues", model.eigenvalues());
  if (!model.item_biases().empty()) writer.add("item_bias", model.item_biases());
  writer.add("item_counts", weights.item_counts);
  writer.add("user_counts", weights.user_counts);
  write_side(writer, "user_features", model.features().users);
  write_side(writer, "item_features", model.features().items);
  if (!offsets.values.empty()) {
    fields.set("score_spread", model.score_spread());
    write_offsets(writer, fields, offsets);
  }
  if (weights.constants.user_likes.empty()) return;
  writer.add("item_likes", weights.constants.item_likes);
  writer.add("user_likes", weights.constants.user_likes);
}

/// All checks but those that read every factor.
template <Real Scalar>
[[nodiscard]] AlsState<Scalar> read_als(TensorReader& reader, FlatObject& fields, const LoadOptions& options, TensorReader::Place place) {
  AlsState<Scalar> state;
  AlsWeights::State weights;
  state.options = read_options(fields, options.confidence_function, reader.name());
  const AlsSettings settings = read_settings(fields, state.options, reader.name());
  read_constants(fields, settings, weights, reader.name());
  if (fields.has("popularity_scale")) {
    state.popularity_scale = fields.number_of("popularity_scale");
    if (!(*state.popularity_scale >= 0.0) || !is_finite(*state.popularity_scale))
      reader.fail("'popularity_scale' is " + number_text(*state.popularity_scale) + "; it must be at least 0");
  }
  if (fields.has("score_spread")) {
    state.score_spread = fields.number_of("score_spread");
    if (!(*state.score_spread >= 0.0) || !is_finite(*state.score_spread))
      reader.fail("'score_spread' is " + number_text(*state.score_spread) + "; it must be at least 0");
  }
  // A file without the entry, from before there was one, may hold a model that was updated.
  enum class Current { none, users, items, both };
  const auto current = fields.has("current_counts") ? fields.choice_of<Current>("current_counts", current_counts_names) : Current::none;
  weights.user_counts_current = current == Current::users || current == Current::both;
  weights.item_counts_current = current == Current::items || current == Current::both;

  const auto factors_are = [&](std::string_view name) {
    const Tensor& tensor = reader.tensor(name, 2);
    if (tensor.dtype != dtype_of<Scalar> && (tensor.dtype == "F32" || tensor.dtype == "F64"))
      reader.fail("its factors are of type " + tensor.dtype + ": load<ImplicitALS<" + (tensor.dtype == "F32" ? "float" : "double") +
                  ">> reads them");
    return tensor.shape;
  };
  const std::vector<std::uint64_t> items = factors_are("item_factors"), users = factors_are("user_factors");
  const bool fitted = users[1] != 0 || items[1] != 0;
  const std::uint64_t k = fitted ? settings.factors : 0;
  if (users[1] != k || items[1] != k || (!fitted && (users[0] != 0 || items[0] != 0)))
    reader.fail("user factors are " + std::to_string(users[0]) + " x " + std::to_string(users[1]) + ", item factors " +
                std::to_string(items[0]) + " x " + std::to_string(items[1]) + "; both must have " + std::to_string(settings.factors) +
                " columns, or both be 0 x 0");
  state.eigenvalues = reader.values<double>("eigenvalues", k);
  for (std::size_t f = 0; f < state.eigenvalues.size(); ++f)
    if (!is_finite(state.eigenvalues[f]) || state.eigenvalues[f] < 0.0 || (f > 0 && state.eigenvalues[f] > state.eigenvalues[f - 1]))
      reader.fail("tensor 'eigenvalues', entry " + std::to_string(f) + ", is " + number_text(state.eigenvalues[f]) +
                  "; they must be finite, at least 0 and falling");
  weights.item_counts = read_counts(reader, "item_counts", items[0], users[0]);
  weights.user_counts = read_counts(reader, "user_counts", users[0], items[0]);
  if (reader.find("user_likes") != nullptr) {
    weights.constants.item_likes = read_counts(reader, "item_likes", items[0], users[0]);
    weights.constants.user_likes = read_counts(reader, "user_likes", users[0], items[0]);
  }
  if (fitted && settings.item_bias) {
    state.item_bias = reader.values<float>("item_bias", items[0]);
    check_finite<float>(reader, "item_bias", state.item_bias);
  }
  if (fitted) {
    state.features.users = read_side<Scalar>(reader, "user_features", static_cast<Index>(users[0]), settings.factors, options.execution);
    state.features.items = read_side<Scalar>(reader, "item_features", static_cast<Index>(items[0]), settings.factors, options.execution);
  }
  if (fitted)
    state.offsets = read_offsets(reader, fields, {static_cast<Index>(users[0]), static_cast<Index>(items[0])}, state.score_spread);
  state.items = reader.factors<Scalar>("item_factors", place);
  state.users = reader.factors<Scalar>("user_factors", place);
  if (fitted) state.weights = AlsWeights(settings, std::move(weights));
  return state;
}

/// The model of a state that was read as a whole: finite, with its checksum compared, and its index built meanwhile.
template <Real Scalar>
[[nodiscard]] ImplicitALS<Scalar> checked_model(AlsState<Scalar> state, const TensorReader& reader, const LoadOptions& options) {
  check_finite(reader, "item_factors", state.items, options.execution);
  check_finite(reader, "user_factors", state.users, options.execution);
  ImplicitALS<Scalar> model(std::move(state), options.execution.simd, IndexItems::when_needed);
  parallel_for(2, loop_of(options.execution, 1), [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t task = first; task < last; ++task) {
      if (task == 0)
        reader.check_checksum(options.checksum);
      else if (model.fitted())
        model.prepare();
    }
  });
  return model;
}

template <Real Scalar>
struct ModelFormat<ImplicitALS<Scalar>> {
  static constexpr std::string_view kind = "ImplicitALS";

  template <typename Write>
  static void save(const ImplicitALS<Scalar>& model, Write&& write) {
    if (!model.is_settled()) return save(model.settled(), write);
    const AlsWeights::State weights = model.weights().state();
    const ItemOffsets offsets = stored_offsets(model.item_offsets(), model.shape());
    TensorWriter writer;
    FlatObject fields;
    write_als(writer, fields, model, weights, offsets);
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static ImplicitALS<Scalar> load(TensorReader reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    AlsState<Scalar> state = read_als<Scalar>(reader, fields, options, TensorReader::Place::copied);
    fields.check_all_used();
    reader.check_all_used();
    return checked_model(std::move(state), reader, options);
  }
  /// The model whose factors are the pages of the file.
  static ImplicitALS<Scalar> map(TensorReader& reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    AlsState<Scalar> state = read_als<Scalar>(reader, fields, options, TensorReader::Place::in_place_if_possible);
    fields.check_all_used();
    reader.check_all_used();
    return ImplicitALS<Scalar>(std::move(state), options.execution.simd, IndexItems::when_needed);
  }
  /// The checks that map() leaves out, but for the checksum.
  static void verify(const ImplicitALS<Scalar>& model, const TensorReader& reader, const Execution& execution) {
    check_finite(reader, "item_factors", model.item_factors(), execution);
    check_finite(reader, "user_factors", model.user_factors(), execution);
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
