// SPDX-License-Identifier: MIT
#include <kindred/core/memory.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_SUITE("available_memory") {
  TEST_CASE("numbers in the system's files") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("MemTotal: 100 kB\nMemAvailable: 18446744073709551615 kB\nBroken: x\n");
    CHECK(kd::detail::number_in(path, "MemTotal:") == 100u);
    CHECK(kd::detail::number_in(path, "MemAvailable:") == UINT64_MAX);
    CHECK(!kd::detail::number_in(path, "Broken:"));
    CHECK(!kd::detail::number_in(path, "Missing:"));
    CHECK(!kd::detail::number_in(directory.file("max\n")));
    CHECK(kd::detail::number_in(directory.file("4096\n")) == 4096u);
    CHECK(!kd::detail::number_in(directory.path("none")));
  }

  TEST_CASE("the machine has some") {
    if (std::filesystem::exists("/proc/meminfo")) {
      REQUIRE(kd::available_memory());
      CHECK(*kd::available_memory() > (1u << 20));
    }
  }
}
