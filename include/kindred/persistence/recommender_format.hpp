// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/als_format.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/kept_events_format.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/neighbours_format.hpp>
#include <kindred/persistence/offset_format.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>
#include <kindred/persistence/texts.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar, typename Model>
struct ModelFormat<KeyedRecommender<Scalar, Model>> {
  static constexpr bool is_blend = std::is_same_v<Model, BlendedRecommender<Scalar>>;
  static constexpr std::string_view kind = is_blend ? "BlendedKeyedRecommender" : "Recommender";

  /// `write` returns whether the file is one that the recommender starts from: its journal then need not hold what the file does.
  template <typename Write>
  static void save(const KeyedRecommender<Scalar, Model>& recommender, Write&& write) {
    const auto held = recommender.snapshot();
    TensorWriter writer;
    FlatObject fields;
    if constexpr (is_blend) {
      write_blend(writer, fields, *held.model);
    } else {
      const ImplicitALS<Scalar>& model = held.model->is_settled() ? *held.model : writer.keep(held.model->settled());
      write_als(writer, fields, model, writer.keep(model.weights().state()),
                writer.keep(stored_offsets(model.item_offsets(), model.shape())));
    }
    const CsrView matrix = held.data->matrix;
    writer.add("matrix.offsets", matrix.offsets());
    writer.add("matrix.columns", matrix.columns());
    writer.add("matrix.values", matrix.values());
    Texts users, items, names;
    for (Index u = 0; u < held.data->users.size(); ++u) users.add(held.data->users.key(u));
    for (Index i = 0; i < held.data->items.size(); ++i) items.add(held.data->items.key(i));
    for (const std::string& name : held.data->item_names) names.add(name);
    users.write(writer, "user_keys");
    items.write(writer, "item_keys");
    names.write(writer, "item_names");
    const JournalMark mark = write_kept_events(writer, *held.events, *held.new_user_weights);
    write_head(writer, std::string(kind), fields);
    if (!write(writer) || mark.id == 0) return;
    try {
      held.events->shorten_journal(mark);
    } catch (const IoError&) {  // the file is saved, and the journal as long as before: the next save tries again
    }
  }
  static KeyedRecommender<Scalar, Model> load(TensorReader reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    if constexpr (is_blend) {
      BlendState<Scalar> state = read_blend<Scalar>(reader, fields, options, TensorReader::Place::copied);
      fields.check_all_used();
      Dataset data = read_data(reader, state.factors);
      Events events = read_events_of(reader, data);
      ImplicitALS<Scalar> factors = checked_model(std::move(state.factors), reader, options);
      return KeyedRecommender<Scalar, Model>(blend_of(std::move(factors), std::move(state)), std::move(data), std::move(events.kept),
                                             std::move(events.new_user_weights));
    } else {
      AlsState<Scalar> state = read_als<Scalar>(reader, fields, options, TensorReader::Place::copied);
      fields.check_all_used();
      Dataset data = read_data(reader, state);
      Events events = read_events_of(reader, data);
      return KeyedRecommender<Scalar, Model>(checked_model(std::move(state), reader, options), std::move(data), std::move(events.kept),
                                             std::move(events.new_user_weights));
    }
  }

 private:
  struct Events {
    KeptEvents::State kept;
    std::vector<float> new_user_weights;
  };

  static Events read_events_of(TensorReader& reader, const Dataset& data) {
    Events events;
    events.kept = read_kept_events(reader, data.matrix.shape(), events.new_user_weights);
    for (Index u = 0; u < events.kept.new_users.size(); ++u)
      if (data.users.find(events.kept.new_users.key(u))) reader.fail("a key of 'new_user_keys' is one of 'user_keys' too");
    reader.check_all_used();
    return events;
  }

  static Dataset read_data(TensorReader& reader, const AlsState<Scalar>& state) {
    if (state.users.factors() == 0) reader.fail("its factors are 0 x 0: no Recommender has a model that is not fitted");
    Dataset data;
    const MatrixShape shape{state.users.rows(), state.items.rows()};
    data.users = read_keys(reader, "user_keys", static_cast<std::uint64_t>(shape.users));
    data.items = read_keys(reader, "item_keys", static_cast<std::uint64_t>(shape.items));
    const Tensor& ends = reader.tensor("item_names.ends", 1);
    const std::uint64_t named = ends.shape[0] == 0 ? 0 : static_cast<std::uint64_t>(shape.items);
    const Texts names = Texts::read(reader, "item_names", named);
    for (std::size_t i = 0; i < names.ends.size(); ++i) data.item_names.emplace_back(names[i]);
    try {
      data.matrix = CsrMatrix(shape, reader.values<Offset>("matrix.offsets"), reader.values<Index>("matrix.columns"),
                              reader.values<float>("matrix.values"));
    } catch (const FormatError&) {
      throw;
    } catch (const Error& error) {
      reader.fail(std::string("the interactions are damaged: ") + error.what());
    }
    return data;
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
