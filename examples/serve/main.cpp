// SPDX-License-Identifier: MIT
// Recommendations over HTTP: docs/serving.md.
//
//   kindred_serve                        made-up listeners and artists, at http://127.0.0.1:8080/
//   kindred_serve --model shop.kindred --journal shop.journal --token-file secret
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>

#include <CLI/CLI.hpp>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

#include "http.hpp"
#include "memory.hpp"
#include "service.hpp"

namespace kd = kindred;

namespace {

struct Arguments {
  std::string model, journal, token_file, sample;
  std::optional<std::uint32_t> sync_milliseconds;
  unsigned save_seconds = 0;
  bool quiet = false;
  serve::HttpOptions http;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--model", arguments.model, "File of a KeyedRecommender<float>; /reload reads it again. Without one: made-up data");
  app.add_option("--journal", arguments.journal, "File that observed events are written to before /observe answers");
  app.add_option("--sync-ms", arguments.sync_milliseconds,
                 "When the disk has an event: 0 before the answer, else so many milliseconds later");
  app.add_option("--save-seconds", arguments.save_seconds,
                 "Write the model file with the observed events that often, and at the end; 0: never");
  app.add_option("--host", arguments.http.host, "Address to listen on")->capture_default_str();
  app.add_option("--port", arguments.http.port, "Port; 0 takes a free one")->check(CLI::Range(0, 65535))->capture_default_str();
  app.add_option("--connections", arguments.http.connections, "Connections served at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--timeout", arguments.http.timeout_seconds, "Seconds for a client that sends nothing")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  app.add_option("--token-file", arguments.token_file, "File whose first line /observe and /reload ask for as a bearer token");
  app.add_option("--write-sample", arguments.sample, "Write the model of the made-up data to this file, and end");
  app.add_flag("--quiet", arguments.quiet, "No line a request");
}

std::string token_in(const std::string& file) {
  std::ifstream stream(file);
  std::string token;
  if (!std::getline(stream, token) || token.size() < 16) throw std::runtime_error(file + " has no token of 16 characters or more");
  return token;
}

kd::KeyedRecommender<float> recommender_of(const Arguments& arguments) {
  if (!arguments.model.empty()) return kd::load<kd::KeyedRecommender<float>>(arguments.model);
  kd::Dataset data = kd::synthetic_listening({.users = 2'000, .items = 1'000, .items_per_user = 30});
  kd::ImplicitALS<float> model({.factors = 32});
  model.fit(data.matrix);
  return {std::move(model), std::move(data)};
}

/// Saves every so many seconds until it is destroyed, and then once more.
class Saver {
 public:
  Saver(serve::Service& service, unsigned seconds) : service_(service) {
    if (seconds > 0) thread_ = std::thread([this, seconds] { run(std::chrono::seconds(seconds)); });
  }
  ~Saver() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run(std::chrono::seconds every) {
    for (bool last = false; !last;) {
      {
        std::unique_lock lock(mutex_);
        last = wake_.wait_for(lock, every, [this] { return stop_; });
      }
      try {
        service_.save();
      } catch (const std::exception& error) {  // the journal has the events, and the next try may do better
        std::fprintf(stderr, "kindred_serve: %s\n", error.what());
      }
    }
  }

  serve::Service& service_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

void serve_until_stopped(Arguments& arguments, const sigset_t& signals) {
  serve::Service service(recommender_of(arguments), arguments.model, serve::Limits());
  if (!arguments.journal.empty()) {
    const kd::KeyedEvents::Replayed found = service.recommender().start_journal(
        {.path = arguments.journal, .sync_milliseconds = arguments.sync_milliseconds, .only_later_than_past = true});
    std::fprintf(stderr, "%s: %zu events again, %zu held by the model, %zu refused, %llu bytes of a torn one\n", arguments.journal.c_str(),
                 found.events, found.held, found.refused, static_cast<unsigned long long>(found.torn_bytes));
  }
  if (!arguments.token_file.empty()) arguments.http.token = token_in(arguments.token_file);
  if (arguments.http.token.empty() && arguments.http.host != "127.0.0.1" && arguments.http.host != "localhost" &&
      arguments.http.host != "::1")
    throw std::runtime_error("other machines can reach " + arguments.http.host + ": give a --token-file for /observe and /reload");
  arguments.http.log_requests = !arguments.quiet;
  serve::HttpServer server(service, arguments.http);
  const int port = server.bind();
  std::fprintf(stderr, "listening on http://%s:%d/\n", arguments.http.host.c_str(), port);
  const Saver saver(service, arguments.model.empty() ? 0 : arguments.save_seconds);
  std::atomic<bool> stopped = false;
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    if (!stopped) std::fprintf(stderr, "stopping: the requests that run are answered\n");
    server.stop();
  });
  server.listen();
  stopped = true;
  pthread_kill(waiter.native_handle(), SIGTERM);  // where listen() ended by itself
  waiter.join();
}

}  // namespace

int main(int argc, char** argv) try {
  serve::return_large_blocks();
  // Before any thread starts: signals go to the one that waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Recommendations over HTTP, for this machine: TLS and other machines are for a proxy.");
  Arguments arguments;
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  if (arguments.sample.empty())
    serve_until_stopped(arguments, signals);
  else
    kd::save(recommender_of(arguments), arguments.sample);
} catch (const std::exception& error) {
  std::fprintf(stderr, "kindred_serve: %s\n", error.what());
  return 1;
}
