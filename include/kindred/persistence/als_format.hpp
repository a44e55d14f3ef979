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
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/model_state.hpp>
#include <kindred/persistence/als_fields.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Everything of an ImplicitALS but what follows from it.
template <Real Scalar>
struct AlsParts {
  AlsAccess::State state;
  FactorMatrix<Scalar> users;
  FactorMatrix<Scalar> items;
};

/// Which counts are those of the data: of no side, of users, of items, of both.
inline constexpr std::string_view current_counts_names[] = {"none", "users", "items", "both"};

/// All but the factors.
inline void write_als_state(TensorWriter& writer, FlatObject& fields, const AlsAccess::State& state) {
  write_options(state.options, fields);
  fields.set("cap", state.weights.cap);
  fields.set("background_weight", state.weights.unobserved_weight);
  fields.set("user_background_scale", state.weights.user_background_scale);
  fields.set("item_background_scale", state.weights.item_background_scale);
  fields.set("mean_item_count", state.weights.mean_item_count);
  fields.set("current_counts", current_counts_names[state.weights.user_counts_current + 2 * state.weights.item_counts_current]);
  writer.add("eigenvalues", state.eigenvalues);
  writer.add("item_counts", state.weights.item_counts);
  writer.add("user_counts", state.weights.user_counts);
}

template <Real Scalar>
void write_als(TensorWriter& writer, FlatObject& fields, const ImplicitALS<Scalar>& model, const AlsAccess::State& state) {
  writer.add("item_factors", model.item_factors());
  writer.add("user_factors", model.user_factors());
  write_als_state(writer, fields, state);
}

/// All checks but those that read every factor.
template <Real Scalar>
[[nodiscard]] AlsParts<Scalar> read_als(TensorReader& reader, FlatObject& fields, const LoadOptions& options, TensorReader::Place place) {
  AlsParts<Scalar> parts;
  AlsAccess::State& state = parts.state;
  state.options = read_options(fields, options.confidence_function, reader.name());
  state.weights.cap = fields.optional_of("cap");
  const auto positive = [&](const std::string& key, bool or_zero) {
    const double number = fields.number_of(key);
    if (!(number > 0.0) && !(or_zero && number == 0.0)) reader.fail("'" + key + "' is " + number_text(number) + "; it must be above 0");
    return number;
  };
  if (state.weights.cap && !(*state.weights.cap > 0.0)) reader.fail("'cap' is not above 0");
  state.weights.unobserved_weight = positive("background_weight", true);
  state.weights.user_background_scale = positive("user_background_scale", false);
  state.weights.item_background_scale = positive("item_background_scale", false);
  state.weights.mean_item_count = positive("mean_item_count", false);
  // A file without the entry, from before there was one, may hold a model that was updated.
  enum class Current { none, users, items, both };
  const auto current = fields.has("current_counts") ? fields.choice_of<Current>("current_counts", current_counts_names) : Current::none;
  state.weights.user_counts_current = current == Current::users || current == Current::both;
  state.weights.item_counts_current = current == Current::items || current == Current::both;

  const auto factors_are = [&](std::string_view name) {
    const Tensor& tensor = reader.tensor(name, 2);
    if (tensor.dtype != dtype_of<Scalar> && (tensor.dtype == "F32" || tensor.dtype == "F64"))
      reader.fail("its factors are of type " + tensor.dtype + ": load<ImplicitALS<" + (tensor.dtype == "F32" ? "float" : "double") +
                  ">> reads them");
    return tensor.shape;
  };
  const std::vector<std::uint64_t> items = factors_are("item_factors"), users = factors_are("user_factors");
  const bool fitted = users[1] != 0 || items[1] != 0;
  const std::uint64_t k = fitted ? state.options.factors : 0;
  if (users[1] != k || items[1] != k || (!fitted && (users[0] != 0 || items[0] != 0)))
    reader.fail("user factors are " + std::to_string(users[0]) + " x " + std::to_string(users[1]) + ", item factors " +
                std::to_string(items[0]) + " x " + std::to_string(items[1]) + "; both must have " + std::to_string(state.options.factors) +
                " columns, or both be 0 x 0");
  state.eigenvalues = reader.values<double>("eigenvalues", k);
  for (std::size_t f = 0; f < state.eigenvalues.size(); ++f)
    if (!is_finite(state.eigenvalues[f]) || state.eigenvalues[f] < 0.0 || (f > 0 && state.eigenvalues[f] > state.eigenvalues[f - 1]))
      reader.fail("tensor 'eigenvalues', entry " + std::to_string(f) + ", is " + number_text(state.eigenvalues[f]) +
                  "; they must be finite, at least 0 and falling");
  state.weights.item_counts = read_counts(reader, "item_counts", items[0], users[0]);
  state.weights.user_counts = read_counts(reader, "user_counts", users[0], items[0]);
  parts.items = reader.factors<Scalar>("item_factors", place);
  parts.users = reader.factors<Scalar>("user_factors", place);
  return parts;
}

/// The model of parts that were read as a whole: finite, with its checksum compared, and its index built meanwhile.
template <Real Scalar>
[[nodiscard]] ImplicitALS<Scalar> checked_model(AlsParts<Scalar> parts, const TensorReader& reader, const LoadOptions& options) {
  check_finite(reader, "item_factors", parts.items, options.threads);
  check_finite(reader, "user_factors", parts.users, options.threads);
  ImplicitALS<Scalar> model =
      AlsAccess::model_of(std::move(parts.state), std::move(parts.users), std::move(parts.items), IndexItems::when_needed);
  parallel_for(2, {.threads = options.threads}, [&](std::size_t first, std::size_t last, std::size_t) {
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
    const AlsAccess::State state = AlsAccess::state_of(model);
    TensorWriter writer;
    FlatObject fields;
    write_als(writer, fields, model, state);
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static ImplicitALS<Scalar> load(TensorReader reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    AlsParts<Scalar> parts = read_als<Scalar>(reader, fields, options, TensorReader::Place::copied);
    fields.check_all_used();
    reader.check_all_used();
    return checked_model(std::move(parts), reader, options);
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
