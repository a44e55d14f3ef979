// SPDX-License-Identifier: MIT
// Model files of any bytes: a FormatError, or a model that answers, gives no score that is not finite, and comes back from a file as it is.
//
// An input is one byte that says how to read, then the file. Most files are damaged past use by one changed byte; so checksum and length of the header are set
// right first if the byte says so.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/temporary_file.hpp"
#include "input.hpp"

namespace kd = kindred;

namespace kindred_fuzz {

namespace {

/// Lets the header end where its outermost object does.
void set_length(std::string& file) {
  const std::size_t end = file.find("}}");
  if (file.size() < 8 || end == std::string::npos) return;
  const std::uint64_t length = (std::min)(file.find_first_not_of(' ', end + 2), file.size()) - 8;
  std::memcpy(file.data(), &length, sizeof(length));
}

void set_checksum(std::string& file) {
  std::uint64_t length = 0;
  if (file.size() < 8) return;
  std::memcpy(&length, file.data(), sizeof(length));
  const std::string_view entry = "\"kindred.xxh64\":\"";
  std::size_t place = file.find(entry);
  if (length > file.size() - 8 || place == std::string::npos || place + entry.size() + 16 > 8 + length) return;
  place += entry.size();
  file.replace(place, 16, 16, '0');
  kd::detail::Xxh64 hash;
  hash.update(std::as_bytes(std::span(file)).subspan(8));
  file.replace(place, 16, kd::detail::digest_text(hash.digest()));
}

template <typename Model>
std::string saved(const Model& model) {
  std::ostringstream stream;
  kd::save(model, stream);
  return stream.str();
}

template <typename Call>
void attempt(Call&& call) {
  try {
    call();
  } catch (const kd::NumericalError&) {   // factors that overflow
  } catch (const kd::InvalidArgument&) {  // a confidence that does
  }
}

void check_list(const std::vector<kd::Scored>& list, kd::Index bound) {
  for (std::size_t n = 0; n < list.size(); ++n) {
    check(std::isfinite(list[n].score), "a score that is not finite");
    check(list[n].item >= 0 && list[n].item < bound, "an item that is not there");
    check(n == 0 || kd::ranks_before(list[n - 1], list[n]), "out of order");
  }
}

template <typename Scalar>
void ask(const kd::ImplicitALS<Scalar>& model) {
  const kd::MatrixShape shape = model.shape();
  check(model.fitted() || shape == kd::MatrixShape{}, "a shape without factors");
  if (!model.fitted()) return;
  kd::validate(model.options());
  for (kd::Index u = 0; u < (std::min)(shape.users, kd::Index{2}); ++u) {
    attempt([&] { check_list(model.recommend(u, {.filter = {.candidates = kd::Candidates::all}}), shape.items); });
    attempt([&] { check_list(model.similar_users(u), shape.users); });
  }
  for (kd::Index i = 0; i < (std::min)(shape.items, kd::Index{2}); ++i) {
    attempt([&] { check_list(model.similar_items(i), shape.items); });
    attempt([&] { check_list(model.recommend_users(i), shape.users); });
    const float value = 2.0F;
    const kd::SparseRow row{{&i, 1}, {&value, 1}};
    attempt([&] { check_list(model.recommend(row).items, shape.items); });
    attempt([&] { check(std::isfinite(model.explain(row, 0).score), "an explained score that is not finite"); });
  }
}

void ask(const kd::KeyedRecommender<float>& recommender) {
  const kd::KeyedRecommender<float>::Snapshot state = recommender.snapshot();
  state.data->check();
  ask(*state.model);
  if (state.data->users.empty()) return;
  for (const kd::KeyedOptions::KnownItems known : {kd::KeyedOptions::KnownItems::excluded, kd::KeyedOptions::KnownItems::included})
    attempt([&] {
      for (const kd::NamedItem& item :
           recommender.recommend(state.data->users.key(0), {.known = known, .fallback = kd::Fallback::popularity}).items)
        check(std::isfinite(item.score), "a score that is not finite");
    });
}

void ask(const kd::PopularityRecommender& model) {
  if (model.shape().users == 0 || !model.fitted()) return;
  check_list(model.recommend(0, {.filter = {.candidates = kd::Candidates::all}}), model.shape().items);
}

template <typename Model>
void try_to_load(const std::string& file, const kd::LoadOptions& options) {
  try {
    std::istringstream stream(file);
    const auto model = kd::load<Model>(stream, options);
    ask(model);
    const std::string again = saved(model);
    std::istringstream second(again);
    check(saved(kd::load<Model>(second, options)) == again, "another model comes back from a file");
  } catch (const kd::FormatError& error) {
    refused(error);
  }
}

template <typename Scalar>
void try_to_map(const std::string& file, const kd::LoadOptions& options) {
  static const kd::test::TemporaryDirectory directory;
  const std::string path = directory.file(file, "model");
  bool loads = false;
  try {
    (void)kd::load<kd::ImplicitALS<Scalar>>(path, options);
    loads = true;
  } catch (const kd::FormatError& error) {
    refused(error);
  }
  try {
    const auto mapped = kd::load_mapped<kd::ImplicitALS<Scalar>>(path, options);
    ask(mapped.model);
    attempt([&] { mapped.model.fitted() ? mapped.model.prepare() : void(); });
    ask(mapped.model);
    bool verified = false;
    try {
      mapped.verify();
      verified = true;
    } catch (const kd::FormatError&) {
    }
    check(verified == loads, "verify() and load() differ");
  } catch (const kd::FormatError&) {
    check(!loads, "what loads cannot be mapped");
  }
}

}  // namespace

void model_file(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t how = input.byte();
  std::string file(input.rest());
  if ((how & 32) != 0) set_length(file);
  if ((how & 16) != 0) set_checksum(file);
  kd::LoadOptions options{.checksum = (how & 8) != 0 ? kd::ChecksumRule::if_present : kd::ChecksumRule::required,
                          .execution = {.threads = 1}};
  if ((how & 64) != 0) options.confidence_function = [](double r, kd::Offset, kd::Offset) { return r; };
  const bool mapped = (how & 4) != 0;
  switch (how & 3) {
    case 0: return mapped ? try_to_map<float>(file, options) : try_to_load<kd::ImplicitALS<float>>(file, options);
    case 1: return mapped ? try_to_map<double>(file, options) : try_to_load<kd::ImplicitALS<double>>(file, options);
    case 2: return try_to_load<kd::KeyedRecommender<float>>(file, options);
    case 3: return try_to_load<kd::PopularityRecommender>(file, options);
  }
}

}  // namespace kindred_fuzz
