// SPDX-License-Identifier: MIT
// What does one thread do alone, however many there are? serial_work [PLAYS [USERS ITEMS FACTORS]] | serial_work read PLAYS [THREADS]
//
// A fit of made-up plays (358,868 x 160,112 and 64 factors if not said; one iteration and the index) for 16 workers, whose tasks an executor runs one after
// the other: processor seconds in all, and those outside the executor. With a plays file of make_plays also reading it by 16 threads: processor seconds of
// the calling thread outside the loops that threads share. `read` only reads the file, by 16 or THREADS threads, as phases.py samples it.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <kindred/kindred.hpp>

namespace {

namespace kd = kindred;

constexpr std::size_t workers = 16;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void fit(const kd::CsrMatrix& train, const char* name, const kd::AlsOptions& options) {
  double shared = 0.0;
  const kd::Executor one_by_one = [&](std::size_t n, const std::function<void(std::size_t)>& task) {
    const double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (std::size_t worker = 0; worker < n; ++worker) task(worker);
    shared += seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start;
  };
  const double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  kd::ImplicitALS<float> als(options);
  als.fit(train, {.execution = {.threads = workers, .executor = &one_by_one}});
  const double all = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start;
  std::printf("| a fit, %s | %.2f | %.2f |\n", name, all, all - shared);
  std::fflush(stdout);
}

void read(const std::string& path, std::size_t threads) {
  // All on threads of their own, so that what the calling thread uses, but to start them, is what it does alone.
  double starting = 0.0;
  const kd::Executor elsewhere = [&](std::size_t n, const std::function<void(std::size_t)>& task) {
    const double start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    std::vector<std::thread> others;
    for (std::size_t worker = 0; worker < n; ++worker) others.emplace_back([&task, worker] { task(worker); });
    for (std::thread& other : others) other.join();
    starting += seconds_of(CLOCK_THREAD_CPUTIME_ID) - start;
  };
  const double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID), start_alone = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  const kd::Dataset data = kd::read_lastfm_360k(path, {.read = {.execution = {.threads = threads, .executor = &elsewhere}}});
  std::printf("| reading %lld plays | %.2f | %.2f |\n", static_cast<long long>(data.matrix.nnz()),
              seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start - starting, seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_alone - starting);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int place, kd::Index otherwise) {
    return argc > place ? static_cast<kd::Index>(std::atoi(argv[place])) : otherwise;
  };
  std::puts("| work | processor seconds | by the calling thread alone |\n|---|---|---|");
  if (argc > 2 && std::strcmp(argv[1], "read") == 0) {
    read(argv[2], static_cast<std::size_t>(number(3, workers)));
    return 0;
  }
  const kd::CsrMatrix train =
      kd::synthetic_listening({.users = number(2, 358'868), .items = number(3, 160'112), .items_per_user = 49}).matrix;
  const auto factors = static_cast<std::size_t>(number(4, 64));
  fit(train, "options of the paper",
      {.factors = factors, .regularization = 0.1, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 0.5}});
  fit(train, "defaults", {.factors = factors, .iterations = 1});
  if (argc > 1) read(argv[1], workers);
  return 0;
}
