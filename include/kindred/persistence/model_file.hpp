// SPDX-License-Identifier: MIT
#pragma once

// Long because the formats of three kinds of model share their parts; each is a few lines at the end.
//
// Model files: safetensors (persistence/safetensors.hpp), opened from Python by safetensors.numpy.load_file(path)["item_factors"].
//
// Metadata: kindred.format "1", kindred.kind, kindred.version (of the writer), kindred.model (options and numbers, a flat JSON object), kindred.xxh64.
// Tensors of ImplicitALS: item_factors, user_factors (n x factors, F32 or F64), eigenvalues (F64), item_counts, user_counts (I32).
// Recommender: these, and matrix.offsets (I64), matrix.columns (I32), matrix.values (F32); user_keys, item_keys and item_names, each as .bytes (U8)
// and .ends (I64: where each text ends). PopularityRecommender: popularity (F64), item_counts (I32).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <istream>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/model_state.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/persistence/als_fields.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/tensor_file.hpp>
#include <kindred/version.hpp>

namespace kindred::inline v0 {

/// How a model file is read.
struct LoadOptions {
  ConfidenceFunction confidence_function =
      {};  ///< Of a model with Confidence::custom; without it, what needs it (fold_in, fit) asks for it.
  ChecksumRule checksum = ChecksumRule::required;
  Execution execution = {};  ///< Of reading, checking and indexing; its level is that of the model's scores.
};

namespace detail {

inline constexpr std::string_view model_format = "1";

[[nodiscard]] inline std::string version_text() {
  return std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) + "." + std::to_string(KINDRED_VERSION_PATCH);
}

inline void write_head(TensorWriter& writer, std::string kind, const FlatObject& fields) {
  writer.set("kindred.format", std::string(model_format));
  writer.set("kindred.kind", std::move(kind));
  writer.set("kindred.version", version_text());
  writer.set("kindred.model", fields.text());
}

/// @throws FormatError if a file is of another format than this version reads.
inline void check_format(const std::string& file, const std::string& format) {
  if (format == model_format) return;
  const bool number = !format.empty() && format.size() < 9 && format.find_first_not_of("0123456789") == std::string::npos;
  const bool newer = number && (format.size() > model_format.size() || format > model_format);
  throw FormatError(file + ": it is of format '" + format + "'; this version (" + version_text() + ") reads format " +
                    std::string(model_format) + (newer ? ", and the file is newer" : ""));
}

/// @throws FormatError if the file is of another format or kind.
[[nodiscard]] inline FlatObject read_head(TensorReader& reader, std::string_view kind) {
  check_format(reader.name(), reader.metadata("kindred.format"));
  (void)reader.metadata("kindred.version");
  if (const std::string& found = reader.metadata("kindred.kind"); found != kind)
    reader.fail("it holds a model of kind " + found + "; asked for was " + std::string(kind));
  return {reader.metadata("kindred.model"), reader.name() + ", entry kindred.model"};
}

/// Texts as bytes and where each ends.
struct Texts {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> ends;

  void add(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  void write(TensorWriter& writer, const std::string& name) const {
    writer.add(name + ".bytes", bytes);
    writer.add(name + ".ends", ends);
  }
  static Texts read(TensorReader& reader, const std::string& name, std::uint64_t count) {
    Texts texts{reader.values<std::uint8_t>(name + ".bytes"), reader.values<std::int64_t>(name + ".ends", count)};
    std::int64_t before = 0;
    for (const std::int64_t end : texts.ends) {
      if (end < before || static_cast<std::uint64_t>(end) > texts.bytes.size())
        reader.fail("tensor '" + name + ".ends' holds " + std::to_string(end) + ", which is not in order");
      before = end;
    }
    if (static_cast<std::uint64_t>(before) != texts.bytes.size()) reader.fail("tensor '" + name + ".bytes' is longer than its texts");
    return texts;
  }
  [[nodiscard]] std::string_view operator[](std::size_t n) const {
    const auto start = static_cast<std::size_t>(n == 0 ? 0 : ends[n - 1]);
    return {reinterpret_cast<const char*>(bytes.data()) + start, static_cast<std::size_t>(ends[n]) - start};
  }
};

/// @throws FormatError unless all values are finite.
template <typename T, typename Reader>
void check_finite(const Reader& reader, std::string_view name, std::span<const T> values) {
  for (std::size_t n = 0; n < values.size(); ++n)
    if (!is_finite(values[n])) reader.fail("tensor '" + std::string(name) + "', entry " + std::to_string(n) + ", is not finite");
}
template <Real Scalar, typename Reader>
void check_finite(const Reader& reader, std::string_view name, const FactorMatrix<Scalar>& factors, const Execution& execution) {
  parallel_for(static_cast<std::size_t>(factors.rows()), loop_of(execution, 4096),
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t r = first; r < last; ++r)
                   for (const Scalar value : factors.row(static_cast<Index>(r)))
                     if (!is_finite(value)) reader.fail("tensor '" + std::string(name) + "', row " + std::to_string(r) + ", is not finite");
               });
}

/// Interactions of rows, each of at most `others`.
template <typename Reader>
[[nodiscard]] std::vector<Index> read_counts(Reader& reader, const std::string& name, std::uint64_t rows, std::uint64_t others) {
  std::vector<Index> counts = reader.template values<Index>(name, rows);
  for (const Index count : counts)
    if (count < 0 || static_cast<std::uint64_t>(count) > others)
      reader.fail("tensor '" + name + "' holds " + std::to_string(count) + "; it must be in [0, " + std::to_string(others) + "]");
  return counts;
}

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// How one kind of model is written and read.
template <typename Model>
struct ModelFormat;

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
  write_chosen(state.options, state.settings, fields);
  write_constants(state.weights, fields);
  fields.set("current_counts", current_counts_names[state.weights.user_counts_current + 2 * state.weights.item_counts_current]);
  writer.add("eigenvalues", state.eigenvalues);
  writer.add("item_counts", state.weights.item_counts);
  writer.add("user_counts", state.weights.user_counts);
  if (!state.weights.constants.user_likes.empty()) {
    writer.add("item_likes", state.weights.constants.item_likes);
    writer.add("user_likes", state.weights.constants.user_likes);
  }
}

template <Real Scalar>
void write_als(TensorWriter& writer, FlatObject& fields, const ImplicitALS<Scalar>& model, const AlsAccess::State& state) {
  writer.add("item_factors", model.item_factors());
  writer.add("user_factors", model.user_factors());
  write_als_state(writer, fields, state);
}

/// All checks but those that read every factor.
template <Real Scalar, typename Reader>
[[nodiscard]] AlsParts<Scalar> read_als(Reader& reader, FlatObject& fields, const LoadOptions& options, TensorReader::Place place) {
  AlsParts<Scalar> parts;
  AlsAccess::State& state = parts.state;
  state.options = read_options(fields, options.confidence_function, reader.name());
  state.settings = read_settings(fields, state.options, reader.name());
  read_constants(fields, state.settings, state.weights, reader.name());
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
  const std::uint64_t k = fitted ? state.settings.factors : 0;
  if (users[1] != k || items[1] != k || (!fitted && (users[0] != 0 || items[0] != 0)))
    reader.fail("user factors are " + std::to_string(users[0]) + " x " + std::to_string(users[1]) + ", item factors " +
                std::to_string(items[0]) + " x " + std::to_string(items[1]) + "; both must have " + std::to_string(state.settings.factors) +
                " columns, or both be 0 x 0");
  state.eigenvalues = reader.template values<double>("eigenvalues", k);
  for (std::size_t f = 0; f < state.eigenvalues.size(); ++f)
    if (!is_finite(state.eigenvalues[f]) || state.eigenvalues[f] < 0.0 || (f > 0 && state.eigenvalues[f] > state.eigenvalues[f - 1]))
      reader.fail("tensor 'eigenvalues', entry " + std::to_string(f) + ", is " + number_text(state.eigenvalues[f]) +
                  "; they must be finite, at least 0 and falling");
  state.weights.item_counts = read_counts(reader, "item_counts", items[0], users[0]);
  state.weights.user_counts = read_counts(reader, "user_counts", users[0], items[0]);
  if (reader.find("user_likes") != nullptr) {
    state.weights.constants.item_likes = read_counts(reader, "item_likes", items[0], users[0]);
    state.weights.constants.user_likes = read_counts(reader, "user_likes", users[0], items[0]);
  }
  parts.items = reader.template factors<Scalar>("item_factors", place);
  parts.users = reader.template factors<Scalar>("user_factors", place);
  return parts;
}

/// The model of parts that were read as a whole: finite, with its checksum compared, and its index built meanwhile.
template <Real Scalar, typename Reader>
[[nodiscard]] ImplicitALS<Scalar> checked_model(AlsParts<Scalar> parts, const Reader& reader, const LoadOptions& options) {
  check_finite(reader, "item_factors", parts.items, options.execution);
  check_finite(reader, "user_factors", parts.users, options.execution);
  ImplicitALS<Scalar> model =
      AlsAccess::model_of(std::move(parts.state), std::move(parts.users), std::move(parts.items), options.execution.simd, IndexItems::when_needed);
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

template <Real Scalar>
struct ModelFormat<Recommender<Scalar>> {
  static constexpr std::string_view kind = "Recommender";

  template <typename Write>
  static void save(const Recommender<Scalar>& recommender, Write&& write) {
    const RecommenderAccess::State<Scalar> held = RecommenderAccess::state_of(recommender);
    std::optional<ImplicitALS<Scalar>> settled;
    if (!held.model.is_settled()) settled = held.model.settled();
    const ImplicitALS<Scalar>& model = settled ? *settled : held.model;
    const AlsAccess::State state = AlsAccess::state_of(model);
    TensorWriter writer;
    FlatObject fields;
    write_als(writer, fields, model, state);
    const CsrView matrix = held.data.matrix;
    const auto add = [&](const char* name, auto values) { writer.add(name, values, {values.size()}); };
    add("matrix.offsets", matrix.offsets());
    add("matrix.columns", matrix.columns());
    add("matrix.values", matrix.values());
    Texts users, items, names;
    for (Index u = 0; u < held.data.users.size(); ++u) users.add(held.data.users.key(u));
    for (Index i = 0; i < held.data.items.size(); ++i) items.add(held.data.items.key(i));
    for (const std::string& name : held.data.item_names) names.add(name);
    users.write(writer, "user_keys");
    items.write(writer, "item_keys");
    names.write(writer, "item_names");
    write_head(writer, std::string(kind), fields);
    write(writer);
  }
  static Recommender<Scalar> load(TensorReader reader, const LoadOptions& options) {
    FlatObject fields = read_head(reader, kind);
    AlsParts<Scalar> parts = read_als<Scalar>(reader, fields, options, TensorReader::Place::copied);
    fields.check_all_used();
    if (parts.users.factors() == 0) reader.fail("its factors are 0 x 0: no Recommender has a model that is not fitted");
    Dataset data;
    const MatrixShape shape{parts.users.rows(), parts.items.rows()};
    data.users = keys_of(reader, "user_keys", shape.users);
    data.items = keys_of(reader, "item_keys", shape.items);
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
    reader.check_all_used();
    return Recommender<Scalar>(checked_model(std::move(parts), reader, options), std::move(data));
  }

 private:
  static IdMap keys_of(TensorReader& reader, const std::string& name, Index count) {
    const Texts texts = Texts::read(reader, name, static_cast<std::uint64_t>(count));
    IdMap map;
    for (Index n = 0; n < count; ++n)
      if (map.intern(texts[static_cast<std::size_t>(n)]) != n)
        reader.fail("tensor '" + name + "' holds one key twice, as number " + std::to_string(n));
    return map;
  }
};

template <>
struct ModelFormat<PopularityRecommender> {
  static constexpr std::string_view kind = "PopularityRecommender";
  static constexpr std::string_view by_names[] = {"summed_values", "users"};

  template <typename Write>
  static void save(const PopularityRecommender& model, Write&& write) {
    const PopularityAccess::State state = PopularityAccess::state_of(model);
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
    PopularityAccess::State state;
    state.options.by = fields.choice_of<PopularityBy>("by", by_names);
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
    return PopularityAccess::model_of(std::move(state));
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Writes a model (ImplicitALS, PopularityRecommender, Recommender; fitted or not) to `path`.
///
/// It is written beside `path`, flushed, and renamed: whenever the process or the machine stops, `path` holds what it held, or the new file, whole.
/// A Recommender is saved with its keys, names and interactions, from which it answers. O(size of the model).
/// @throws IoError (no folder, no permission, disk full, ...); what was at `path` is then as it was.
template <typename Model>
void save(const Model& model, const std::string& path) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) { detail::write_file(writer, path); });
}

/// The same to a stream, which has to be binary. @throws IoError if it fails.
template <typename Model>
void save(const Model& model, std::ostream& stream) {
  detail::ModelFormat<Model>::save(model, [&](detail::TensorWriter& writer) { detail::write_stream(writer, stream); });
}

/// The model in a file, its factors byte for byte: `auto als = load<ImplicitALS<float>>(path)`. Takes about the size of the file in memory.
///
/// Nothing in the file is trusted: every size is compared with the length of the file before anything is allocated, the checksum with the bytes, and
/// everything that a model promises is checked.
/// @throws IoError if the file cannot be read; FormatError if it is damaged, no model file, another kind or scalar type, or of a newer format.
template <typename Model>
[[nodiscard]] Model load(const std::string& path, const LoadOptions& options = {}) {
  return detail::ModelFormat<Model>::load(detail::TensorReader(detail::ByteStore::of_file(path), options.execution), options);
}

/// The same from a stream, which is left after the last byte of the model. Takes twice the size of the model.
template <typename Model>
[[nodiscard]] Model load(std::istream& stream, const LoadOptions& options = {}) {
  return detail::ModelFormat<Model>::load(detail::TensorReader(detail::ByteStore::of_stream(stream), options.execution), options);
}

/// A model whose factors are the pages of its file.
template <typename Model>
class Mapped {
 public:
  Model model;

  /// Reads all of the file: compares the checksum and checks that every factor is finite. @throws FormatError if it is damaged.
  void verify() const {
    detail::check_finite(reader_, "item_factors", model.item_factors(), execution_);
    detail::check_finite(reader_, "user_factors", model.user_factors(), execution_);
    reader_.check_checksum(rule_);
  }

  Mapped(Model mapped, detail::TensorReader reader, const LoadOptions& options)
      : model(std::move(mapped)), reader_(std::move(reader)), execution_(options.execution), rule_(options.checksum) {}

 private:
  detail::TensorReader reader_;
  Execution execution_;
  ChecksumRule rule_;
};

/// The model in a file whose factors are read when they are asked for, and shared with other processes: `load_mapped<ImplicitALS<float>>(path).model`.
///
/// Header, sizes, options, counts and eigenvalues are checked; factors are not before verify(). Until then a damaged file can give wrong scores, but no
/// score that is not finite: that is a NumericalError naming the row. recommend(user) reads the item factors once over for each list until prepare() has
/// built the index. Changes (refit_users, ...) stay in this process. Factors whose number is no multiple of 16 (8 for double) are read instead, since
/// rows in memory are padded to 64 bytes. The file must not be cut short while it is mapped (replacing it by a rename, as save does, is fine).
/// @throws as load does, but for what only verify() sees; IoError where the system has no mmap.
template <typename Model>
[[nodiscard]] Mapped<Model> load_mapped(const std::string& path, const LoadOptions& options = {}) {
  using Scalar = std::remove_cvref_t<decltype(*std::declval<Model&>().item_factors().data())>;
  static_assert(std::is_same_v<Model, ImplicitALS<Scalar>>, "only ImplicitALS can be mapped");
  detail::TensorReader reader(detail::ByteStore::of_mapping(path), options.execution);
  detail::FlatObject fields = detail::read_head(reader, detail::ModelFormat<Model>::kind);
  detail::AlsParts<Scalar> parts = detail::read_als<Scalar>(reader, fields, options, detail::TensorReader::Place::in_place_if_possible);
  fields.check_all_used();
  reader.check_all_used();
  Model model =
      detail::AlsAccess::model_of(std::move(parts.state), std::move(parts.users), std::move(parts.items), options.execution.simd, detail::IndexItems::when_needed);
  return {std::move(model), std::move(reader), options};
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
