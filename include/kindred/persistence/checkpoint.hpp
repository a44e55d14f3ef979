// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/path.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/shared_fit.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/als_fields.hpp>
#include <kindred/persistence/byte_store.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/persistence/model_file.hpp>
#include <kindred/persistence/model_head.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>
#include <kindred/simd/level.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file.hpp>

namespace kindred::inline v0 {

/// What to do with a checkpoint that another build of the program, or another level of instructions, wrote: going on from it is as good a fit, but
/// need not end in the same bytes.
enum class OtherBuild {
  refuse,  ///< A FormatError that says what differs.
  accept,
};

/// When fit_with_checkpoints writes and what it goes on from.
struct CheckpointOptions {
  std::size_t every = 1;  ///< Iterations, >= 1.
  OtherBuild other_build = OtherBuild::refuse;
};

}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

#define KINDRED_TEXT_OF(x) #x
#define KINDRED_TEXT(x) KINDRED_TEXT_OF(x)

/// What decides about the bytes of a fit beside its input: the version, the flags that name this namespace, the compiler, the level of instructions.
[[nodiscard]] inline std::string build_text(SimdLevel level) {
#if defined(__VERSION__)
  constexpr std::string_view compiler = __VERSION__;
#else
  constexpr std::string_view compiler = "unknown";
#endif
  return version_text() + ", " + KINDRED_TEXT(KINDRED_BUILD) + ", " + std::string(compiler) + ", level " +
         std::string(name_of(resolve_level(level)));
}

#undef KINDRED_TEXT
#undef KINDRED_TEXT_OF

/// The matrix in 16 digits: a checkpoint belongs to one.
[[nodiscard]] inline std::string fingerprint(const CsrView& train) {
  Xxh64 hash;
  const std::int64_t sizes[] = {train.rows(), train.cols()};
  hash.update(std::as_bytes(std::span(sizes)));
  std::vector<Offset> offsets(train.offsets().begin(), train.offsets().end());
  for (Offset& offset : offsets) offset -= train.offsets().front();  // those of a view of some rows start elsewhere
  hash.update(std::as_bytes(std::span<const Offset>(offsets)));
  hash.update(std::as_bytes(train.columns()));
  hash.update(std::as_bytes(train.values()));
  return digest_text(hash.digest());
}

/// The same of a file, by the checksums in its header.
[[nodiscard]] inline std::string fingerprint(const CsrFile& train) { return digest_text(train.checksum()); }

/// The options that decide about the bytes: all but how far to go.
[[nodiscard]] inline std::string options_that_count(AlsOptions options) {
  options.iterations = 1;
  FlatObject fields;
  write_options(options, fields);
  return fields.text();
}

/// The options in a checkpoint as options_that_count writes them now; files of before name them otherwise.
[[nodiscard]] inline std::string options_in(const std::string& text, const std::string& file) {
  FlatObject fields(text, file + ", entry options");
  if (!fields.has("unobserved_weight")) return text;
  AlsOptions options = read_flat_options(fields);
  return options_that_count(options);
}

inline constexpr std::string_view checkpoint_kind = "checkpoint of ImplicitALS";

template <Real Scalar>
void write_checkpoint(const std::string& path, const AlsOptions& options, SimdLevel simd, const std::string& train,
                      const FitSnapshot<Scalar>& snapshot) {
  FlatObject fields;
  fields.set("iteration", snapshot.iteration);
  fields.set("last_loss", snapshot.last_loss);
  fields.set("train", train);
  fields.set("build", build_text(simd));
  fields.set("options", options_that_count(options));
  TensorWriter writer;
  writer.add("user_factors", snapshot.users);
  writer.add("item_factors", snapshot.items);
  write_head(writer, std::string(checkpoint_kind), fields);
  write_file(writer, path);
}

template <Real Scalar>
[[nodiscard]] FitSnapshot<Scalar> read_checkpoint(const std::string& path, const AlsOptions& options, const Execution& execution,
                                                  const std::string& train, OtherBuild other_build) {
  const SimdLevel simd = execution.simd;
  TensorReader reader(ByteStore::of_file(path), execution);
  FlatObject fields = read_head(reader, checkpoint_kind);
  FitSnapshot<Scalar> snapshot;
  snapshot.iteration = static_cast<std::size_t>(fields.whole_of("iteration"));
  snapshot.last_loss = fields.optional_of("last_loss");
  const auto expect = [&](const std::string& key, const std::string& wanted, const std::string& remedy) {
    const std::string found = fields.text_of(key);
    if (found != wanted)
      reader.fail("the checkpoint is of another fit: its " + key + " is " + found + ", and here it is " + wanted + "; " + remedy);
  };
  const std::string build = fields.text_of("build");
  if (other_build == OtherBuild::refuse && build != build_text(simd))
    reader.fail("the checkpoint is of another build (" + build + "; this one is " + build_text(simd) +
                "): going on would not end in the same bytes. OtherBuild::accept goes on all the same");
  expect("train", train, "remove it to start anew");
  if (const std::string found = options_in(fields.text_of("options"), reader.name()), wanted = options_that_count(options); found != wanted)
    reader.fail("the checkpoint is of another fit: its options are " + found + ", and here they are " + wanted +
                "; remove it to start anew");
  fields.check_all_used();
  snapshot.users = reader.factors<Scalar>("user_factors", TensorReader::Place::copied);
  snapshot.items = reader.factors<Scalar>("item_factors", TensorReader::Place::copied);
  reader.check_all_used();
  reader.check_checksum(ChecksumRule::required);
  return snapshot;
}

/// Makes `fit` go on from the file `path`, if it is there, and write it; `before` is what it goes on from, and outlives the fit.
template <Real Scalar>
void keep_checkpoints(const AlsOptions& options, const std::string& print, const std::string& path, const CheckpointOptions& checkpoints,
                      typename ImplicitALS<Scalar>::FitOptions& fit, std::optional<FitSnapshot<Scalar>>& before) {
  if (checkpoints.every < 1) throw InvalidArgument("every", checkpoints.every, "at least 1");
  if (fit.initial_users || fit.initial_items || fit.resume_from != nullptr || fit.on_snapshot)
    throw InvalidArgument("fit", "with a start or snapshots of its own", "without: the checkpoint has them");
  (void)replaceable_target(path);  // refused before the first iteration, not after it
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 || (errno != ENOENT && errno != ENOTDIR))
    before = read_checkpoint<Scalar>(path, options, fit.execution, print, checkpoints.other_build);
  if (before) fit.resume_from = &*before;
  fit.snapshot_every = checkpoints.every;
  fit.on_snapshot = [=, simd = fit.execution.simd](const FitSnapshot<Scalar>& snapshot) {
    write_checkpoint(path, options, simd, print, snapshot);
  };
}

/// fit_with_checkpoints of any source. In a team, rank 0 writes the file, and all go on from it.
template <Real Scalar, typename Source>
FitReport fit_and_keep(ImplicitALS<Scalar>& model, const Source& train, const std::string& path, const CheckpointOptions& checkpoints,
                       typename ImplicitALS<Scalar>::FitOptions fit) {
  const RoundToNearest rounding;
  std::optional<FitSnapshot<Scalar>> before;
  if (fit.team == nullptr) {
    keep_checkpoints<Scalar>(model.options(), fingerprint(train), path, checkpoints, fit, before);
  } else {
    fit.team->together([&] {
      fit.execution.simd = lowest_level(*fit.team, fit.execution.simd);  // a part of what a checkpoint belongs to
      keep_checkpoints<Scalar>(model.options(), fingerprint(train), path, checkpoints, fit, before);
      if (fit.team->rank() != 0) fit.on_snapshot = {};
    });  // all have read before one writes
  }
  return model.fit(train, fit);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Fits `model` and keeps a checkpoint in the file `path`; if the file is there, goes on from it.
///
/// However often the process is stopped, killed too, the fit ends in the same bytes as one that was never interrupted, if it is the same build of the
/// program at the same level of instructions. The checkpoint is written as save() writes, so it is whole at any time. It belongs to one matrix and one
/// set of options; threads may differ, and so may `iterations`, to go further. The file is left where it is: remove it once the model is saved. A
/// functor (confidence.function) is not in it and must be the same one. A checkpoint of a CsrFile belongs to that file. A team (fit.team) shares the file
/// system too: rank 0 writes, all go on from it, and another number of ranks may.
/// O(fit) and, for each checkpoint, O(size of the factors).
/// @throws as ImplicitALS::fit does; IoError; FormatError if the file is damaged, of another build (see OtherBuild), matrix or set of options;
/// InvalidArgument if `every` is 0, if `fit` has a start of its own, or if the checkpoint has as many iterations as were asked for. The model is then
/// as it was.
template <Real Scalar>
FitReport fit_with_checkpoints(ImplicitALS<Scalar>& model, const CsrView& train, const Path& path,
                               const CheckpointOptions& checkpoints = {}, typename ImplicitALS<Scalar>::FitOptions fit = {}) {
  return detail::fit_and_keep(model, train, path, checkpoints, std::move(fit));
}

/// The same of interactions in a file.
template <Real Scalar>
FitReport fit_with_checkpoints(ImplicitALS<Scalar>& model, const CsrFile& train, const Path& path,
                               const CheckpointOptions& checkpoints = {}, typename ImplicitALS<Scalar>::FitOptions fit = {}) {
  return detail::fit_and_keep(model, train, path, checkpoints, std::move(fit));
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
