// SPDX-License-Identifier: MIT
// A program that is killed 200 times while it observes, saves and reloads: what observe() had returned for is there after the next start, once.
//
//   kill_journal <folder> [<rounds>]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"

namespace kd = kindred;
using Shop = kd::KeyedRecommender<float>;

namespace {

/// Observes events until it is killed; the time of an event is its number, and each that observe() took goes to `acknowledged`.
[[noreturn]] void serve(const std::string& model, const std::string& journal, std::int64_t first, int round, int acknowledged) {
  Shop shop = kd::load<Shop>(model);
  const std::optional<std::uint32_t> syncs[] = {std::nullopt, 0U, 2U};
  (void)shop.start_journal({.path = journal, .sync_milliseconds = syncs[round % 3]});
  std::atomic<std::int64_t> next = first;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      for (;;) {
        const std::int64_t n = next++;
        shop.observe(n % 3 == 0 ? "new" + std::to_string(n % 50) : "u" + std::to_string(n % 40), "i" + std::to_string(n % 30), {.time = n});
        if (write(acknowledged, &n, sizeof(n)) != sizeof(n)) _exit(3);
      }
    });
  for (;;) {
    kd::save(shop, model);
    if (round % 4 == 0) (void)shop.replace(kd::load<Shop>(model));
  }
}

/// The numbers of a process that was killed after some milliseconds.
std::vector<std::int64_t> killed_after(int milliseconds, const std::string& model, const std::string& journal, std::int64_t first,
                                       int round) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    close(ends[0]);
    try {
      serve(model, journal, first, round, ends[1]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    _exit(4);
  }
  close(ends[1]);
  std::vector<std::int64_t> taken;
  std::int64_t n = 0;
  // The clock starts with the first event: until then the process loads.
  bool alarmed = false;
  std::thread killer;
  while (read(ends[0], &n, sizeof(n)) == sizeof(n)) {
    taken.push_back(n);
    if (alarmed) continue;
    alarmed = true;
    killer = std::thread([=] {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      kill(child, SIGKILL);
    });
  }
  if (killer.joinable()) killer.join();
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) throw std::runtime_error("the process ended by itself");
  return taken;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".", model = folder + "/shop.kindred", journal = folder + "/shop.journal";
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 200;
  std::remove(model.c_str());
  std::remove(journal.c_str());
  {
    const kd::Dataset data = kindred_test::dataset_of(kindred_test::random_matrix(40, 30, 0.2, 3));
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(data.matrix, {.execution = {.threads = 1}});
    kd::save(Shop(als, data), model);
  }
  std::set<std::int64_t> acknowledged;
  std::int64_t next = 0;
  std::uint64_t torn = 0, replayed = 0, held = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<std::int64_t> taken = killed_after(1 + round * 7 % 40, model, journal, next, round);
    acknowledged.insert(taken.begin(), taken.end());
    Shop shop = kd::load<Shop>(model);
    const kd::KeyedEvents::Replayed found = shop.start_journal({.path = journal});
    torn += found.torn_bytes > 0 ? 1U : 0U;
    replayed += found.events;
    held += found.held;
    std::multiset<std::int64_t> observed;
    for (const kd::detail::KeptEvent& event : shop.snapshot().events->state().observed) observed.insert(event.time);
    for (const std::int64_t n : acknowledged)
      if (observed.count(n) != 1)
        throw std::runtime_error("event " + std::to_string(n) + " is there " + std::to_string(observed.count(n)) + " times");
    // Beside those, two threads had an event each that was taken and not yet acknowledged.
    std::int64_t others = 0;
    for (const std::int64_t n : observed) {
      if (observed.count(n) != 1) throw std::runtime_error("event " + std::to_string(n) + " is there twice");
      if (acknowledged.insert(n).second) ++others;
    }
    if (others > 2) throw std::runtime_error(std::to_string(others) + " events that were not taken");
    if (found.refused > 0) throw std::runtime_error("an event was refused");
    if (!observed.empty()) next = *observed.rbegin() + 10;
  }
  std::printf(
      "%d processes killed: %zu events, none lost, none twice; %llu replayed, %llu of the journal held by the model file, %llu torn\n",
      rounds, acknowledged.size(), static_cast<unsigned long long>(replayed), static_cast<unsigned long long>(held),
      static_cast<unsigned long long>(torn));
} catch (const std::exception& error) {
  std::fprintf(stderr, "kill_journal: %s\n", error.what());
  return 1;
}
