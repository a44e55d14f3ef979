// SPDX-License-Identifier: MIT
// How many requests a second examples/serve answers, and how long they take, with many connections, while its model is reloaded and not; and what cpp-httplib
// alone gives for an empty answer in the same run. Every answer is compared with the list that the library gives, byte for byte. Memory in MB: resident and
// allocated after each line, and the largest resident during it.
//
//   serve_benchmark <kindred_serve> [<items> [<users> [<factors> [<connections> [<seconds a line>]]]]]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;
using Clock = std::chrono::steady_clock;
using Shop = kd::KeyedRecommender<float>;

namespace {

struct Sizes {
  kd::Index items = 160'112, users = 20'000;
  std::size_t factors = 64, connections = 16;
  double seconds = 10.0;
};

/// A request, and the beginnings of its right answers from the models of odd and of even versions; empty: any.
struct Question {
  std::string path, body;
  std::string answers[2];
};

/// A process on the first `cpus` processors that is killed at the end.
class Child {
 public:
  template <typename Body>
  Child(int cpus, Body&& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
      cpu_set_t set;
      CPU_ZERO(&set);
      for (int n = 0; n < cpus; ++n) CPU_SET(n, &set);
      (void)sched_setaffinity(0, sizeof(set), &set);
      close(ends[0]);
      body(ends[1]);
      _exit(1);
    }
    close(ends[1]);
    // The line with the port comes last of what is said at the start.
    std::string text;
    char one = 0;
    while (read(ends[0], &one, 1) == 1 && !(one == '\n' && text.find("http://127.0.0.1:") != std::string::npos)) text += one;
    const std::size_t at = text.rfind("127.0.0.1:");
    if (at == std::string::npos) throw std::runtime_error("the server did not start: " + text);
    port_ = std::atoi(text.c_str() + at + 10);
    said_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(said_);
  }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] std::string proc(const char* file) const { return "/proc/" + std::to_string(pid_) + "/" + file; }

 private:
  pid_t pid_ = -1;
  int port_ = 0, said_ = -1;
};

/// cpp-httplib with nothing behind it.
[[noreturn]] void answer_nothing(int said, std::size_t connections) {
  httplib::Server server;
  server.new_task_queue = [=] { return new httplib::ThreadPool(connections + 2); };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_tcp_nodelay(true);
  server.Get("/", [](const httplib::Request&, httplib::Response& response) { response.set_content("", "text/plain"); });
  int listening = -1;
  server.set_socket_options([&](socket_t socket) { listening = socket; });
  const std::string line = "http://127.0.0.1:" + std::to_string(server.bind_to_any_port("127.0.0.1")) + "/\n";
  (void)::listen(listening, SOMAXCONN);  // the library's own length of 5 resets connections that come at once
  if (write(said, line.data(), line.size()) > 0) server.listen_after_bind();
  _exit(1);
}

[[noreturn]] void run_service(int said, const std::string& program, const std::string& model, std::size_t connections) {
  dup2(said, STDERR_FILENO);
  const std::string count = std::to_string(connections + 2);
  execl(program.c_str(), program.c_str(), "--quiet", "--port", "0", "--model", model.c_str(), "--connections", count.c_str(), nullptr);
  _exit(1);
}

struct Measured {
  std::vector<double> seconds;  // of each answer
  std::uint64_t wrong = 0, reloads = 0;
  double elapsed = 0.0;
};

/// One connection, which asks the next question when the last is answered.
void ask(int port, const std::vector<Question>& questions, std::size_t first, const std::atomic<bool>& stop, Measured& measured) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  for (std::size_t n = first; !stop; ++n) {
    const Question& question = questions[n % questions.size()];
    const Clock::time_point began = Clock::now();
    const httplib::Result result =
        question.body.empty() ? client.Get(question.path) : client.Post(question.path, question.body, "application/json");
    measured.seconds.push_back(std::chrono::duration<double>(Clock::now() - began).count());
    if (!result || result->status != 200) {
      ++measured.wrong;
      if (!result)
        std::fprintf(stderr, "lost: error %s after %.3f s\n", httplib::to_string(result.error()).c_str(), measured.seconds.back());
      else
        std::fprintf(stderr, "status %d: %.300s\n", result->status, result->body.c_str());
      continue;
    }
    if (question.body.empty()) continue;
    const std::string& body = result->body;
    const std::size_t version = body.rfind("\"version\":");
    const std::size_t which = version == std::string::npos ? 2 : (std::atoi(body.c_str() + version + 10) + 1) % 2;
    if (which < 2 && body.compare(0, version, question.answers[which]) == 0) continue;
    ++measured.wrong;
    std::fprintf(stderr, "wrong: %.300s\nfor    %.300s\n", body.c_str(), question.answers[which % 2].c_str());
  }
}

/// `files`: the models of odd and even versions, put in place by turns and reloaded; `model` empty: none is.
Measured measure(int port, const std::vector<Question>& questions, const Sizes& sizes, const std::string& model = {},
                 const std::string* files = nullptr) {
  std::atomic<bool> stop = false;
  std::vector<Measured> parts(sizes.connections);
  std::vector<std::thread> threads;
  Measured all;
  const Clock::time_point began = Clock::now();
  for (std::size_t n = 0; n < sizes.connections; ++n) threads.emplace_back([&, n] { ask(port, questions, n * 37, stop, parts[n]); });
  if (!model.empty()) {
    httplib::Client client("127.0.0.1", port);
    client.set_read_timeout(120, 0);
    while (std::chrono::duration<double>(Clock::now() - began).count() < sizes.seconds || all.reloads % 2 == 1) {
      std::filesystem::copy_file(files[(all.reloads + 1) % 2], model + ".new", std::filesystem::copy_options::overwrite_existing);
      std::filesystem::rename(model + ".new", model);
      const httplib::Result result = client.Post("/reload", "{}", "application/json");
      if (!result || result->status != 200) throw std::runtime_error("/reload failed");
      ++all.reloads;
    }
  } else {
    std::this_thread::sleep_for(std::chrono::duration<double>(sizes.seconds));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  all.elapsed = std::chrono::duration<double>(Clock::now() - began).count();
  for (const Measured& part : parts) {
    all.seconds.insert(all.seconds.end(), part.seconds.begin(), part.seconds.end());
    all.wrong += part.wrong;
  }
  std::sort(all.seconds.begin(), all.seconds.end());
  return all;
}

std::uint64_t total_wrong = 0;

/// Memory of a service in MB; 0 where it is not known.
struct Memory {
  double resident = 0.0, allocated = 0.0, peak = 0.0;
};

void print(int cpus, const char* what, const Measured& measured, const Memory& memory) {
  const auto at = [&](double share) {
    return measured.seconds.empty()
               ? 0.0
               : 1e3 * measured.seconds[static_cast<std::size_t>(share * static_cast<double>(measured.seconds.size() - 1))];
  };
  std::printf("%4d  %-26s %9.0f %8.2f %8.2f %8.2f %8llu %6llu %9.0f %10.0f %5.0f\n", cpus, what,
              static_cast<double>(measured.seconds.size()) / measured.elapsed, at(0.5), at(0.99), at(0.999),
              static_cast<unsigned long long>(measured.reloads), static_cast<unsigned long long>(measured.wrong), memory.resident,
              memory.allocated, memory.peak);
  std::fflush(stdout);
  total_wrong += measured.wrong;
}

/// As the service and the system say it; the peak starts anew.
Memory memory_of(const Child& service) {
  httplib::Client client("127.0.0.1", service.port());
  const httplib::Result result = client.Get("/metrics");
  const auto value = [&](const std::string& name) {
    const std::size_t at = result ? result->body.find("\n" + name + " ") : std::string::npos;
    return at == std::string::npos ? 0.0 : std::atof(result->body.c_str() + at + name.size() + 2) / 1e6;
  };
  Memory memory{value("process_resident_memory_bytes"), value("kindred_allocated_bytes")};
  std::ifstream status(service.proc("status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) memory.peak = std::atof(line.c_str() + 6) * 1024.0 / 1e6;
  std::ofstream(service.proc("clear_refs")) << 5;
  return memory;
}

/// What the service's answer begins with: its fields are in the order of their names.
std::string beginning_of(const kd::KeyedAnswer& answer) {
  nlohmann::json items = nlohmann::json::array();
  for (const kd::NamedItem& item : answer.items) items.push_back({{"key", item.key}, {"name", item.name}, {"score", item.score}});
  return "{\"items\":" + items.dump() + ",\"source\":\"model\",\"unknown\":[],\"unknown_items\":[],";
}

void run(const std::string& program, const Sizes& sizes, const std::string& folder) {
  const std::string files[2] = {folder + "/odd.kindred", folder + "/even.kindred"}, model = folder + "/model.kindred";
  std::vector<Question> known(500), strangers(500);
  {
    const kd::Dataset data = kd::synthetic_listening({.users = sizes.users, .items = sizes.items, .items_per_user = 40});
    for (std::size_t which = 0; which < 2; ++which) {
      kd::ImplicitALS<float> als({.factors = sizes.factors, .iterations = 2, .seed = which + 1});
      als.fit(data.matrix);
      const Shop shop(std::move(als), data);
      kd::save(shop, files[which]);
      for (std::size_t n = 0; n < known.size(); ++n) {
        const auto user = static_cast<kd::Index>(n * 7'919 % static_cast<std::size_t>(sizes.users));
        const std::string key(data.users.key(user));
        known[n].path = strangers[n].path = "/recommend";
        known[n].body = nlohmann::json{{"user", key}}.dump();
        known[n].answers[which] = beginning_of(shop.recommend(key));
        std::vector<std::string> items;
        for (const kd::Index item : data.matrix.row(user).columns.first((std::min)(std::size_t{20}, data.matrix.row(user).size())))
          items.emplace_back(data.items.key(item));
        std::vector<kd::KeyedInteraction> history;
        for (const std::string& item : items) history.push_back({item});
        strangers[n].body = nlohmann::json{{"history", items}}.dump();
        strangers[n].answers[which] = beginning_of(shop.recommend(history));
      }
    }
  }
  std::printf("%d items, %d users, %zu factors, %zu connections; milliseconds as the client sees them, on the same machine; MB\n",
              sizes.items, sizes.users, sizes.factors, sizes.connections);
  std::printf("cpus  requests                    a second      p50      p99    p99.9  reloads  wrong  resident  allocated  peak\n");
  for (const int cpus : {1, 2}) {
    {
      const Child nothing(cpus, [&](int said) { answer_nothing(said, sizes.connections); });
      print(cpus, "cpp-httplib, empty", measure(nothing.port(), {{"/", "", {}}}, sizes), {});
    }
    std::filesystem::copy_file(files[0], model, std::filesystem::copy_options::overwrite_existing);
    const Child service(cpus, [&](int said) { run_service(said, program, model, sizes.connections); });
    (void)measure(service.port(), known, {.connections = sizes.connections, .seconds = (std::min)(sizes.seconds, 1.0)});
    const auto line = [&](const char* what, const std::vector<Question>& questions, bool reloading) {
      (void)memory_of(service);
      const Measured measured =
          reloading ? measure(service.port(), questions, sizes, model, files) : measure(service.port(), questions, sizes);
      print(cpus, what, measured, memory_of(service));
    };
    line("known user", known, false);
    line("history of 20", strangers, false);
    line("known user, reloading", known, true);
    line("history of 20, reloading", strangers, true);
  }
  if (total_wrong > 0) throw std::runtime_error(std::to_string(total_wrong) + " answers were wrong or lost");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::runtime_error("say where kindred_serve is");
  std::signal(SIGPIPE, SIG_IGN);
  Sizes sizes;
  if (argc > 2) sizes.items = std::atoi(argv[2]);
  if (argc > 3) sizes.users = std::atoi(argv[3]);
  if (argc > 4) sizes.factors = static_cast<std::size_t>(std::atoi(argv[4]));
  if (argc > 5) sizes.connections = static_cast<std::size_t>(std::atoi(argv[5]));
  if (argc > 6) sizes.seconds = std::atof(argv[6]);
  const std::string folder = (std::filesystem::temp_directory_path() / ("serve_benchmark_" + std::to_string(getpid()))).string();
  std::filesystem::create_directory(folder);
  try {
    run(argv[1], sizes, folder);
  } catch (...) {
    std::filesystem::remove_all(folder);
    throw;
  }
  std::filesystem::remove_all(folder);
} catch (const std::exception& error) {
  std::fprintf(stderr, "serve_benchmark: %s\n", error.what());
  return 1;
}
