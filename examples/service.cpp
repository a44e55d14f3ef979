// SPDX-License-Identifier: MIT
// The lesson: the core of a web service without its HTTP. Many threads answer from one Recommender while its model is
// replaced; an unknown user is an answer, an unknown item is left out and reported. examples/serve/ has the HTTP.
//
//   service [<file>]   writes a made-up model to the file (default: service.kindred), as a job would, and serves it
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;

namespace {

/// What a client sends: a user's key, or a history.
struct Request {
  std::string user = {};
  std::vector<std::string> history = {};  // item keys
};

/// What the client gets: 200 with a list, or 400 with a reason.
struct Reply {
  int status = 200;
  kd::KeyedAnswer answer = {};
  std::string error = {};
};

/// Answers one request; called by many threads at once.
Reply handle(const kd::KeyedRecommender<float>& recommender, const Request& request) {
  try {
    const kd::KeyedOptions options{.count = 5, .fallback = kd::Fallback::popularity};
    if (request.history.size() > 100) return {.status = 400, .error = "history has more than 100 items"};
    if (request.history.empty()) return {.answer = recommender.recommend(request.user, options)};
    std::vector<kd::KeyedInteraction> history;
    for (const std::string& item : request.history) history.push_back({item});
    return {.answer = recommender.recommend(history, options)};
  } catch (const kd::InvalidArgument& error) {
    return {.status = 400, .error = error.what()};
  }
}

/// What all threads counted.
struct Counts {
  std::array<int, 3> by_source{};  // in the order of ListSource
  std::map<std::uint64_t, int> by_version;
  int bad_requests = 0;
  int went_back = 0;  // answers of an older model than the thread had seen
  std::string first_error;
};

/// One thread of the server: a fixed mix of clients, until the reload is over, and 100 requests more.
void serve(const kd::KeyedRecommender<float>& recommender, const std::vector<Request>& mix, const std::atomic<bool>& reloaded,
           Counts& counts, std::mutex& lock) {
  std::uint64_t version = 0;
  std::size_t n = 0;
  for (int left = 100; left > 0; left -= reloaded ? 1 : 0) {
    const Reply reply = handle(recommender, mix[n++ % mix.size()]);
    const std::lock_guard guard(lock);
    if (reply.status != 200) {
      if (++counts.bad_requests == 1) counts.first_error = reply.error;
      continue;
    }
    ++counts.by_source[static_cast<std::size_t>(reply.answer.source)];
    ++counts.by_version[reply.answer.version];
    if (reply.answer.version < version) ++counts.went_back;
    version = reply.answer.version;
  }
}

/// One thread, because the others are for requests.
kd::ImplicitALS<float> fitted(const kd::Dataset& data, std::uint64_t seed) {
  kd::ImplicitALS<float> model({.factors = 32, .seed = seed});
  model.fit(data.matrix);
  return model;
}

void print(const kd::KeyedAnswer& answer, const char* reader) {
  constexpr const char* sources[] = {"the model", "popularity", "nothing"};
  std::printf("%s, from %s:", reader, sources[static_cast<std::size_t>(answer.source)]);
  for (const kd::NamedItem& item : answer.items) std::printf(" %s;", item.name.c_str());
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string file = argc > 1 ? argv[1] : "service.kindred";
  const kd::Dataset data = kd::synthetic_listening({.users = 1'000, .items = 500, .items_per_user = 25});
  kd::save(kd::KeyedRecommender<float>(fitted(data, 1), data), file);

  auto recommender = kd::load<kd::KeyedRecommender<float>>(file);
  const std::vector<Request> mix{{.user = "listener_0000007"},
                                 {.user = "listener_0000012"},
                                 {.history = {"artist_0000003", "artist_0000020"}},
                                 {.user = "a newcomer"},
                                 {.history = {"artist_0000003", "no such artist"}},
                                 {.history = std::vector<std::string>(101, "artist_0000003")}};
  print(handle(recommender, mix[0]).answer, "a known user");
  const kd::KeyedAnswer stranger = handle(recommender, mix[2]).answer;
  print(stranger, "a stranger with two artists");
  print(handle(recommender, mix[3]).answer, "an unknown user");
  std::printf("left out: %s\n", handle(recommender, mix[4]).answer.unknown_items[0].c_str());

  const std::vector<kd::KeyedInteraction> history{{"artist_0000003"}, {"artist_0000020"}};
  const kd::NamedExplanation why = recommender.explain(history, stranger.items[0].key);
  std::printf("why %s (%.2f)?", stranger.items[0].name.c_str(), why.score);
  for (const kd::NamedItem& part : why.parts) std::printf(" %+.2f for %s;", part.score, part.name.c_str());
  std::printf("\n");

  // Four threads serve; meanwhile a new model is fitted and takes over between two requests.
  Counts counts;
  std::mutex lock;
  std::atomic<bool> reloaded = false;
  std::vector<std::thread> server;
  for (int t = 0; t < 4; ++t) server.emplace_back([&] { serve(recommender, mix, reloaded, counts, lock); });
  std::exception_ptr failure;
  try {
    recommender.replace(fitted(data, 2), data);
  } catch (...) {  // the old model goes on serving
    failure = std::current_exception();
  }
  reloaded = true;
  for (std::thread& thread : server) thread.join();
  if (failure) std::rethrow_exception(failure);

  std::printf("answers: %d from the model, %d from popularity, %d empty; %d requests refused\n", counts.by_source[0], counts.by_source[1],
              counts.by_source[2], counts.bad_requests);
  std::printf("refused because: %s\n", counts.first_error.c_str());
  for (const auto& [version, count] : counts.by_version) std::printf("model %d: %d answers\n", static_cast<int>(version), count);
  std::printf("answers of an older model than the one before: %d\n", counts.went_back);
} catch (const std::exception& error) {
  std::fprintf(stderr, "service: %s\n", error.what());
  return 1;
}
