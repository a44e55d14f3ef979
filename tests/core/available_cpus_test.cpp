// SPDX-License-Identifier: MIT
#include <kindred/core/available_cpus.hpp>

#include <cstddef>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <kindred/core/parallel.hpp>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_SUITE("core/available_cpus") {
  TEST_CASE("quotas by hand") {
    CHECK(kd::detail::cpus_of_quota("150000 100000\n") == 2);
    CHECK(kd::detail::cpus_of_quota("100000 100000\n") == 1);
    CHECK(kd::detail::cpus_of_quota("1000 100000\n") == 1);
    for (const char* none : {"max 100000\n", "-1 100000", "", "7", "100000 0", "abc def"})
      CHECK(kd::detail::cpus_of_quota(none) == std::nullopt);
  }

  TEST_CASE("the least quota of a group and those above it, in both versions") {
    const kd::test::TemporaryDirectory directory;
    std::filesystem::create_directories(directory.path("a/b"));
    const auto quota = [&](const std::string& groups) { return kd::detail::quota_cpus(groups, directory.path()); };
    CHECK(quota("0::/a/b\n") == std::nullopt);
    (void)directory.file("800000 100000\n", "a/b/cpu.max");
    CHECK(quota("0::/a/b\n") == 8);
    CHECK(quota("1:name=systemd:/x\n0::/a/b\n") == 8);
    CHECK(quota("0::/\n") == std::nullopt);
    (void)directory.file("300000 100000\n", "a/cpu.max");
    CHECK(quota("0::/a/b\n") == 3);
    (void)directory.file("250000 100000\n", "cpu.max");  // as a container sees its own group
    CHECK(quota("0::/\n") == 3);
    CHECK(quota("0::/../elsewhere\n") == 3);
    CHECK(quota("") == 3);
    std::filesystem::create_directories(directory.path("cpu"));
    (void)directory.file("200000\n", "cpu/cpu.cfs_quota_us");
    (void)directory.file("100000\n", "cpu/cpu.cfs_period_us");
    CHECK(quota("4:cpu,cpuacct:/\n") == 2);
  }

#if defined(__linux__)
  TEST_CASE("no more threads than the affinity of the process allows") {
    CHECK(kd::detail::resolve_threads(0) >= 1);
    CHECK(kd::test::run_in_child([] {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(0, &one);
            if (::sched_setaffinity(0, sizeof(one), &one) != 0) return 0;  // processor 0 is not ours
            return kd::detail::resolve_threads(0) == 1 && kd::detail::resolve_threads(5) == 5 ? 0 : 1;
          }) == 0);
  }
#endif
}
