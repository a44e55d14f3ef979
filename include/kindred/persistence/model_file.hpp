// SPDX-License-Identifier: MIT
#pragma once

// Model files: safetensors (persistence/safetensors.hpp), opened from Python by safetensors.numpy.load_file(path)["item_factors"].
//
// Metadata: kindred.format "1", kindred.kind, kindred.version (of the writer), kindred.model (options and numbers, a flat JSON object), kindred.xxh64.
// Tensors of ImplicitALS: item_factors, user_factors (n x factors, F32 or F64), eigenvalues (F64), item_counts, user_counts (I32).
// Recommender: these, and matrix.offsets (I64), matrix.columns (I32), matrix.values (F32); user_keys, item_keys and item_names, each as .bytes (U8)
// and .ends (I64: where each text ends). PopularityRecommender: popularity (F64), item_counts (I32).
// ItemNeighbours: neighbours.offsets (I64), neighbours.targets (I32), neighbours.weights (F32), neighbours.likes (I32), neighbours.squares (F64);
// histories.offsets (I64), histories.items (I32), histories.votes (F32). BlendedRecommender: these, and the tensors of ImplicitALS.

#include <iosfwd>
#include <memory>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/path.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/load_options.hpp>

namespace kindred::inline v0::detail {

class TensorReader;

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Writes a model (ImplicitALS, ItemNeighbours, BlendedRecommender, PopularityRecommender, KeyedRecommender; fitted or not) to `path`.
///
/// It is written beside `path`, flushed, and renamed: whenever the process or the machine stops, `path` holds what it held, or the new file, whole.
/// A KeyedRecommender is saved with its keys, names and interactions, from which it answers, and with the events of its journal, which the journal then drops:
/// the file is the one to start from. O(size of the model).
/// @throws IoError (no folder, no permission, disk full, ...); what was at `path` is then as it was.
template <typename Model>
void save(const Model& model, const Path& path);

/// The same to a stream, which has to be binary; a journal stays as it is. @throws IoError if it fails.
template <typename Model>
void save(const Model& model, std::ostream& stream);

/// The model in a file, its factors byte for byte: `auto als = load<ImplicitALS<float>>(path)`. Takes about the size of the file in memory.
///
/// Nothing in the file is trusted: every size is compared with the length of the file before anything is allocated, the checksum with the bytes, and
/// everything that a model promises is checked.
/// @throws IoError if the file cannot be read; FormatError if it is damaged, no model file, another kind or scalar type, or of a newer format.
template <typename Model>
[[nodiscard]] Model load(const Path& path, const LoadOptions& options = {});

/// The same from a stream, which is left after the last byte of the model. Takes twice the size of the model.
template <typename Model>
[[nodiscard]] Model load(std::istream& stream, const LoadOptions& options = {});

/// A model whose factors and neighbours are the pages of its file.
template <typename Model>
class Mapped {
 public:
  Model model;

  /// Reads all of the file: compares the checksum and checks that every factor is finite. @throws FormatError if it is damaged.
  void verify() const;

  Mapped(Model mapped, std::shared_ptr<detail::TensorReader> reader, const LoadOptions& options)
      : model(std::move(mapped)), reader_(std::move(reader)), execution_(options.execution), rule_(options.checksum) {}

 private:
  std::shared_ptr<detail::TensorReader> reader_;
  Execution execution_;
  ChecksumRule rule_;
};

/// The model in a file whose factors are read when they are asked for, and shared with other processes: `load_mapped<ImplicitALS<float>>(path).model`.
///
/// ImplicitALS, ItemNeighbours and BlendedRecommender can be mapped. Header, sizes, options, counts, eigenvalues, neighbours and histories are checked;
/// factors are not before verify(). Until then a damaged file can give wrong scores, but no
/// score that is not finite: that is a NumericalError naming the row. recommend(user) reads the item factors once over for each list until prepare() has
/// built the index. Changes (refit_users, ...) stay in this process. Factors whose number is no multiple of 16 (8 for double) are read instead, since
/// rows in memory are padded to 64 bytes. The file must not be cut short while it is mapped (replacing it by a rename, as save does, is fine).
/// @throws as load does, but for what only verify() sees; IoError where the system has no mmap.
template <typename Model>
[[nodiscard]] Mapped<Model> load_mapped(const Path& path, const LoadOptions& options = {});

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/persistence/model_file.ipp>  // IWYU pragma: export
#endif
