// SPDX-License-Identifier: MIT
#pragma once

// A model in several files, shards, and an index that names them, in the form that tools for safetensors know (model.safetensors.index.json, "weight_map").
//
// Shard n of m holds rows [rows * n / m, rows * (n + 1) / m) of the factors as tensors item_factors.n and user_factors.n; the first one also what else a model
// file holds. The index's metadata has the checksum of each file. File names carry a digest of all of them: shards of one model never replace another's.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/io/input_file.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/model_state.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/persistence/tensor_file.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0::detail {

inline constexpr std::string_view shard_kind = "ImplicitALS shard";
inline constexpr std::string_view index_suffix = ".index.json";
inline constexpr std::string_view checksums_key = "kindred.xxh64";
inline constexpr std::size_t most_shards = 4'096;
inline constexpr std::size_t longest_index = std::size_t{16} << 20;  // bytes

[[nodiscard]] inline std::string file_name_of(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// What shards are called: the path of the index without its suffixes, a digest of the checksums of all, and the number.
[[nodiscard]] inline std::string shard_path(const std::string& index_path, const std::vector<std::uint64_t>& checksums, std::size_t shard) {
  std::string stem = index_path.substr(0, index_path.size() - index_suffix.size());
  if (stem.ends_with(".safetensors")) stem.resize(stem.size() - std::string_view(".safetensors").size());
  Xxh64 hash;
  hash.update(std::as_bytes(std::span(checksums)));
  // A name has at most 255 bytes on most file systems. Where the stem is cut, the digest stands for all of it.
  constexpr std::size_t longest_stem = 255 - std::string_view("-0123456789abcdef-00001-of-00001.safetensors").size();
  if (const std::string name = file_name_of(stem); name.size() > longest_stem) {
    hash.update(std::as_bytes(std::span(name)));
    std::size_t cut = stem.size() - name.size() + longest_stem;
    while ((static_cast<unsigned char>(stem[cut]) & 0xC0U) == 0x80U) --cut;  // not inside a character
    stem.resize(cut);
  }
  const auto padded = [](std::size_t number) {
    const std::string text = std::to_string(number);
    return std::string(text.size() < 5 ? 5 - text.size() : 0, '0') + text;
  };
  return stem + "-" + digest_text(hash.digest()) + "-" + padded(shard + 1) + "-of-" + padded(checksums.size()) + ".safetensors";
}

/// The file that an index at `path` is written to, all links followed; shards go beside it.
/// @throws InvalidArgument unless that is a name for an index and `shards` possible; IoError if something else than a regular file is there.
[[nodiscard]] inline std::string index_target(const std::string& path, std::size_t shards) {
  if (shards < 1 || shards > most_shards) throw InvalidArgument("shards", shards, "in [1, " + std::to_string(most_shards) + "]");
  const auto check_name = [](const std::string& name) {
    if (!name.ends_with(index_suffix) || file_name_of(name).size() == index_suffix.size())
      throw InvalidArgument("path", "'" + name + "'", "a name that ends in " + std::string(index_suffix));
  };
  check_name(path);
  std::string target = replaceable_target(path);
  check_name(target);
  return target;
}

/// Which files hold what, and their checksums.
struct ShardIndex {
  std::vector<std::string> files;  ///< Names without a folder.
  std::vector<std::string> checksums;

  [[nodiscard]] static std::vector<std::string> tensors_of(std::size_t shard) {
    std::vector<std::string> names = {"item_factors." + std::to_string(shard), "user_factors." + std::to_string(shard)};
    if (shard == 0) names.insert(names.end(), {"eigenvalues", "item_counts", "user_counts"});
    return names;
  }

  [[nodiscard]] std::string text(std::uint64_t total_size) const {
    nlohmann::ordered_json json;
    json["metadata"] = {{"total_size", total_size}, {"kindred.format", std::string(model_format)}};
    for (std::size_t n = 0; n < files.size(); ++n) {
      json["metadata"][std::string(checksums_key)][files[n]] = checksums[n];
      for (const std::string& tensor : tensors_of(n)) json["weight_map"][tensor] = files[n];
    }
    return json.dump(2) + "\n";
  }

  /// Nothing in it is trusted. @throws IoError; FormatError.
  [[nodiscard]] static ShardIndex read(const std::string& path) {
    const auto fail = [&](const std::string& problem) { throw FormatError(path + ": " + problem); };
    InputFile input(path);
    std::string text;
    for (std::size_t got = 1; got > 0;) {
      const std::size_t before = text.size();
      text.resize(before + (std::size_t{1} << 16));
      got = input.read(text.data() + before, text.size() - before);
      text.resize(before + got);
      if (text.size() > longest_index) fail("no index of shards: it has more than " + std::to_string(longest_index) + " bytes");
    }
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    const auto has = [](const nlohmann::json& object, std::string_view key) {
      return object.is_object() && object.contains(std::string(key)) && object.at(std::string(key)).is_object();
    };
    if (!has(json, "weight_map") || !has(json, "metadata") || !has(json.at("metadata"), checksums_key))
      fail("no index of a model's shards: it is no JSON with weight_map, and metadata with " + std::string(checksums_key));
    const nlohmann::json& map = json.at("weight_map");
    const nlohmann::json& sums = json.at("metadata").at(std::string(checksums_key));
    const auto quoted = [](const std::string& word) { return "'" + word + "'"; };
    const auto text_at = [&](const nlohmann::json& object, const std::string& key) {
      const auto found = object.find(key);
      if (found == object.end() || !found->is_string()) fail("there is no text for " + quoted(key));
      return found->template get<std::string>();
    };
    check_format(path, text_at(json.at("metadata"), "kindred.format"));
    ShardIndex index;
    std::size_t named = 0;
    for (std::size_t n = 0; map.contains("item_factors." + std::to_string(n)); ++n) {
      for (const std::string& tensor : tensors_of(n)) {
        const std::string file = text_at(map, tensor);
        if (tensor.starts_with("item_factors.")) index.files.push_back(file);
        if (file != index.files.back())
          fail(quoted(tensor) + " is in " + quoted(file) + ", other parts of that shard in " + quoted(index.files.back()));
        ++named;
      }
      const std::string& file = index.files.back();
      if (file != file_name_of(file) || file.empty() || file.front() == '.' || file.find('\\') != std::string::npos)
        fail(quoted(file) + " is no name of a file in the same folder");
      index.checksums.push_back(text_at(sums, file));
    }
    if (index.files.empty() || index.files.size() > most_shards) fail("it names " + std::to_string(index.files.size()) + " shards");
    if (named != map.size() || sums.size() != index.files.size() ||
        std::set(index.files.begin(), index.files.end()).size() != index.files.size())
      fail("it names other tensors or files than those of " + std::to_string(index.files.size()) + " shards");
    return index;
  }
};

/// Shards as if they were one file, with the calls of TensorReader that read a model.
class ShardReader {
 public:
  /// @throws IoError, FormatError.
  ShardReader(const std::string& index_path, std::size_t threads) : name_(index_path), index_(ShardIndex::read(index_path)) {
    // Beside the index; or, if that is a link and they are not there, beside the file that it leads to.
    std::filesystem::path folder = std::filesystem::path(index_path).parent_path();
    std::error_code error;
    if (!std::filesystem::exists(folder / index_.files.front(), error)) {
      const std::filesystem::path target = std::filesystem::canonical(index_path, error);
      if (!error) folder = target.parent_path();
    }
    for (std::size_t n = 0; n < index_.files.size(); ++n) {
      TensorReader& shard = shards_.emplace_back(ByteStore::of_file((folder / index_.files[n]).string()), threads);
      FlatObject fields = read_head(shard, shard_kind);
      if (fields.whole_of("shard") != n || fields.whole_of("shards") != index_.files.size())
        shard.fail("it is another shard than number " + std::to_string(n) + " of " + std::to_string(index_.files.size()));
      if (shard.metadata(std::string(checksum_key)) != index_.checksums[n])
        shard.fail("it is of another model than " + name_ + ": its checksum is " + shard.metadata(std::string(checksum_key)) +
                   ", and the index says " + index_.checksums[n]);
      if (n == 0)
        fields_ = std::move(fields);
      else
        fields.check_all_used();
    }
  }

  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(name_ + ": " + problem); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Options and numbers of the model.
  [[nodiscard]] FlatObject& fields() noexcept { return fields_; }

  /// The factors of all shards as one tensor. @throws FormatError if they do not belong together.
  [[nodiscard]] const Tensor& tensor(std::string_view name, std::size_t dimensions) {
    const auto [at, added] = whole_.try_emplace(std::string(name));
    Tensor& whole = at->second;
    if (!added) return whole;
    for (std::size_t n = 0; n < shards_.size(); ++n) {
      const Tensor& part = shards_[n].tensor(part_name(name, n), dimensions);
      if (n == 0) {
        whole = part;
        continue;
      }
      if (part.dtype != whole.dtype || part.shape[1] != whole.shape[1])
        shards_[n].fail("tensor '" + part.name + "' has another type or number of columns than that of the first shard");
      if (part.shape[0] > (std::numeric_limits<std::uint64_t>::max)() - whole.shape[0]) shards_[n].fail("too many rows");
      whole.shape[0] += part.shape[0];
    }
    return whole;
  }
  template <typename T>
  [[nodiscard]] std::vector<T> values(std::string_view name, std::uint64_t expected) {
    return shards_.front().values<T>(name, expected);
  }
  template <Real Scalar>
  [[nodiscard]] FactorMatrix<Scalar> factors(std::string_view name, TensorReader::Place) {
    const Tensor& whole = tensor(name, 2);
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<Index>::max)());
    if (whole.shape[0] > most)
      fail("tensor '" + std::string(name) + "' has " + std::to_string(whole.shape[0]) + " rows; at most 2147483647 are possible");
    FactorMatrix<Scalar> out(static_cast<Index>(whole.shape[0]), static_cast<Index>(whole.shape[1]));
    Index first = 0;
    for (std::size_t n = 0; n < shards_.size(); ++n) {
      const std::string part = part_name(name, n);
      shards_[n].factors_into(part, out, first);
      first += static_cast<Index>(shards_[n].tensor(part, 2).shape[0]);
    }
    return out;
  }

  void check_all_used() const {
    for (const TensorReader& shard : shards_) shard.check_all_used();
  }
  void check_checksum(ChecksumRule) const {
    for (const TensorReader& shard : shards_) shard.check_checksum(ChecksumRule::required);
  }

 private:
  [[nodiscard]] static std::string part_name(std::string_view name, std::size_t shard) {
    return std::string(name) + "." + std::to_string(shard);
  }

  std::string name_;
  ShardIndex index_;
  std::vector<TensorReader> shards_;
  FlatObject fields_;
  std::map<std::string, Tensor> whole_;
};

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A part of a model on its way into its file.
template <Real Scalar>
class ModelShard {
 public:
  /// `model` has to stay until it is written.
  ModelShard(const ImplicitALS<Scalar>& model, std::size_t shard, std::size_t shards) : shard_(shard), state_(AlsAccess::state_of(model)) {
    FlatObject fields;
    fields.set("shard", static_cast<std::uint64_t>(shard));
    fields.set("shards", static_cast<std::uint64_t>(shards));
    const auto rows = [&](const char* name, const FactorMatrix<Scalar>& factors) {
      const auto all = static_cast<std::uint64_t>(factors.rows());
      const std::uint64_t first = all * shard / shards, last = all * (shard + 1) / shards;
      writer_.add(std::string(name) + "." + std::to_string(shard), factors, static_cast<Index>(first), static_cast<Index>(last));
    };
    rows("item_factors", model.item_factors());
    rows("user_factors", model.user_factors());
    if (shard == 0) write_als_state(writer_, fields, state_);
    write_head(writer_, std::string(shard_kind), fields);
  }
  ModelShard(const ModelShard&) = delete;
  ModelShard& operator=(const ModelShard&) = delete;
  ~ModelShard() = default;

  [[nodiscard]] std::uint64_t checksum() { return writer_.checksum(); }

  /// Puts it where the index will look for it. @throws IoError.
  void write(const std::string& index_path, const std::vector<std::uint64_t>& checksums) {
    path_ = shard_path(index_path, checksums, shard_);
    write_file(writer_, path_);
  }
  /// Takes it away again, unless the index, an earlier one of the same model or one that did get into place, names it.
  void remove(const std::string& index_path) const noexcept {
    std::error_code ignored;
    try {
      const std::vector<std::string> named = ShardIndex::read(index_path).files;
      if (std::find(named.begin(), named.end(), file_name_of(path_)) != named.end()) return;
    } catch (...) {  // nothing that anybody could load
    }
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }

 private:
  std::size_t shard_;
  AlsAccess::State state_;
  TensorWriter writer_;
  std::string path_;
};

/// The index of shards that are all there, and the end of those that an earlier index at `path` named. @throws IoError.
template <Real Scalar>
void write_index(const ImplicitALS<Scalar>& model, const std::string& path, const std::vector<std::uint64_t>& checksums) {
  ShardIndex index;
  for (std::size_t n = 0; n < checksums.size(); ++n) {
    index.files.push_back(file_name_of(shard_path(path, checksums, n)));
    index.checksums.push_back(digest_text(checksums[n]));
  }
  std::vector<std::string> before;
  try {
    before = ShardIndex::read(path).files;
  } catch (const Error&) {  // there is none, or it is nothing that says what may be removed
  }
  const auto bytes_of = [](const FactorMatrix<Scalar>& factors) {
    return static_cast<std::uint64_t>(factors.rows()) * static_cast<std::uint64_t>(factors.factors()) * sizeof(Scalar);
  };
  const std::uint64_t counts = static_cast<std::uint64_t>(model.shape().users) + static_cast<std::uint64_t>(model.shape().items);
  const std::string text = index.text(bytes_of(model.item_factors()) + bytes_of(model.user_factors()) + counts * sizeof(Index) +
                                      model.eigenvalues().size() * sizeof(double));
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
  std::error_code ignored;
  for (const std::string& old : before)
    if (std::find(index.files.begin(), index.files.end(), old) == index.files.end() && old.ends_with(".safetensors"))
      std::filesystem::remove(std::filesystem::path(path).parent_path() / old, ignored);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Writes a model as `shards` files, 1 to 4,096, and their index at `path`, which ends in .index.json: "model.safetensors.index.json" names
/// "model-<digest>-00001-of-00004.safetensors" and so on, beside it. distributed/save_shards.hpp has each rank write one.
///
/// The index is written last: until then `path` is what it was, afterwards the shards of an earlier one are removed. O(size of the model).
/// @throws InvalidArgument if the name or the number is not valid; IoError; what was at `path` is then as it was.
template <Real Scalar>
void save_shards(const ImplicitALS<Scalar>& model, const std::string& path, std::size_t shards) {
  const std::string target = detail::index_target(path, shards);
  std::vector<std::uint64_t> checksums;
  for (std::size_t n = 0; n < shards; ++n) checksums.push_back(detail::ModelShard<Scalar>(model, n, shards).checksum());
  std::vector<std::unique_ptr<detail::ModelShard<Scalar>>> written;
  try {
    for (std::size_t n = 0; n < shards; ++n)
      written.emplace_back(std::make_unique<detail::ModelShard<Scalar>>(model, n, shards))->write(target, checksums);
    detail::write_index(model, target, checksums);
  } catch (...) {
    for (const auto& shard : written) shard->remove(target);
    throw;
  }
}

/// The model of an index and its shards, however many they are: `load_shards<ImplicitALS<float>>("model.safetensors.index.json")`.
/// Trusts nothing, as load does; a shard of another model is refused. @throws as load does.
template <typename Model>
[[nodiscard]] Model load_shards(const std::string& path, const LoadOptions& options = {}) {
  using Scalar = std::remove_cvref_t<decltype(*std::declval<Model&>().item_factors().data())>;
  static_assert(std::is_same_v<Model, ImplicitALS<Scalar>>, "only ImplicitALS is saved in shards");
  detail::ShardReader reader(path, options.threads);
  detail::AlsParts<Scalar> parts = detail::read_als<Scalar>(reader, reader.fields(), options, detail::TensorReader::Place::copied);
  reader.fields().check_all_used();
  reader.check_all_used();
  return detail::checked_model(std::move(parts), reader, options);
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
