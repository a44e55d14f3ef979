// SPDX-License-Identifier: MIT
// Models in shards: any number of them gives the same model, an index and its shards belong together or are refused, and a save that fails leaves what was there.
#include <kindred/persistence/model_shards.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <kindred/distributed/communicator.hpp>
#include <kindred/distributed/save_shards.hpp>
#include <kindred/distributed/thread_communicator.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"
#include "../support/temporary_file.hpp"
#include "../support/tensor_bytes.hpp"

namespace kd = kindred;
using doctest::Contains;
using kindred_test::random_matrix;

namespace {

template <typename T>
kd::ImplicitALS<T> fitted_model(std::size_t factors, std::uint64_t seed) {
  kd::ImplicitALS<T> model({.factors = factors, .iterations = 1, .seed = seed, .units = kd::Units::paper});
  model.fit(random_matrix(30, 11, 0.3, 4));
  return model;
}

template <typename T>
bool same_model(const kd::ImplicitALS<T>& a, const kd::ImplicitALS<T>& b) {
  return a.shape() == b.shape() && a.user_factors().same_bytes(b.user_factors()) && a.item_factors().same_bytes(b.item_factors()) &&
         std::equal(a.eigenvalues().begin(), a.eigenvalues().end(), b.eigenvalues().begin(), b.eigenvalues().end());
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> files_in(const kd::test::TemporaryDirectory& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path(""))) names.insert(entry.path().filename().string());
  return names;
}

/// What loading says, "" if it loads.
std::string shard_refusal(const std::string& path) {
  try {
    (void)kd::load_shards<kd::ImplicitALS<float>>(path);
    return "";
  } catch (const kd::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_SUITE("persistence/model_shards") {
  TEST_CASE_TEMPLATE("any number of shards gives the same model", T, float, double) {
    for (const std::size_t factors : {5u, 16u}) {
      const kd::ImplicitALS<T> model = fitted_model<T>(factors, 3);
      for (const std::size_t shards : {1u, 2u, 3u, 40u}) {
        const kd::test::TemporaryDirectory directory;
        const std::string path = directory.path("model.safetensors.index.json");
        kd::save_shards(model, path, shards);
        CHECK(files_in(directory).size() == shards + 1);
        const auto loaded = kd::load_shards<kd::ImplicitALS<T>>(path);
        CHECK(same_model(loaded, model));
        CHECK(loaded.options().factors == factors);
        CHECK(loaded.recommend(7) == model.recommend(7));
      }
    }
    const kd::test::TemporaryDirectory directory;
    kd::save_shards(kd::ImplicitALS<T>({.factors = 9, .units = kd::Units::paper}), directory.path("not_fitted.index.json"), 2);
    const auto loaded = kd::load_shards<kd::ImplicitALS<T>>(directory.path("not_fitted.index.json"));
    CHECK_FALSE(loaded.fitted());
    CHECK(loaded.options().factors == 9);
  }

  // What other programs go by: where each tensor is, in files that say the same of themselves.
  TEST_CASE("the index names every tensor of every file") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("model.safetensors.index.json");
    const kd::ImplicitALS<float> model = fitted_model<float>(5, 3);
    kd::save_shards(model, path, 3);
    const nlohmann::json index = nlohmann::json::parse(content_of(path));
    std::uint64_t bytes = 0;
    std::size_t tensors = 0;
    for (const std::string& name : files_in(directory)) {
      if (name == "model.safetensors.index.json") continue;
      CHECK(name.starts_with("model-"));
      CHECK(name.find("-of-00003.safetensors") != std::string::npos);
      const std::string file = content_of(directory.path(name));
      std::uint64_t length = 0;
      std::copy_n(file.data(), 8, reinterpret_cast<char*>(&length));
      const nlohmann::json header = nlohmann::json::parse(file.substr(8, length));
      for (const auto& [tensor, described] : header.items()) {
        if (tensor == "__metadata__") continue;
        CHECK(index["weight_map"][tensor] == name);
        if (tensor == "item_factors.1") CHECK(described["shape"] == std::vector<int>{4, 5});  // rows 3 to 6 of 11
        bytes += described["data_offsets"][1].get<std::uint64_t>() - described["data_offsets"][0].get<std::uint64_t>();
        ++tensors;
      }
    }
    CHECK(index["weight_map"].size() == tensors);
    CHECK(index["metadata"]["total_size"] == bytes);
  }

  TEST_CASE("an index replaces another with its shards") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("model.index.json");
    const kd::ImplicitALS<float> before = fitted_model<float>(5, 3), after = fitted_model<float>(5, 4);
    kd::save_shards(before, path, 4);
    std::ofstream(directory.path("model-notes.safetensors")) << "somebody else's";
    kd::save_shards(after, path, 2);
    CHECK(same_model(kd::load_shards<kd::ImplicitALS<float>>(path), after));
    CHECK(files_in(directory).size() == 4);
    CHECK(files_in(directory).contains("model-notes.safetensors"));
    kd::save_shards(after, path, 2);  // over itself
    CHECK(same_model(kd::load_shards<kd::ImplicitALS<float>>(path), after));
    CHECK(files_in(directory).size() == 4);
  }

  TEST_CASE("a save that fails leaves what was there") {
    const kd::test::TemporaryDirectory directory;
    const kd::ImplicitALS<float> model = fitted_model<float>(5, 3);
    CHECK_THROWS_WITH_AS(kd::save_shards(model, directory.path("model.safetensors"), 2), Contains("a name that ends in .index.json"),
                         kd::InvalidArgument);
    CHECK_THROWS_AS(kd::save_shards(model, directory.path(".index.json"), 2), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::save_shards(model, directory.path("m.index.json"), 0), Contains("shards is 0"), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::save_shards(model, directory.path("m.index.json"), 4'097), kd::InvalidArgument);
    CHECK(kd::detail::index_target(directory.path("m.index.json"), 4'096) == directory.path("m.index.json"));
    CHECK_THROWS_AS(kd::save_shards(model, directory.path("no/folder/m.index.json"), 2), kd::IoError);
    CHECK(files_in(directory).empty());
    // The index cannot be put into place: no shard stays.
    std::filesystem::create_directories(directory.path("taken.index.json/full"));
    CHECK_THROWS_AS(kd::save_shards(model, directory.path("taken.index.json"), 3), kd::IoError);
    CHECK(files_in(directory) == std::set<std::string>{"taken.index.json"});
  }

  TEST_CASE("what does not belong together is refused") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("m.index.json"), other_path = directory.path("other.index.json");
    const kd::ImplicitALS<float> model = fitted_model<float>(5, 3);
    kd::save_shards(model, path, 3);
    kd::save_shards(fitted_model<float>(5, 4), other_path, 3);
    const std::string text = content_of(path);
    const nlohmann::json index = nlohmann::json::parse(text), other = nlohmann::json::parse(content_of(other_path));
    const auto file_of = [&](const nlohmann::json& of, std::size_t shard) {
      return of["weight_map"]["user_factors." + std::to_string(shard)].get<std::string>();
    };
    const auto with = [&](auto&& change) {
      nlohmann::json changed = index;
      change(changed);
      std::ofstream(path, std::ios::binary) << changed.dump();
      return shard_refusal(path);
    };
    CHECK(with([](nlohmann::json&) {}) == "");

    CHECK(shard_refusal(directory.path("none.index.json")) != "");
    CHECK_THROWS_AS((void)kd::load_shards<kd::ImplicitALS<float>>(directory.path("none.index.json")), kd::IoError);
    CHECK(with([](nlohmann::json& j) { j = nlohmann::json::array(); }).find("no index of a model's shards") != std::string::npos);
    CHECK(with([](nlohmann::json& j) { j.erase("metadata"); }).find("no index of a model's shards") != std::string::npos);
    CHECK(with([](nlohmann::json& j) { j["weight_map"].clear(); }).find("names 0 shards") != std::string::npos);
    CHECK(with([](nlohmann::json& j) { j["weight_map"]["more"] = "x"; }).find("other tensors or files") != std::string::npos);
    CHECK(with([](nlohmann::json& j) { j["weight_map"].erase("item_factors.2"); }).find("other tensors or files") != std::string::npos);
    CHECK(with([](nlohmann::json& j) { j["weight_map"].erase("user_factors.1"); }).find("no text for 'user_factors.1'") !=
          std::string::npos);
    CHECK(with([](nlohmann::json& j) { j["weight_map"]["eigenvalues"] = 3; }).find("no text for 'eigenvalues'") != std::string::npos);
    CHECK(with([&](nlohmann::json& j) { j["weight_map"]["user_factors.1"] = file_of(j, 0); }).find("other parts of that shard") !=
          std::string::npos);
    // A path in an index leads nowhere else.
    for (const char* name : {"../m.safetensors", "/etc/passwd", "", ".", ".."})
      CHECK(with([&](nlohmann::json& j) {
              j["weight_map"]["item_factors.1"] = j["weight_map"]["user_factors.1"] = name;
              j["metadata"]["kindred.xxh64"][name] = "0";
            }).find("is no name of a file in the same folder") != std::string::npos);
    // A shard of another model, in the index or in its place.
    CHECK(with([&](nlohmann::json& j) {
            j["metadata"]["kindred.xxh64"].erase(file_of(j, 1));
            j["weight_map"]["item_factors.1"] = j["weight_map"]["user_factors.1"] = file_of(other, 1);
            j["metadata"]["kindred.xxh64"][file_of(other, 1)] = "0123456789abcdef";
          }).find("is of another model") != std::string::npos);
    // Shards in another order.
    CHECK(with([&](nlohmann::json& j) {
            const std::string one = file_of(index, 1), two = file_of(index, 2);
            j["weight_map"]["item_factors.1"] = j["weight_map"]["user_factors.1"] = two;
            j["weight_map"]["item_factors.2"] = j["weight_map"]["user_factors.2"] = one;
          }).find("another shard than number 1 of 3") != std::string::npos);

    std::ofstream(path, std::ios::binary) << text;
    const std::string shard = directory.path(file_of(index, 1));
    std::string bytes = content_of(shard);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    std::ofstream(shard, std::ios::binary) << bytes;
    CHECK(shard_refusal(path).find("damaged: the checksum is") != std::string::npos);
    std::filesystem::remove(shard);
    CHECK_THROWS_AS((void)kd::load_shards<kd::ImplicitALS<float>>(path), kd::IoError);
    // One kind is not the other.
    CHECK_THROWS_WITH_AS((void)kd::load<kd::ImplicitALS<float>>(directory.path(file_of(index, 0))), Contains("of kind ImplicitALS shard"),
                         kd::FormatError);
    CHECK_THROWS_WITH_AS((void)kd::load_shards<kd::ImplicitALS<double>>(other_path), Contains("load<ImplicitALS<float>>"), kd::FormatError);
  }

  TEST_CASE("what a shard has more than a model needs is refused, though all checksums are right") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("m.index.json");
    kd::save_shards(fitted_model<float>(5, 3), path, 3);
    const nlohmann::json index = nlohmann::json::parse(content_of(path));
    const auto edited = [&](std::size_t shard, const std::string& from, const std::string& to) {
      const std::string name = index["weight_map"]["user_factors." + std::to_string(shard)].get<std::string>();
      const std::string whole = content_of(directory.path(name));
      const std::string bytes = kindred_test::with_header(whole, from, to);
      std::ofstream(directory.path(name), std::ios::binary) << bytes;
      nlohmann::json changed = index;
      changed["metadata"]["kindred.xxh64"][name] = bytes.substr(bytes.find("xxh64\":\"") + 8, 16);
      std::ofstream(path, std::ios::binary) << changed.dump();
      const std::string refusal = shard_refusal(path);
      std::ofstream(directory.path(name), std::ios::binary) << whole;
      return refusal;
    };
    for (const std::size_t shard : {0u, 1u, 2u}) {
      CHECK(edited(shard, "{", "{") == "");
      CHECK(edited(shard, R"(\"shards\":3)", R"(\"shards\":3,\"extra\":6)").find("the unknown entry 'extra'") != std::string::npos);
      CHECK(edited(shard, "{", R"({"more":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)").find("there is a tensor 'more'") !=
            std::string::npos);
    }
  }

  TEST_CASE("ranks write what one process writes") {
    const kd::ImplicitALS<float> model = fitted_model<float>(5, 3);
    for (const std::size_t ranks : {1u, 2u, 5u}) {
      const kd::test::TemporaryDirectory alone, together;
      kd::save_shards(model, alone.path("m.index.json"), ranks);
      kd::ThreadCommunicator::run(
          ranks, [&](kd::ThreadCommunicator& communicator) { kd::save_shards(communicator, model, together.path("m.index.json")); });
      CHECK(files_in(alone) == files_in(together));
      for (const std::string& name : files_in(alone)) CHECK(content_of(alone.path(name)) == content_of(together.path(name)));
    }
    const kd::test::TemporaryDirectory directory;
    kd::SerialCommunicator serial;
    kd::save_shards(serial, model, directory.path("m.index.json"));
    CHECK(same_model(kd::load_shards<kd::ImplicitALS<float>>(directory.path("m.index.json")), model));
  }

  TEST_CASE("where one rank fails, all do, and nothing is changed") {
    const kd::ImplicitALS<float> model = fitted_model<float>(5, 3), other = fitted_model<float>(5, 4);
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("m.index.json");
    kd::save_shards(model, path, 2);
    const std::set<std::string> before = files_in(directory);
    std::atomic<int> failed{0};
    kd::ThreadCommunicator::run(3, [&](kd::ThreadCommunicator& communicator) {
      try {
        kd::save_shards(communicator, communicator.rank() == 2 ? other : model, path);
      } catch (const kd::Error& error) {
        failed += std::string(error.what()).find("the model is another on rank 2") != std::string::npos ? 1 : 0;
      }
      try {
        kd::save_shards(communicator, other, communicator.rank() == 1 ? directory.path("no/folder/m.index.json") : path);
      } catch (const kd::Error&) {
        ++failed;
      }
    });
    CHECK(failed == 6);
    CHECK(files_in(directory) == before);
    CHECK(same_model(kd::load_shards<kd::ImplicitALS<float>>(path), model));
  }
}
