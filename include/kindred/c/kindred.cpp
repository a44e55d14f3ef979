// SPDX-License-Identifier: MIT
// The bodies of kindred.h, compiled once into the shared library kindred::c.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <locale>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/c/kindred.h>
#include <kindred/kindred.hpp>
#include <kindred/persistence/als_fields.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;

/// A view of the caller's arrays, or of `owned`.
struct kindred_matrix {
  kd::CsrMatrix owned;
  kd::CsrView view;
};

struct kindred_options {
  kd::AlsOptions options;
};

struct kindred_model {
  kd::ImplicitALS<float> als;
};

namespace {

/// Of a thread. Another failure while a text is copied, for want of memory, leaves a constant.
class LastError {
 public:
  void set(const char* text) noexcept try {
    text_ = text;
    constant_ = nullptr;
  } catch (...) {
    constant_ = "out of memory";
  }
  [[nodiscard]] const char* text() const noexcept { return constant_ != nullptr ? constant_ : text_.c_str(); }

 private:
  std::string text_;
  const char* constant_ = nullptr;
};

thread_local LastError last_error;

[[nodiscard]] kindred_status failed(kindred_status status, const char* text) noexcept {
  last_error.set(text);
  return status;
}

/// Runs a body that may throw.
template <typename Body>
[[nodiscard]] kindred_status guarded(Body&& body) noexcept {
  try {
    body();
    return KINDRED_OK;
  } catch (const kd::InvalidArgument& error) {
    return failed(KINDRED_INVALID_ARGUMENT, error.what());
  } catch (const kd::ShapeError& error) {
    return failed(KINDRED_SHAPE_ERROR, error.what());
  } catch (const kd::NumericalError& error) {
    return failed(KINDRED_NUMERICAL_ERROR, error.what());
  } catch (const kd::IoError& error) {
    return failed(KINDRED_IO_ERROR, error.what());
  } catch (const kd::FormatError& error) {
    return failed(KINDRED_FORMAT_ERROR, error.what());
  } catch (const kd::Cancelled& error) {
    return failed(KINDRED_CANCELLED, error.what());
  } catch (const std::bad_alloc&) {
    return failed(KINDRED_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(KINDRED_OTHER_ERROR, error.what());
  } catch (...) {
    return failed(KINDRED_OTHER_ERROR, "an error without a text");
  }
}

/// @throws InvalidArgument if `pointer` is NULL.
template <typename T>
T& required(T* pointer, std::string_view name) {
  if (pointer == nullptr) throw kd::InvalidArgument(name, "NULL", "a pointer");
  return *pointer;
}

/// @throws InvalidArgument if there are entries and no array.
template <typename T>
[[nodiscard]] std::span<T> array_of(T* first, std::size_t count, std::string_view name) {
  if (count > 0) (void)required(first, name);
  return {first, count};
}

/// The functions that make handles: the place of the result is asked for first, and written last.
template <typename T, typename Make>
[[nodiscard]] kindred_status made(T** out, Make&& make) noexcept {
  return guarded([&] {
    T*& place = required(out, "out");
    place = std::make_unique<T>(make()).release();
  });
}

[[nodiscard]] kd::Execution execution_of(const kindred_run* run) { return {.threads = run != nullptr ? run->threads : 0}; }

[[nodiscard]] kd::ProgressCallback progress_of(const kindred_run* run) {
  if (run == nullptr || run->progress == nullptr) return {};
  return [own = *run](const kd::Progress& progress) {
    const std::string what(progress.what);
    switch (own.progress(what.c_str(), progress.done, progress.total, progress.elapsed_seconds, own.data)) {
      case KINDRED_STOP_AND_KEEP: return kd::ProgressAnswer::stop_and_keep;
      case KINDRED_CANCEL: return kd::ProgressAnswer::cancel;
      default: return kd::ProgressAnswer::keep_going;
    }
  };
}

// ---- settings as texts

/// @throws InvalidArgument unless all of `text` is a number of this type.
template <typename T>
void read_number(std::string_view name, std::string_view text, T& to) {
  bool is_number = false;
  if constexpr (std::is_integral_v<T>) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    is_number = error == std::errc{} && end == text.data() + text.size();
  } else {  // some standard libraries read no double without a stream
    std::istringstream stream{std::string(text)};
    stream.imbue(std::locale::classic());
    is_number = static_cast<bool>(stream >> std::noskipws >> to) && stream.peek() == std::istringstream::traits_type::eof();
  }
  if (!is_number)
    throw kd::InvalidArgument(name, kd::detail::printable(text),
                              std::is_integral_v<T> ? "a whole number that is not negative" : "a number");
}

template <typename T, typename... Names>
void read_setting(std::string_view name, std::string_view text, T& to, const Names&... names) {
  if constexpr (kd::detail::IsOptional<T>::value) {
    typename T::value_type value{};
    if (text.empty()) {
      to.reset();
      return;
    }
    read_setting(name, text, value, names...);
    to = value;
  } else if constexpr (std::is_enum_v<T>) {
    const auto choose = [&](const auto& texts) {
      std::string expected = "one of";
      for (const std::string_view one : texts) expected.append(" ").append(one);
      const auto found = std::find(std::begin(texts), std::end(texts), text);
      if (found == std::end(texts)) throw kd::InvalidArgument(name, kd::detail::printable(text), expected);
      to = static_cast<T>(found - std::begin(texts));
    };
    (choose(names), ...);
  } else {
    if (text.empty()) throw kd::InvalidArgument(name, "''", "a value: this setting has no choice of its own");
    read_number(name, text, to);
  }
}

template <typename T, typename... Names>
[[nodiscard]] std::string setting_text(const T& value, const Names&... names) {
  if constexpr (kd::detail::IsOptional<T>::value) {
    return value ? setting_text(*value, names...) : std::string();
  } else if constexpr (std::is_enum_v<T>) {
    std::string text;
    ((text = names[static_cast<std::size_t>(value)]), ...);
    return text;
  } else {
    return kd::detail::value_text(value);
  }
}

/// Calls use(place, names...) for the setting of this name. @throws InvalidArgument if there is none.
template <typename Options, typename Use>
void with_setting(Options& options, std::string_view name, Use&& use) {
  bool found = false;
  kd::detail::visit_fields(options, [&](std::string_view field, auto& value, const auto&... names) {
    if (field != name) return;
    found = true;
    use(value, names...);
  });
  if (!found)
    throw kd::InvalidArgument("name", kd::detail::printable(name), "a setting of AlsOptions, such as factors or confidence.alpha");
}

// ---- lists

/// In rising order, without repeats. @throws InvalidArgument if an index is not of the model.
[[nodiscard]] std::vector<kd::Index> sorted_indices(const std::int32_t* first, std::size_t count, std::string_view name, kd::Index bound) {
  const std::span<const std::int32_t> given = array_of(first, count, name);
  for (std::size_t n = 0; n < count; ++n)
    if (given[n] < 0 || given[n] >= bound)
      throw kd::InvalidArgument(std::string(name) + "[" + std::to_string(n) + "]", given[n], "in [0, " + std::to_string(bound) + ")");
  std::vector<kd::Index> indices(given.begin(), given.end());
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

/// The options of a list with what they refer to.
class ListOptions {
 public:
  ListOptions(const kindred_list_options* options, kd::Index bound) {
    if (options != nullptr) {
      if (options->struct_size != sizeof(kindred_list_options))
        throw kd::InvalidArgument("options.struct_size", options->struct_size,
                                  "sizeof(kindred_list_options): use KINDRED_LIST_OPTIONS_INIT");
      given_ = *options;
    }
    if (given_.count > static_cast<std::size_t>((std::numeric_limits<kd::Index>::max)()))
      throw kd::InvalidArgument("options.count", given_.count, "below 2^31");
    if (given_.allow != nullptr) allow_ = sorted_indices(given_.allow, given_.allow_count, "options.allow", bound);
  }
  ListOptions(const ListOptions&) = delete;
  ListOptions& operator=(const ListOptions&) = delete;

  [[nodiscard]] std::size_t count() const noexcept { return given_.count; }
  [[nodiscard]] kd::ItemFilter filter() const {
    kd::ItemFilter filter;
    if (allow_) filter.allow = *allow_;
    return filter;
  }
  [[nodiscard]] kd::Fallback fallback() const noexcept { return given_.by_popularity != 0 ? kd::Fallback::popularity : kd::Fallback::none; }
  [[nodiscard]] double popularity_penalty() const noexcept { return given_.popularity_penalty; }
  [[nodiscard]] kd::RecommendOptions of(std::span<const kd::Index> exclude) const {
    return {.count = count(), .exclude = exclude, .filter = filter(), .fallback = fallback(), .popularity_penalty = popularity_penalty()};
  }

 private:
  kindred_list_options given_ = KINDRED_LIST_OPTIONS_INIT;
  std::optional<std::vector<kd::Index>> allow_;
};

/// Writes a list into `count` places.
void write_list(std::span<const kd::Scored> list, std::size_t count, std::int32_t* items, double* scores) {
  for (std::size_t n = 0; n < count; ++n) {
    items[n] = n < list.size() ? list[n].item : -1;
    if (scores != nullptr) scores[n] = n < list.size() ? list[n].score : 0.0;
  }
}

void write_list(std::span<const kd::Scored> list, std::size_t count, std::int32_t* items, double* scores, std::size_t* length) {
  write_list(list, count, items, scores);
  if (length != nullptr) *length = list.size();
}

/// A history in the order of its items, one value each.
[[nodiscard]] kd::CsrMatrix history_of(const kd::ImplicitALS<float>& als, const std::int32_t* items, const float* values,
                                       std::size_t count) {
  const std::vector<kd::Index> users(count, 0);
  const std::span<const float> given = values != nullptr ? std::span<const float>(values, count) : std::span<const float>();
  return kd::CsrMatrix::from_columns({1, als.shape().items}, users, array_of(items, count, "history"), given);
}

[[nodiscard]] std::unique_ptr<kindred_matrix> owning(kd::CsrMatrix matrix) {
  auto made = std::make_unique<kindred_matrix>();
  made->owned = std::move(matrix);
  made->view = made->owned;
  return made;
}

void copy_factors(const kd::FactorMatrix<float>& factors, float* to, std::size_t length) {
  const auto wanted = static_cast<std::size_t>(factors.rows()) * static_cast<std::size_t>(factors.factors());
  if (length != wanted) throw kd::InvalidArgument("length", length, "rows * factors, which is " + std::to_string(wanted));
  float* place = array_of(to, length, "to").data();
  for (kd::Index r = 0; r < factors.rows(); ++r) place = std::copy(factors.row(r).begin(), factors.row(r).end(), place);
}

}  // namespace

extern "C" {

int kindred_c_version(void) { return KINDRED_C_VERSION; }

#define KINDRED_TEXT_OF(number) #number
#define KINDRED_VERSION_TEXT(major, minor, patch) KINDRED_TEXT_OF(major) "." KINDRED_TEXT_OF(minor) "." KINDRED_TEXT_OF(patch)
const char* kindred_version(void) { return KINDRED_VERSION_TEXT(KINDRED_VERSION_MAJOR, KINDRED_VERSION_MINOR, KINDRED_VERSION_PATCH); }

const char* kindred_last_error(void) { return last_error.text(); }

kindred_status kindred_matrix_share(int32_t users, int32_t items, const int64_t* indptr, const int32_t* indices, const float* values,
                                    kindred_matrix** out) {
  return made(out, [&] {
    if (users < 0) throw kd::InvalidArgument("users", users, "at least 0");
    const std::span<const std::int64_t> offsets = array_of(indptr, static_cast<std::size_t>(users) + 1, "indptr");
    if (offsets.back() < 0) throw kd::InvalidArgument("indptr[" + std::to_string(users) + "]", offsets.back(), "at least 0");
    const auto count = static_cast<std::size_t>(offsets.back());
    return kindred_matrix{{}, kd::CsrView({users, items}, offsets, array_of(indices, count, "indices"), array_of(values, count, "values"))};
  });
}

kindred_status kindred_matrix_from_columns(int32_t users, int32_t items, const int32_t* user_of, const int32_t* item_of,
                                           const float* values, size_t count, kindred_matrix** out) {
  return guarded([&] {
    (void)required(out, "out");
    *out = owning(kd::CsrMatrix::from_columns({users, items}, array_of(user_of, count, "user_of"), array_of(item_of, count, "item_of"),
                                              values != nullptr ? std::span<const float>(values, count) : std::span<const float>()))
               .release();
  });
}

kindred_status kindred_matrix_split(const kindred_matrix* matrix, double test_fraction, uint64_t seed, kindred_matrix** out_train,
                                    kindred_matrix** out_test) {
  return guarded([&] {
    (void)required(out_train, "out_train");
    (void)required(out_test, "out_test");
    kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = test_fraction, .seed = seed}).split(required(matrix, "matrix").view);
    auto train = owning(std::move(split.train)), test = owning(std::move(split.test));
    *out_train = train.release();
    *out_test = test.release();
  });
}

kindred_status kindred_matrix_shape(const kindred_matrix* matrix, int32_t* users, int32_t* items, int64_t* interactions) {
  return guarded([&] {
    const kd::CsrView& view = required(matrix, "matrix").view;
    if (users != nullptr) *users = view.rows();
    if (items != nullptr) *items = view.cols();
    if (interactions != nullptr) *interactions = view.nnz();
  });
}

kindred_status kindred_matrix_arrays(const kindred_matrix* matrix, const int64_t** indptr, const int32_t** indices, const float** values) {
  return guarded([&] {
    const kd::CsrView& view = required(matrix, "matrix").view;
    if (indptr != nullptr) *indptr = view.offsets().data();
    if (indices != nullptr) *indices = view.columns().data();
    if (values != nullptr) *values = view.values().data();
  });
}

void kindred_matrix_free(kindred_matrix* matrix) { delete matrix; }

kindred_status kindred_options_new(kindred_options** out) {
  return made(out, [] { return kindred_options{}; });
}

kindred_status kindred_options_set(kindred_options* options, const char* name, const char* value) {
  return guarded([&] {
    kd::AlsOptions changed = required(options, "options").options;
    const std::string_view text = &required(value, "value");
    with_setting(changed, &required(name, "name"), [&](auto& place, const auto&... names) { read_setting(name, text, place, names...); });
    options->options = std::move(changed);
  });
}

kindred_status kindred_options_get(const kindred_options* options, const char* name, char* text, size_t size) {
  return guarded([&] {
    std::string value;
    with_setting(required(options, "options").options, &required(name, "name"),
                 [&](const auto& place, const auto&... names) { value = setting_text(place, names...); });
    if (size <= value.size())
      throw kd::InvalidArgument("size", size, "above " + std::to_string(value.size()) + ", the length of the value");
    (void)required(text, "text");
    std::copy_n(value.c_str(), value.size() + 1, text);
  });
}

void kindred_options_free(kindred_options* options) { delete options; }

kindred_status kindred_fit(const kindred_matrix* train, const kindred_options* options, const kindred_run* run, kindred_model** out) {
  return made(out, [&] {
    kd::ImplicitALS<float> als(options != nullptr ? options->options : kd::AlsOptions{});
    als.fit(required(train, "train").view, {.progress = progress_of(run), .execution = execution_of(run)});
    return kindred_model{std::move(als)};
  });
}

kindred_status kindred_tune(const kindred_matrix* train, size_t trials, const kindred_options* options, const kindred_run* run,
                            kindred_options** out) {
  return made(out, [&] {
    return kindred_options{kd::tune(required(train, "train").view, {.trials = trials,
                                                                    .base = options != nullptr ? options->options : kd::AlsOptions{},
                                                                    .progress = progress_of(run),
                                                                    .execution = execution_of(run)})
                               .options};
  });
}

kindred_status kindred_model_load(const char* path, kindred_model** out) {
  return made(out, [&] { return kindred_model{kd::load<kd::ImplicitALS<float>>(&required(path, "path"))}; });
}

kindred_status kindred_model_save(const kindred_model* model, const char* path) {
  return guarded([&] { kd::save(required(model, "model").als, &required(path, "path")); });
}

kindred_status kindred_model_shape(const kindred_model* model, int32_t* users, int32_t* items, size_t* factors) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    if (users != nullptr) *users = als.shape().users;
    if (items != nullptr) *items = als.shape().items;
    if (factors != nullptr) *factors = static_cast<std::size_t>(als.item_factors().factors());
  });
}

kindred_status kindred_model_options(const kindred_model* model, kindred_options** out) {
  return made(out, [&] { return kindred_options{required(model, "model").als.options()}; });
}

kindred_status kindred_model_user_factors(const kindred_model* model, float* to, size_t length) {
  return guarded([&] { copy_factors(required(model, "model").als.user_factors(), to, length); });
}

kindred_status kindred_model_item_factors(const kindred_model* model, float* to, size_t length) {
  return guarded([&] { copy_factors(required(model, "model").als.item_factors(), to, length); });
}

void kindred_model_free(kindred_model* model) { delete model; }

kindred_status kindred_recommend(const kindred_model* model, int32_t user, const int32_t* exclude, size_t exclude_count,
                                 const kindred_list_options* options, int32_t* items, double* scores, size_t* length) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const ListOptions own(options, als.shape().items);
    const std::vector<kd::Index> left_out = sorted_indices(exclude, exclude_count, "exclude", als.shape().items);
    const std::vector<kd::Scored> list = als.recommend(user, own.of(left_out));
    write_list(list, own.count(), array_of(items, own.count(), "items").data(), scores, length);
  });
}

kindred_status kindred_recommend_history(const kindred_model* model, const int32_t* history, const float* values, size_t history_count,
                                         const kindred_list_options* options, int32_t* items, double* scores, size_t* length) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const ListOptions own(options, als.shape().items);
    const kd::CsrMatrix row = history_of(als, history, values, history_count);
    const std::vector<kd::Scored> list = als.recommend(row.row(0), own.of(row.row(0))).items;
    write_list(list, own.count(), array_of(items, own.count(), "items").data(), scores, length);
  });
}

kindred_status kindred_recommend_all(const kindred_model* model, const int32_t* users, size_t n_users, const kindred_matrix* exclude,
                                     const kindred_list_options* options, const kindred_run* run, int32_t* items, double* scores,
                                     size_t* lengths) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const ListOptions own(options, als.shape().items);
    std::vector<kd::Index> all;
    if (users == nullptr) {
      if (n_users != static_cast<std::size_t>(als.shape().users))
        throw kd::InvalidArgument("n_users", n_users,
                                  "the number of users of the model, " + std::to_string(als.shape().users) + ", where users is NULL");
      all.resize(n_users);
      std::iota(all.begin(), all.end(), kd::Index{0});
      users = all.data();
    }
    if (own.count() > 0 && n_users > 0) (void)required(items, "items");
    if (own.count() > 0 && n_users > (std::numeric_limits<std::size_t>::max)() / own.count())
      throw kd::InvalidArgument("n_users", n_users, "so many that n_users * count is a size");
    std::size_t n = 0;
    als.recommend_all(std::span<const kd::Index>(users, n_users),
                      {.count = own.count(),
                       .exclude = exclude != nullptr ? exclude->view : kd::CsrView{},
                       .filter = own.filter(),
                       .fallback = own.fallback(),
                       .execution = execution_of(run),
                       .popularity_penalty = own.popularity_penalty()},
                      [&](kd::Index, std::span<const kd::Scored> list) {
                        write_list(list, own.count(), items + n * own.count(), scores != nullptr ? scores + n * own.count() : nullptr,
                                   lengths != nullptr ? lengths + n : nullptr);
                        ++n;
                      });
  });
}

kindred_status kindred_similar_items(const kindred_model* model, int32_t item, const kindred_list_options* options, int32_t* items,
                                     double* scores, size_t* length) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const ListOptions own(options, als.shape().items);
    const std::vector<kd::Scored> list = als.similar_items(item, {.count = own.count(), .filter = own.filter()});
    write_list(list, own.count(), array_of(items, own.count(), "items").data(), scores, length);
  });
}

kindred_status kindred_similar_users(const kindred_model* model, int32_t user, const kindred_list_options* options, int32_t* users,
                                     double* scores, size_t* length) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const ListOptions own(options, als.shape().users);
    const std::vector<kd::Scored> list = als.similar_users(user, {.count = own.count(), .filter = own.filter()});
    write_list(list, own.count(), array_of(users, own.count(), "users").data(), scores, length);
  });
}

kindred_status kindred_fold_in(const kindred_model* model, const int32_t* history, const float* values, size_t history_count, float* to) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const std::vector<float> factors = als.fold_in(history_of(als, history, values, history_count).row(0));
    std::copy(factors.begin(), factors.end(), array_of(to, factors.size(), "to").data());
  });
}

kindred_status kindred_explain(const kindred_model* model, const int32_t* history, const float* values, size_t history_count, int32_t item,
                               int32_t* parts, double* added, double* score) {
  return guarded([&] {
    const kd::ImplicitALS<float>& als = required(model, "model").als;
    const kd::CsrMatrix row = history_of(als, history, values, history_count);
    const kd::Explanation explanation = als.explain(row.row(0), item);
    write_list(explanation.parts, history_count, array_of(parts, history_count, "parts").data(), added);
    if (score != nullptr) *score = explanation.score;
  });
}

kindred_status kindred_evaluate(const kindred_model* model, const kindred_matrix* train, const kindred_matrix* test, size_t cutoff,
                                const kindred_run* run, kindred_metrics* out) {
  return guarded([&] {
    if (required(out, "out").struct_size != sizeof(kindred_metrics))
      throw kd::InvalidArgument("out.struct_size", out->struct_size, "sizeof(kindred_metrics), set before the call");
    const kd::RankingReport report = kd::evaluate(required(model, "model").als, required(train, "train").view, required(test, "test").view,
                                                  {.cutoffs = {cutoff}, .execution = execution_of(run), .progress = progress_of(run)});
    const kd::CutoffReport& at = report.at(cutoff);
    *out = {.struct_size = sizeof(kindred_metrics),
            .users = report.users,
            .ndcg = at.ndcg.mean,
            .ndcg_error = at.ndcg.standard_error,
            .precision = at.precision.mean,
            .precision_error = at.precision.standard_error,
            .recall = at.recall.mean,
            .recall_error = at.recall.standard_error,
            .map = at.map.mean,
            .map_error = at.map.standard_error,
            .mrr = at.mrr.mean,
            .mrr_error = at.mrr.standard_error,
            .hit_rate = at.hit_rate.mean,
            .hit_rate_error = at.hit_rate.standard_error};
  });
}

}  // extern "C"
