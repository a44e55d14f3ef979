// SPDX-License-Identifier: MIT
#pragma once

// The bodies of persistence/model_file.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <istream>
#include <memory>
#include <ostream>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/persistence/als_format.hpp>
#include <kindred/persistence/byte_store.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/neighbours_format.hpp>
#include <kindred/persistence/popularity_format.hpp>
#include <kindred/persistence/recommender_format.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <typename Model>
void save(const Model& model, const Path& path) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) {
    detail::write_file(writer, path);
    return true;
  });
}

template <typename Model>
void save(const Model& model, std::ostream& stream) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) {
    detail::write_stream(writer, stream);
    return false;
  });
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
  detail::TensorReader reader(detail::ByteStore::of_mapping(path), options.execution);
  Model model = detail::ModelFormat<Model>::map(reader, options);
  return {std::move(model), std::make_shared<detail::TensorReader>(std::move(reader)), options};
}

template <typename Model>
void Mapped<Model>::verify() const {
  detail::ModelFormat<Model>::verify(model, *reader_, execution_);
  reader_->check_checksum(rule_);
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
