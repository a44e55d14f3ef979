// SPDX-License-Identifier: MIT
// Model files: round trips of every kind, what a stranger's or a damaged file is told, mapped models, and the opinion of a reader and a writer in Python.
#include <kindred/persistence/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <sys/stat.h>
#endif

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same.hpp"
#include "../support/temporary_file.hpp"
#include "../support/tensor_bytes.hpp"

namespace kd = kindred;
using doctest::Contains;
using kindred_test::file_of;
using kindred_test::Parts;
using kindred_test::parts_of;
using kindred_test::random_matrix;
using kindred_test::small_als;
using kindred_test::with_header;
using kindred_test::with_value;

#define CHECK_SAYS(...) check_says(__LINE__, __VA_ARGS__)

namespace {

void check_says(int line, const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, "line ", line, ": '", text, "' does not say '", part, "'");
}

template <typename T>
kd::ImplicitALS<T> fitted(const kd::AlsOptions& options, const kd::CsrView& train) {
  kd::ImplicitALS<T> model(options);
  model.fit(train);
  return model;
}

template <typename Model>
std::string saved(const Model& model) {
  std::ostringstream stream;
  kd::save(model, stream);
  return stream.str();
}

template <typename Model>
Model loaded(const std::string& bytes, const kd::LoadOptions& options = {}) {
  std::istringstream stream(bytes);
  return kd::load<Model>(stream, options);
}

/// What loading says, "" if it loads.
template <typename Model = kd::ImplicitALS<float>>
std::string refusal(const std::string& bytes, const kd::LoadOptions& options = {}) {
  const kd::test::TemporaryDirectory directory;
  const std::string path = directory.file(bytes, "model");
  const auto attempt = [&](auto&& load) -> std::string {
    try {
      load();
    } catch (const kd::FormatError& error) {
      return error.what();
    }
    return "";
  };
  const std::string from_file = attempt([&] { (void)kd::load<Model>(path, options); });
  CHECK((from_file.empty() || from_file.starts_with(path + ":") || from_file.starts_with(path + ",")));
  CHECK(attempt([&] { (void)loaded<Model>(bytes, options); }).empty() == from_file.empty());
  return from_file.empty() ? "" : from_file.substr(path.size());
}

/// What a program prints.
std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, got);
  CHECK(pclose(pipe) == 0);
  return text;
}

std::string python(const std::string& arguments) {
  return std::string(KINDRED_TEST_PYTHON) + " " + KINDRED_TEST_SCRIPTS + "/model_file.py " + arguments;
}

}  // namespace

TEST_SUITE("model files") {
  TEST_CASE_TEMPLATE("a model comes back byte for byte, whatever its options", T, float, double) {
    const kd::CsrMatrix train = random_matrix(40, 30, 0.2, 3);
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      const kd::ImplicitALS<T> model = fitted<T>(options, train);
      const kd::ImplicitALS<T> back = loaded<kd::ImplicitALS<T>>(saved(model), {.confidence_function = options.confidence.function});
      CHECK(kindred_test::same_model(model, back));
      CHECK(saved(back) == saved(model));
      for (kd::Index u = 0; u < 40; u += 7) {
        CHECK(back.recommend(u, {.count = 5}) == model.recommend(u, {.count = 5}));
        CHECK(back.fold_in(train.row(u)) == model.fold_in(train.row(u)));
        CHECK(back.similar_items(u % 30) == model.similar_items(u % 30));
      }
      // What follows from the counts goes on as in the original.
      kd::ImplicitALS<T> one = model, other = back;
      one.append_users(train);
      other.append_users(train);
      one.refit_items(std::vector<kd::Index>{4}, kd::select_columns(random_matrix(80, 1, 0.4, 5), std::vector<kd::Index>{0}));
      other.refit_items(std::vector<kd::Index>{4}, kd::select_columns(random_matrix(80, 1, 0.4, 5), std::vector<kd::Index>{0}));
      CHECK(kindred_test::same_model(one, other));
    }
  }

  TEST_CASE("numbers of factors with and without padding, files and streams") {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix train = random_matrix(50, 35, 0.2, 4);
    for (const std::size_t factors : {1U, 5U, 16U, 31U, 32U}) {
      CAPTURE(factors);
      kd::AlsOptions options = small_als();
      options.factors = factors;
      const auto model = fitted<float>(options, train);
      kd::save(model, directory.path("model"));
      CHECK(kindred_test::same_model(model, kd::load<kd::ImplicitALS<float>>(directory.path("model"))));
      CHECK(kindred_test::same_model(model, kd::load<kd::ImplicitALS<float>>(directory.path("model"), {.execution = {.threads = 1}})));
      std::ifstream file(directory.path("model"), std::ios::binary);
      CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == saved(model));
    }
  }

  TEST_CASE("files from before an entry load") {
    kd::AlsOptions options = small_als();
    options.background.ratio = 2.5;
    const kd::ImplicitALS<float> model = fitted<float>(options, random_matrix(20, 15, 0.3, 1));
    const std::string file = saved(model);
    // Whether the counts are those of the data was not written: such a model takes any data of its shape.
    const auto before = loaded<kd::ImplicitALS<float>>(with_header(file, R"(,\"current_counts\":\"both\")", ""));
    CHECK(kindred_test::same_model(model, before));
    CHECK_NOTHROW(before.check_data(kd::CsrMatrix({20, 15}, std::vector<kd::Offset>(21, 0), {}, {})));
    CHECK_THROWS_AS(loaded<kd::ImplicitALS<float>>(file).check_data(kd::CsrMatrix({20, 15}, std::vector<kd::Offset>(21, 0), {}, {})),
                    kd::InvalidArgument);
  }

  TEST_CASE("the scale of the popularity penalty is the fit's, in a file too") {
    const kd::CsrMatrix train = random_matrix(50, 60, 0.1, 3);
    kd::ImplicitALS<float> model = fitted<float>(small_als(), train);
    const std::string bytes = saved(model);
    kd::ImplicitALS<float> back = loaded<kd::ImplicitALS<float>>(bytes);
    CHECK(back.popularity_scale() == model.popularity_scale());
    CHECK(model.popularity_scale() > 0.0);
    model.append_users(train);
    back.append_users(train);
    CHECK(loaded<kd::ImplicitALS<float>>(saved(back)).popularity_scale() == model.popularity_scale());
    CHECK(model.recommend_all(kd::every_user, {.popularity_penalty = 0.4}) ==
          back.recommend_all(kd::every_user, {.popularity_penalty = 0.4}));
    // Files from before there was a scale: it is found when it is asked for.
    const std::string header = parts_of(bytes).header;
    const std::size_t first = header.find(R"(,\"popularity_scale\":)"), last = header.find(',', first + 1);
    const std::string entry = header.substr(first, last - first);
    const auto old = loaded<kd::ImplicitALS<float>>(with_header(bytes, entry, ""));
    CHECK(old.popularity_scale() == fitted<float>(small_als(), train).popularity_scale());
    CHECK_THROWS_WITH_AS((void)loaded<kd::ImplicitALS<float>>(with_header(bytes, entry, R"(,\"popularity_scale\":-1)")),
                         Contains("'popularity_scale' is -1; it must be at least 0"), kd::FormatError);
  }

  TEST_CASE("item offsets, their weights and their unit") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 3);
    const kd::ImplicitALS<float> plain = fitted<float>(small_als(), train);
    kd::ImplicitALS<float> model = plain;
    model.set_item_offsets({.values = std::vector<float>(20, 0.5F), .unknown = 0.1F, .weight = 1.7, .last_event = -12'345'678'901});
    model.append_items(kd::CsrMatrix::from_triplets({30, 1}, std::vector<kd::Interaction>{{2, 0, 1.0F}}));
    kd::ImplicitALS<float> back = loaded<kd::ImplicitALS<float>>(saved(model));
    CHECK(back.score_spread() == plain.score_spread());
    std::vector<float> values(20, 0.5F);
    values.push_back(0.1F);
    CHECK(back.item_offsets() == kd::ItemOffsets{.values = values, .unknown = 0.1F, .weight = 1.7, .last_event = -12'345'678'901});
    kd::ItemOffsets by_user = back.item_offsets();
    by_user.user_weights.assign(30, 0.25F);
    back.set_item_offsets(by_user);
    const std::string bytes = saved(back);
    const auto again = loaded<kd::ImplicitALS<float>>(bytes);
    CHECK(again.item_offsets() == by_user);
    CHECK(again.recommend_all(kd::every_user) == back.recommend_all(kd::every_user));
    CHECK(loaded<kd::ImplicitALS<float>>(saved(plain)).item_offsets() == kd::ItemOffsets{});
    const auto refuses = [&](const char* from, const char* to, const char* text) {
      CHECK_THROWS_WITH_AS((void)loaded<kd::ImplicitALS<float>>(with_header(bytes, from, to)), Contains(text), kd::FormatError);
    };
    refuses(R"(\"offset_weight\":1.7)", R"(\"offset_weight\":1e300)", "the item offsets are damaged");
    refuses(R"(\"offset_last_event\":-12345678901.0)", R"(\"offset_last_event\":-1e14)", "'offset_last_event'");
    const std::string header = parts_of(bytes).header;
    const std::size_t first = header.find(R"(,\"score_spread\":)"), last = header.find(',', first + 1);
    refuses(header.substr(first, last - first).c_str(), "", "no 'score_spread' above 0");
  }

  TEST_CASE("several models in one stream, one after the other") {
    const auto model = fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1));
    std::stringstream stream;
    kd::save(model, stream);
    kd::save(kd::PopularityRecommender(), stream);
    kd::save(model, stream);
    CHECK(kindred_test::same_model(model, kd::load<kd::ImplicitALS<float>>(stream)));
    CHECK(!kd::load<kd::PopularityRecommender>(stream).fitted());
    CHECK(kindred_test::same_model(model, kd::load<kd::ImplicitALS<float>>(stream)));
    CHECK(stream.peek() == std::stringstream::traits_type::eof());
  }

  TEST_CASE("models that are not fitted, or were moved from") {
    kd::AlsOptions options = small_als();
    options.seed = std::numeric_limits<std::uint64_t>::max();
    options.confidence.alpha = 0.1 + 0.2;
    const kd::ImplicitALS<double> fresh(options);
    const auto back = loaded<kd::ImplicitALS<double>>(saved(fresh));
    CHECK(!back.fitted());
    CHECK(back.shape() == kd::MatrixShape{});
    CHECK(back.options().seed == options.seed);
    CHECK(back.options().confidence.alpha == options.confidence.alpha);
    CHECK(!loaded<kd::PopularityRecommender>(saved(kd::PopularityRecommender({.by = kd::PopularityOptions::By::users}))).fitted());

    auto model = fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1));
    const kd::ImplicitALS<float> other = std::move(model);
    CHECK(!loaded<kd::ImplicitALS<float>>(saved(model)).fitted());
    CHECK(other.fitted());
  }

  TEST_CASE("popularity by plays and by listeners") {
    const kd::CsrMatrix train = random_matrix(20, 15, 0.3, 6);
    for (const kd::PopularityOptions::By by : {kd::PopularityOptions::By::summed_values, kd::PopularityOptions::By::users}) {
      kd::PopularityRecommender model({.by = by});
      model.fit(train);
      const auto back = loaded<kd::PopularityRecommender>(saved(model));
      CHECK(back.options().by == by);
      CHECK(back.shape() == model.shape());
      CHECK(back.recommend(3, {.count = 15}) == model.recommend(3, {.count = 15}));
      CHECK(back.predict(0, 4) == model.predict(0, 4));
    }
  }

  TEST_CASE("a Recommender answers by its keys as before") {
    kd::Dataset data = kd::synthetic_listening({.users = 60, .items = 40, .items_per_user = 8});
    const kd::KeyedRecommender<float> recommender(fitted<float>(small_als(), data.matrix), data);
    const kd::test::TemporaryDirectory directory;
    kd::save(recommender, directory.path("served"));
    const auto back = kd::load<kd::KeyedRecommender<float>>(directory.path("served"));
    const std::string user(data.users.key(5)), name(data.item_name(3));
    CHECK(back.recommend(user).items == recommender.recommend(user).items);
    CHECK(back.similar(name).items == recommender.similar(name).items);
    CHECK(back.explain(user, name).parts == recommender.explain(user, name).parts);

    data.item_names.clear();  // keys of any bytes, and no names
    kd::IdMap odd;
    for (kd::Index u = 0; u < 60; ++u) odd.intern(u == 0 ? std::string() : std::string("k\0\xFF\n", 4) + std::to_string(u));
    data.users = odd;
    const kd::KeyedRecommender<float> nameless(fitted<float>(small_als(), data.matrix), data);
    const auto again = loaded<kd::KeyedRecommender<float>>(saved(nameless));
    CHECK(again.recommend(data.users.key(7)).items == nameless.recommend(data.users.key(7)).items);
    CHECK(again.recommend("").items == nameless.recommend("").items);
  }

  TEST_CASE("a functor is not part of the file: what needs it asks for it") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 2);
    kd::AlsOptions options = small_als();
    options.confidence.curve = kd::Confidence::custom;
    options.confidence.function = [](double r, kd::Offset, kd::Offset) { return std::sqrt(r); };
    const auto model = fitted<float>(options, train);
    auto back = loaded<kd::ImplicitALS<float>>(saved(model));
    CHECK(kindred_test::same_model(model, back));
    CHECK(back.recommend(2) == model.recommend(2));
    CHECK_THROWS_WITH_AS((void)back.fold_in(train.row(2)), Contains("LoadOptions::confidence_function"), kd::InvalidArgument);
    CHECK_THROWS_AS(back.fit(train), kd::InvalidArgument);
    CHECK(kindred_test::same_model(model, back));
    const auto given = loaded<kd::ImplicitALS<float>>(saved(back), {.confidence_function = options.confidence.function});
    CHECK(given.fold_in(train.row(2)) == model.fold_in(train.row(2)));
  }

  TEST_CASE("the wrong kind, scalar type, or a newer format") {
    const kd::CsrMatrix train = random_matrix(20, 15, 0.3, 1);
    const std::string file = saved(fitted<float>(small_als(), train));
    CHECK(refusal<kd::ImplicitALS<double>>(file) == ": its factors are of type F32: load<ImplicitALS<float>> reads them");
    CHECK(refusal<kd::PopularityRecommender>(file) == ": it holds a model of kind ImplicitALS; asked for was PopularityRecommender");
    const std::string newer = with_header(file, R"("kindred.format":"1")", R"("kindred.format":"2")");
    CHECK(refusal(newer) == ": it is of format '2'; this version (0.1.0) reads format 1, and the file is newer");
    const std::string entry = R"("kindred.format":"1")";
    for (const char* const newest : {"3", "10"})
      CHECK_SAYS(refusal(with_header(file, entry, R"("kindred.format":")" + std::string(newest) + "\"")), "and the file is newer");
    for (const char* const other : {"0", "", "x", "1.5", "123456789"})  // older, or no number at all
      CHECK(refusal(with_header(file, entry, R"("kindred.format":")" + std::string(other) + "\"")) ==
            ": it is of format '" + std::string(other) + "'; this version (0.1.0) reads format 1");
    CHECK(refusal(with_header(file, "cholesky", "magic")) ==
          ", entry kindred.model: 'solver.kind' is 'magic', which this version does not know");
  }

  TEST_CASE("any single bit of a file that flips, and any byte that is missing or added, is noticed") {
    kd::AlsOptions options = small_als();
    options.factors = 2;
    const std::string file = saved(fitted<float>(options, random_matrix(4, 3, 0.7, 9)));
    REQUIRE(refusal(file).empty());
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
      std::string damaged = file;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      CAPTURE(bit);
      std::istringstream stream(damaged);
      CHECK_THROWS_AS((void)kd::load<kd::ImplicitALS<float>>(stream), kd::FormatError);
    }
    for (std::size_t length = 0; length < file.size(); ++length) CHECK_FALSE(refusal(file.substr(0, length)).empty());
    const kd::test::TemporaryDirectory directory;
    CHECK_THROWS_AS((void)kd::load<kd::ImplicitALS<float>>(directory.file(file + "x")), kd::FormatError);
  }

  TEST_CASE("headers that lie") {
    const std::string file = saved(fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1)));
    const auto head = [](const std::string& tensors) { return file_of("{" + tensors + "}", std::string(8, 'x')); };
    CHECK(refusal(head(R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})")) ==
          ": it is no Kindred model: the metadata has no 'kindred.format'");
    const std::pair<std::string, std::string> cases[] = {
        {R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})", "tensors take 4 bytes of data, and there are 8"},
        {R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]})",
         "there is a gap or an overlap before tensor 'b'"},
        {R"("a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})",
         "there is a gap or an overlap before tensor 'b'"},
        {R"("a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]})", "tensors take 9 bytes of data, and there are 8"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[8,0]})", "which is not the size of its shape"},
        {R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]})", "which is not the size of its shape"},
        {R"("a":{"dtype":"F64","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]})", "which is not the size of its shape"},
        {R"("a":{"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]})", "which is not the size of its shape"},
        {R"("a":{"dtype":"F12","shape":[8],"data_offsets":[0,8]})", "unknown type 'F12'"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[0],"data_offsets":[8,8]})",
         "the name 'a' twice"},
        {R"("a":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]})", "the name 'dtype' twice"},
        {R"("__metadata__":{"x":"1","x":"2"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})", "the name 'x' twice"},
        {R"("__metadata__":{"x":1},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})", "a number where none belongs"},
        {R"("__metadata__":{"x":{}},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})", "an object where none belongs"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"more":1})", "unknown entry 'more'"},
        {R"("a":{"dtype":"U8","shape":[8]})", "without dtype, shape or two data_offsets"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0]})", "without dtype, shape or two data_offsets"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]})", "a number where none belongs"},
        {R"("a":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]})", "a negative number where none belongs"},
        {R"("a":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]})", "a fraction where none belongs"},
        {R"("a":{"dtype":"U8","shape":[[8]],"data_offsets":[0,8]})", "an array where none belongs"},
        {R"("a":{"dtype":null,"shape":[8],"data_offsets":[0,8]})", "null where none belongs"},
        {R"("a":[])", "an array where none belongs"},
        {R"("a":true)", "true or false where none belongs"},
        {"\"\xC3(\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}", "no JSON at byte"},
        {R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,18446744073709551616]})", "a fraction where none belongs"},
        {R"("a":)" + std::string(1'000'000, '['), "an array where none belongs"},
        {R"("a":)" + std::string(1'000'000, '{'), "no JSON at byte"},
    };
    for (const auto& one : cases) {
      CAPTURE(one.first.substr(0, 100));
      CHECK_SAYS(refusal(head(one.first)), one.second);
    }
    CHECK(refusal("") == ": no safetensors file: it has 0 bytes");
    CHECK(refusal("1234567") == ": no safetensors file: it has 7 bytes");
    CHECK_SAYS(refusal("GARBAGE, longer than eight bytes"), "no safetensors file: its header would be");
    CHECK(refusal(file_of("[]", "")) == ": the header does not start with {");
    CHECK_SAYS(refusal(file_of("{} trailing", "")), "no JSON at byte");
    CHECK_SAYS(refusal(file_of("{}", "")), "the metadata has no 'kindred.format'");

    // A size that nobody has: refused before anything is allocated.
    std::string huge(8, '\0');
    const std::uint64_t length = kd::detail::longest_header + 1;
    std::memcpy(huge.data(), &length, 8);
    CHECK_SAYS(refusal(huge + "{}"), "its header would be 100000001 bytes long");
    CHECK_SAYS(refusal(head(R"("a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]})")), "there are 8");
  }

  // Fifty megabytes of names would take seconds to sort, to be refused in the end: nobody asks for them.
  TEST_CASE("headers of many names, long ones, or many dimensions") {
    const auto head = [](const std::string& header) { return file_of(header, ""); };
    std::string tensors, entries;
    for (int n = 0; n < 11'000; ++n) {
      tensors += (n == 0 ? "" : ",") + ("\"" + std::to_string(n)) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
      entries += (n == 0 ? "" : ",") + ("\"" + std::to_string(n)) + R"(":"")";
    }
    CHECK_SAYS(refusal(head("{" + tensors + "}")), "more than 10000 names");
    CHECK_SAYS(refusal(head(R"({"__metadata__":{)" + entries + "}}")), "more than 10000 names");
    CHECK_SAYS(refusal(head("{\"" + std::string(5'000'000, 'n') + "\":{}}")), "a name of 5000000 bytes");
    std::string sizes = "1";
    for (int n = 0; n < 16; ++n) sizes += ",1";
    CHECK_SAYS(refusal(head(R"({"a":{"dtype":"U8","shape":[)" + sizes + R"(],"data_offsets":[0,1]}})")),
               "a number where none belongs, after 'shape'");
    const std::string file = saved(fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1)));
    std::string more;
    for (int n = 0; n < 1'100; ++n) more += R"(,\")" + std::to_string(n) + R"(\":1)";
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":6)" + more)), "more than 1000 names");
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":6,\")" + std::string(2'000, 'n') + R"(\":1)")),
               "a name of 2000 bytes");
  }

  TEST_CASE("tensors that do not belong together") {
    const std::string file = saved(fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1)));
    REQUIRE(refusal(with_value(file, "item_counts", 0, std::int32_t{3})).empty());
    CHECK(refusal(with_value(file, "item_counts", 4, std::int32_t{21})) == ": tensor 'item_counts' holds 21; it must be in [0, 20]");
    CHECK(refusal(with_value(file, "user_counts", 4, std::int32_t{-1})) == ": tensor 'user_counts' holds -1; it must be in [0, 15]");
    CHECK(refusal(with_value(file, "item_factors", 13, std::numeric_limits<float>::infinity())) ==
          ": tensor 'item_factors', row 2, is not finite");
    CHECK(refusal(with_value(file, "user_factors", 0, std::numeric_limits<float>::quiet_NaN())) ==
          ": tensor 'user_factors', row 0, is not finite");
    CHECK_SAYS(refusal(with_value(file, "eigenvalues", 1, 1e300)), "they must be finite, at least 0 and falling");
    CHECK_SAYS(refusal(with_value(file, "eigenvalues", 5, -1.0)), "they must be finite, at least 0 and falling");
    CHECK(refusal(with_header(file, "\"item_factors\"", "\"other_things\"")) == ": tensor 'item_factors' is missing");
    CHECK(refusal(with_header(file, R"("kindred.kind")", R"("kindred.more":"x","kindred.kind")")) ==
          ": the metadata has an unknown entry 'kindred.more'");
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":7)")), "both must have 7 columns");
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":6,\"factors\":6)")), "the name 'factors' twice");
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":6,\"extra\":6)")), "the unknown entry 'extra'");
    CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":[6])")), "an array");
    for (const char* const other : {"-6", "6.5", "true", "\\\"six\\\""})
      CHECK_SAYS(refusal(with_header(file, R"(\"factors\":6)", R"(\"factors\":)" + std::string(other))), "'factors' is no whole number");
    CHECK_SAYS(refusal(with_header(file, R"(\"solver.kind\":\"cholesky\")", R"(\"solver.kind\":0)")), "'solver.kind' is no text");
    const std::string renamed =
        with_header(with_header(file, "\"item_counts\"", "\"former_counts\""), "\"user_counts\"", "\"item_counts\"");
    CHECK(refusal(with_header(renamed, "\"former_counts\"", "\"user_counts\"")) ==
          ": tensor 'item_counts' has 20 entries; it must have 15");
    CHECK_SAYS(refusal(with_header(file, R"(\"confidence.alpha\":0.7)", R"(\"confidence.alpha\":-0.7)")),
               "an option is out of range: confidence.alpha is -0.7");
    CHECK_SAYS(refusal(with_header(file, R"(\"confidence.alpha\":0.7)", R"(\"confidence.alpha\":1e999)")), "no JSON");
    CHECK_SAYS(refusal(with_header(file, R"(\"confidence.alpha\":0.7)", R"(\"confidence.alpha\":true)")),
               "'confidence.alpha' is no number");
    CHECK_SAYS(refusal(with_header(file, R"(\"confidence.alpha\":0.7,)", "")), "'confidence.alpha' is missing");
    CHECK_SAYS(refusal(with_header(file, R"(\"user_background_scale\":1.0)", R"(\"user_background_scale\":0.0)")), "must be above 0");
    CHECK_SAYS(refusal(with_header(file, R"("shape":[15,6])", R"("shape":[6,15])")), "both must have 6 columns");
    CHECK_SAYS(refusal(with_header(file, R"("shape":[15,6])", R"("shape":[90])")), "has 1 dimensions; it must have 2");
    CHECK(refusal(with_header(file, R"("dtype":"F32","shape":[15,6])", R"("dtype":"I32","shape":[15,6])")) ==
          ": tensor 'item_factors' is of type I32; it must be F32");

    const kd::Dataset data = kd::synthetic_listening({.users = 60, .items = 40, .items_per_user = 8});
    using Served = kd::KeyedRecommender<float>;
    const std::string served = saved(Served(fitted<float>(small_als(), data.matrix), data));
    CHECK(refusal<Served>(served).empty());
    CHECK(refusal(served) == ": it holds a model of kind Recommender; asked for was ImplicitALS");
    CHECK_SAYS(refusal<Served>(with_value(served, "matrix.offsets", 1, std::int64_t{-1})),
               "the interactions are damaged: offsets[1] is -1");
    CHECK_SAYS(refusal<Served>(with_value(served, "matrix.columns", 0, std::int32_t{40})), "the interactions are damaged: columns[0]");
    CHECK_SAYS(refusal<Served>(with_value(served, "matrix.values", 0, std::numeric_limits<float>::infinity())),
               "the interactions are damaged");
    CHECK_SAYS(refusal<Served>(with_value(served, "user_keys.ends", 0, std::int64_t{1} << 40)), "which is not in order");
    CHECK_SAYS(refusal<Served>(with_value(served, "user_keys.ends", 1, std::int64_t{-5})), "which is not in order");
    CHECK_SAYS(refusal<Served>(with_value(served, "user_keys.ends", 59, std::int64_t{0})), "which is not in order");
    std::string twice = served;  // the first two keys become equal
    const std::string first(data.users.key(0)), second(data.users.key(1));
    REQUIRE(first.size() == second.size());
    const std::size_t keys = twice.rfind(first + second);
    REQUIRE(keys != std::string::npos);
    twice.replace(keys, first.size(), second);
    CHECK_SAYS(refusal<Served>(with_header(twice, "{", "{")), "holds one key twice, as number 1");
  }

  TEST_CASE("a file without a checksum is somebody else's") {
    const auto model = fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1));
    const std::string file = saved(model);
    const std::string digits = file.substr(file.find("xxh64\":\"") + 8, 16);
    Parts parts = parts_of(file);
    const std::string entry = R"(,"kindred.xxh64":")" + digits + "\"";
    parts.header.erase(parts.header.find(entry), entry.size());
    const std::string bare = file_of(parts.header, parts.data);
    CHECK_SAYS(refusal(bare), "the metadata has no 'kindred.xxh64'");
    Parts shorter = parts_of(file);
    shorter.header.replace(shorter.header.find(digits), 16, "0123456789abcde");
    CHECK(refusal(file_of(shorter.header, shorter.data)) ==
          ": the checksum is '0123456789abcde'; it must be 16 hexadecimal digits that the header holds once");
    CHECK(kindred_test::same_model(model, loaded<kd::ImplicitALS<float>>(bare, {.checksum = kd::ChecksumRule::if_present})));
    CHECK_THROWS_AS((void)loaded<kd::ImplicitALS<float>>(bare, {.checksum = kd::ChecksumRule::required}), kd::FormatError);
  }

#if defined(__unix__)
  TEST_CASE("a model from a pipe") {
    const auto model = fitted<float>(small_als(), random_matrix(20, 15, 0.3, 1));
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("pipe");
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    std::thread writer([&] { std::ofstream(path, std::ios::binary) << saved(model); });
    const auto read = kd::load<kd::ImplicitALS<float>>(path);
    writer.join();
    CHECK(kindred_test::same_model(model, read));
  }
#endif

  TEST_CASE("files that are not there, or no files") {
    const kd::test::TemporaryDirectory directory;
    CHECK_THROWS_AS((void)kd::load<kd::ImplicitALS<float>>(directory.path("none")), kd::IoError);
    CHECK_THROWS_AS((void)kd::load<kd::ImplicitALS<float>>(directory.path()), kd::IoError);
    CHECK_THROWS_AS((void)kd::load_mapped<kd::ImplicitALS<float>>(directory.path("none")), kd::IoError);
    CHECK_THROWS_AS((void)kd::load_mapped<kd::ImplicitALS<float>>(directory.path()), kd::IoError);
    const kd::ImplicitALS<float> model(small_als());
    CHECK_THROWS_WITH_AS(kd::save(model, directory.path("no/folder")), Contains("no/folder: cannot create a file beside it: No such file"),
                         kd::IoError);
    std::ofstream closed;
    CHECK_THROWS_AS(kd::save(model, closed), kd::IoError);
    if (std::filesystem::exists("/dev/full")) {
      std::ofstream full("/dev/full", std::ios::binary);
      CHECK_THROWS_AS(kd::save(fitted<float>(small_als(), random_matrix(200, 150, 0.1, 1)), full), kd::IoError);
    }
  }

  TEST_CASE("read and written without Kindred") {
    if (std::string_view(KINDRED_TEST_PYTHON).empty()) {
      MESSAGE("skipped: no Python");
      return;
    }
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("model");
    const auto model = fitted<double>(small_als(), random_matrix(7, 5, 0.5, 1));
    kd::save(model, path);
    std::istringstream lines(output_of(python("read " + path)));
    std::string line;
    std::getline(lines, line);
    CHECK_SAYS(line, "ImplicitALS {");
    CHECK_SAYS(line, "\"confidence.alpha\": 0.7");
    std::vector<std::string> names;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string name, dtype, shape;
      words >> name >> dtype >> shape;
      names.push_back(name + " " + dtype + " " + shape);
      std::vector<double> numbers, wanted;
      for (double number = 0; words >> number;) numbers.push_back(number);
      const auto rows = [&](const kd::FactorMatrix<double>& factors) {
        for (kd::Index r = 0; r < factors.rows(); ++r) wanted.insert(wanted.end(), factors.row(r).begin(), factors.row(r).end());
      };
      if (name == "item_factors") rows(model.item_factors());
      if (name == "user_factors") rows(model.user_factors());
      if (name == "eigenvalues") wanted.assign(model.eigenvalues().begin(), model.eigenvalues().end());
      if (!wanted.empty()) CHECK(numbers == wanted);
    }
    CHECK(names == std::vector<std::string>{"eigenvalues F64 6", "item_counts I32 5", "item_factors F64 5x6", "user_counts I32 7",
                                            "user_factors F64 7x6"});

    (void)output_of(python("write " + path));
    for (const bool mapped : {false, true}) {
      const auto written = mapped ? kd::load_mapped<kd::ImplicitALS<float>>(path).model : kd::load<kd::ImplicitALS<float>>(path);
      CHECK(written.shape() == kd::MatrixShape{2, 3});
      CHECK(written.options().seed == std::numeric_limits<std::uint64_t>::max());
      CHECK(written.options().regularization == 0.5);
      CHECK(written.predict(0, 0) == 1.0);
      CHECK(written.predict(1, 2) == 0.25);
      CHECK(written.recommend(0, {.count = 2}) == std::vector<kd::Scored>{{2, 1.5}, {0, 1.0}});
      CHECK(written.eigenvalues()[0] == 3.25);
    }
    kd::load_mapped<kd::ImplicitALS<float>>(path).verify();
  }
}

TEST_SUITE("mapped models") {
  TEST_CASE_TEMPLATE("answer as loaded ones do, before and after the index is built", T, float, double) {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix train = random_matrix(90, 300, 0.1, 3);
    for (const std::size_t factors : {16U, 20U, 32U}) {
      CAPTURE(factors);
      kd::AlsOptions options = small_als();
      options.factors = factors;
      const auto model = fitted<T>(options, train);
      kd::save(model, directory.path("model"));
      const auto mapped = kd::load_mapped<kd::ImplicitALS<T>>(directory.path("model"));
      mapped.verify();
      CHECK(kindred_test::same_model(model, mapped.model));
      CHECK(mapped.model.index_bytes() == 0);
      for (int round = 0; round < 2; ++round) {
        const std::vector<kd::Index> allow = {3, 50, 77, 120, 299};
        for (kd::Index u = 0; u < 90; u += 9) {
          CHECK(mapped.model.recommend(u, {.count = 20, .exclude = train.row(u)}) ==
                model.recommend(u, {.count = 20, .exclude = train.row(u)}));
          CHECK(mapped.model.recommend(u, {.count = 500}) == model.recommend(u, {.count = 500}));
          CHECK(mapped.model.recommend(u, {.count = 4, .filter = {.allow = allow, .min_score = 0.01}}) ==
                model.recommend(u, {.count = 4, .filter = {.allow = allow, .min_score = 0.01}}));
          CHECK(mapped.model.recommend(train.row(u)).items == model.recommend(train.row(u)).items);
          CHECK(mapped.model.predict(u, u) == model.predict(u, u));
          CHECK(mapped.model.rank_items(u, allow) == model.rank_items(u, allow));
          CHECK(mapped.model.fold_in(train.row(u)) == model.fold_in(train.row(u)));
        }
        // Factors that were read instead of mapped are indexed for the first list.
        CHECK((mapped.model.index_bytes() == 0) == (round == 0 && mapped.model.item_factors().is_borrowed()));
        mapped.model.prepare();
      }
      CHECK(mapped.model.similar_items(4) == model.similar_items(4));
      CHECK(mapped.model.recommend_users(4) == model.recommend_users(4));
    }
  }

  TEST_CASE("a model whose items were updated since is saved in its eigenbasis, and goes on the same") {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix train = random_matrix(60, 90, 0.2, 3), column = random_matrix(60, 1, 0.3, 4);
    auto model = fitted<double>(small_als(), train);
    model.append_items(column);
    REQUIRE_FALSE(model.is_settled());
    kd::save(model, directory.path("model"));
    auto loaded = kd::load<kd::ImplicitALS<double>>(directory.path("model"));
    CHECK(loaded.is_settled());
    CHECK(loaded.shape() == model.shape());
    const auto near = [](double a, double b) { return std::abs(a - b) < 1e-10; };
    for (kd::Index u = 0; u < 60; ++u)
      for (kd::Index i = 0; i < 91; ++i) CHECK(near(loaded.predict(u, i), model.predict(u, i)));
    // Both solve a history alike, each in its own basis.
    const kd::CsrMatrix rows = random_matrix(1, 91, 0.2, 5);
    const auto a = model.recommend(rows.row(0), {.count = 10}).items, b = loaded.recommend(rows.row(0), {.count = 10}).items;
    for (std::size_t n = 0; n < 10; ++n) {
      CHECK(a[n].item == b[n].item);
      CHECK(near(a[n].score, b[n].score));
    }
    CHECK(near(model.explain(rows.row(0), 90).score, loaded.explain(rows.row(0), 90).score));
  }

  TEST_CASE("changes stay in the process, and copies and moves are whole") {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix train = random_matrix(40, 30, 0.2, 3);
    kd::AlsOptions options = small_als();
    options.factors = 16;
    auto model = fitted<float>(options, train);
    kd::save(model, directory.path("model"));
    auto mapped = kd::load_mapped<kd::ImplicitALS<float>>(directory.path("model"));
    const kd::ImplicitALS<float> copy = mapped.model;
    const std::vector<kd::Index> users = {1, 5};
    const kd::CsrMatrix rows = kd::select_rows(train, std::vector<kd::Index>{7, 8});
    mapped.model.refit_users(users, rows);
    CHECK_FALSE(kindred_test::same_model(model, mapped.model));
    CHECK(kindred_test::same_model(model, copy));
    mapped.verify();  // the file is as it was
    model.refit_users(users, rows);
    CHECK(kindred_test::same_model(model, mapped.model));
    mapped.model.append_items(random_matrix(40, 2, 0.5, 4));
    model.append_items(random_matrix(40, 2, 0.5, 4));
    CHECK(kindred_test::same_model(model, mapped.model));
    kd::ImplicitALS<float> moved = std::move(mapped.model);
    CHECK(kindred_test::same_model(model, moved));
    CHECK(!mapped.model.fitted());
    CHECK(kindred_test::same_model(copy, kd::load<kd::ImplicitALS<float>>(directory.path("model"))));
    // The file may be replaced while it is mapped.
    const auto old = kd::load_mapped<kd::ImplicitALS<float>>(directory.path("model"));
    kd::save(model, directory.path("model"));
    CHECK(kindred_test::same_model(old.model, copy));
    old.verify();
  }

  TEST_CASE("factors that are not finite are named, though the checksum is theirs") {
    const kd::test::TemporaryDirectory directory;
    kd::AlsOptions options = small_als();
    options.factors = 16;
    const std::string file = saved(fitted<float>(options, random_matrix(40, 100, 0.2, 3)));
    for (const std::string tensor : {"item_factors", "user_factors"}) {
      const std::string damaged = with_value(file, tensor, 16 * 7 + 3, std::numeric_limits<float>::infinity());
      const auto mapped = kd::load_mapped<kd::ImplicitALS<float>>(directory.file(damaged, "model"));
      CHECK_THROWS_WITH_AS(mapped.verify(), Contains(("'" + tensor + "', row 7, is not finite").c_str()), kd::FormatError);
    }
  }

  TEST_CASE("what a model does not have is refused before its factors are read") {
    const kd::test::TemporaryDirectory directory;
    kd::AlsOptions options = small_als();
    options.factors = 16;
    const std::string file = saved(fitted<float>(options, random_matrix(40, 100, 0.2, 3)));
    const auto check = [&](const std::string& from, const std::string& to, const char* part) {
      const std::string path = directory.file(with_header(file, from, to), "model");
      CHECK_THROWS_WITH_AS((void)kd::load_mapped<kd::ImplicitALS<float>>(path), Contains(part), kd::FormatError);
    };
    check(R"(\"factors\":16)", R"(\"factors\":16,\"extra\":6)", "the unknown entry 'extra'");
    check(R"("kindred.format")", R"("kindred.more":"","kindred.format")", "the metadata has an unknown entry 'kindred.more'");
  }

  TEST_CASE("what only verify() sees never becomes a score that is not finite") {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix train = random_matrix(40, 100, 0.2, 3);
    kd::AlsOptions options = small_als();
    options.factors = 16;
    const std::string file = saved(fitted<float>(options, train));
    std::size_t listed = 0;
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN(), 3e38F, -3e38F}) {
      for (const char* tensor : {"item_factors", "user_factors"}) {
        for (const std::size_t at : {0U, 5U, 16U * 7U + 3U}) {
          CAPTURE(bad);
          CAPTURE(tensor);
          CAPTURE(at);
          std::string damaged = with_value(file, tensor, at, bad);
          char& count = damaged[damaged.size() - 4];  // of the last user, so that the checksum differs even where the value is finite
          count = static_cast<char>(count ^ 1);
          const auto mapped = kd::load_mapped<kd::ImplicitALS<float>>(directory.file(damaged, "model"));
          CHECK_THROWS_AS(mapped.verify(), kd::FormatError);
          for (int round = 0; round < 2; ++round) {
            for (kd::Index u = 0; u < 40; ++u) {
              const auto check = [&](const std::vector<kd::Scored>& list) {
                for (const kd::Scored& one : list) CHECK(std::isfinite(one.score));
                listed += list.size();
              };
              const auto attempt = [&](auto&& call) {
                try {
                  check(call());
                } catch (const kd::NumericalError&) {
                }
              };
              attempt([&] { return mapped.model.recommend(u); });
              attempt([&] { return mapped.model.recommend(u, {.filter = {.allow = std::vector<kd::Index>{0, 1, 7}}}); });
              attempt([&] { return mapped.model.recommend(train.row(u)).items; });
              attempt([&] { return mapped.model.rank_items(u, std::vector<kd::Index>{0, 1, 7}); });
              if (round == 0) continue;
              attempt([&] { return mapped.model.similar_items(u); });
              attempt([&] { return mapped.model.similar_users(u); });
              attempt([&] { return mapped.model.recommend_users(u); });
              attempt([&] {
                const auto lists = mapped.model.recommend_all(std::vector<kd::Index>{u, (u + 1) % 40});
                return std::vector<kd::Scored>(lists.row(0).begin(), lists.row(0).end());
              });
            }
            try {
              mapped.model.prepare();
            } catch (const kd::NumericalError& error) {
              CHECK_SAYS(std::string(error.what()), "the factors of item");
            }
          }
        }
      }
    }
    CHECK(listed > 1000);
  }
}
