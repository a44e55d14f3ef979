// SPDX-License-Identifier: MIT
#pragma once

// The bodies of persistence/model_file.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/als_format.hpp>
#include <kindred/persistence/byte_store.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/popularity_format.hpp>
#include <kindred/persistence/recommender_format.hpp>
#include <kindred/persistence/tensor_checks.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <typename Model>
void save(const Model& model, const Path& path) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) { detail::write_file(writer, path); });
}

template <typename Model>
void save(const Model& model, std::ostream& stream) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) { detail::write_stream(writer, stream); });
}

template <typename Model>
Model load(const Path& path, const LoadOptions& options) {
  return detail::ModelFormat<Model>::load(detail::TensorReader(detail::ByteStore::of_file(path), options.execution), options);
}

template <typename Model>
Model load(std::istream& stream, const LoadOptions& options) {
  return detail::ModelFormat<Model>::load(detail::TensorReader(detail::ByteStore::of_stream(stream), options.execution), options);
}

template <typename Model>
Mapped<Model> load_mapped(const Path& path, const LoadOptions& options) {
  using Scalar = std::remove_cvref_t<decltype(*std::declval<Model&>().item_factors().data())>;
  static_assert(std::is_same_v<Model, ImplicitALS<Scalar>>, "only ImplicitALS can be mapped");
  detail::TensorReader reader(detail::ByteStore::of_mapping(path), options.execution);
  detail::FlatObject fields = detail::read_head(reader, detail::ModelFormat<Model>::kind);
  detail::AlsState<Scalar> state = detail::read_als<Scalar>(reader, fields, options, detail::TensorReader::Place::in_place_if_possible);
  fields.check_all_used();
  reader.check_all_used();
  Model model(std::move(state), options.execution.simd, detail::IndexItems::when_needed);
  return {std::move(model), std::make_shared<detail::TensorReader>(std::move(reader)), options};
}

template <typename Model>
void Mapped<Model>::verify() const {
  detail::check_finite(*reader_, "item_factors", model.item_factors(), execution_);
  detail::check_finite(*reader_, "user_factors", model.user_factors(), execution_);
  reader_->check_checksum(rule_);
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
