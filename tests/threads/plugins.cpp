// SPDX-License-Identifier: MIT
// plugins A.so B.so: loads, uses and unloads two shared libraries that each hold Kindred, together and in turn. This program itself does not.
#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

using Digest = std::uint64_t (*)(std::uint64_t);

int fail(const char* what) {
  const char* const said = dlerror();
  std::fprintf(stderr, "%s: %s\n", what, said == nullptr ? "" : said);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fail("two libraries, please");
  std::uint64_t first = 0;
  for (int round = 0; round < 3; ++round) {
    for (const int flags : {RTLD_NOW | RTLD_LOCAL, RTLD_NOW | RTLD_GLOBAL}) {
      void* libraries[2];
      Digest digests[2];
      for (int n = 0; n < 2; ++n) {
        if (dlopen(argv[n + 1], RTLD_NOW | RTLD_NOLOAD) != nullptr) return fail("still loaded");
        libraries[n] = dlopen(argv[n + 1], flags);
        if (libraries[n] == nullptr) return fail("cannot load");
        digests[n] = reinterpret_cast<Digest>(dlsym(libraries[n], "kindred_plugin_digest"));
        if (digests[n] == nullptr) return fail("no such function");
      }
      // Both at once, each from two threads.
      std::atomic<int> wrong{0};
      if (first == 0) first = digests[0](1);
      if (first == 0) return fail("a model cannot be fitted");
      std::vector<std::thread> threads;
      for (int n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
          if (digests[n % 2](1) != first) ++wrong;
        });
      for (std::thread& thread : threads) thread.join();
      // The one that was loaded first goes first; the other still works.
      if (dlclose(libraries[0]) != 0) return fail("cannot unload");
      if (digests[1](1) != first || wrong.load() != 0) return fail("another model");
      if (dlclose(libraries[1]) != 0) return fail("cannot unload");
    }
  }
  return 0;
}
