// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/distributed/agreement.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/model_shards.hpp>
#include <kindred/storage/checksum.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// save_shards by all ranks, which have the same model, on a file system that they share: each writes its share of the rows, side by side, rank 0 the index.
/// load_shards reads it anywhere: on every rank of a job of any size, or in one process. Needs kindred::persistence.
/// @throws as save_shards does, on all ranks if on one, and what was at `path` is then as it was; InvalidArgument if ranks have different models.
template <Communicator C, Real Scalar>
void save_shards(C& communicator, const ImplicitALS<Scalar>& model, const std::string& path) {
  detail::Agreement<C> agree(communicator);
  const std::size_t rank = communicator.rank(), ranks = communicator.size();
  std::optional<detail::ModelShard<Scalar>> shard;
  // A word of each rank, all of them known to all.
  const auto words_of_all = [&](std::uint64_t own) {
    agree(nullptr);
    std::vector<std::uint64_t> words(ranks, 0), starts(ranks + 1);
    words[rank] = own;
    for (std::size_t r = 0; r <= ranks; ++r) starts[r] = r;
    communicator.all_gather_v(std::as_writable_bytes(std::span(words)), starts, sizeof(std::uint64_t));
    return words;
  };
  std::string target;
  try {
    agree.together([&] {
      target = detail::index_target(path, ranks);
      detail::Xxh64 of_model;
      const MatrixShape shape = model.shape();
      of_model.update(std::as_bytes(std::span(&shape, 1)));
      of_model.update(std::as_bytes(model.eigenvalues()));
      const std::vector<std::uint64_t> models = words_of_all(of_model.digest());
      for (std::size_t r = 1; r < ranks; ++r)
        if (models[r] != models[0]) throw InvalidArgument("the model", "another on rank " + std::to_string(r), "the same on all ranks");
      shard.emplace(model, rank, ranks);
      const std::vector<std::uint64_t> checksums = words_of_all(shard->checksum());
      agree.on([&] { shard->write(target, checksums); });
      if (rank == 0) detail::write_index(model, target, checksums);
    });
  } catch (...) {
    if (shard) shard->remove(target);
    throw;
  }
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
