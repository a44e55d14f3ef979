// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/available_cpus.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include <kindred/core/available_cpus.hpp>
#include <kindred/core/small_file.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::optional<std::size_t> cpus_of_quota(const std::string& text) {
  char* end = nullptr;
  const long long quota = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || quota <= 0) return std::nullopt;
  const long long period = std::strtoll(end, nullptr, 10);
  if (period <= 0) return std::nullopt;
  return static_cast<std::size_t>((std::max)(1LL, (quota + period - 1) / period));
}

KINDRED_ONCE std::optional<std::size_t> quota_cpus(const std::string& groups, const std::string& root) {
  std::optional<std::size_t> least;
  const auto look_at = [&](const std::string& text) {
    const std::optional<std::size_t> cpus = cpus_of_quota(text);
    if (cpus && (!least || *cpus < *least)) least = cpus;
  };
  std::string path;
  if (const std::size_t at = groups.find("0::/"); at != std::string::npos) path = groups.substr(at + 3, groups.find('\n', at) - at - 3);
  for (;; path.resize(path.rfind('/'))) {  // a quota of a group holds for all groups below it
    look_at(small_file(root + path + "/cpu.max"));
    if (path.find('/') == std::string::npos) break;
  }
  const std::string first_version = root + "/cpu/cpu.cfs_";
  look_at(small_file(first_version + "quota_us") + " " + small_file(first_version + "period_us"));
  return least;
}

KINDRED_ONCE std::size_t available_cpus() noexcept {
  auto cpus = (std::max)(std::size_t{1}, static_cast<std::size_t>(std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) > 0)
    cpus = (std::min)(cpus, static_cast<std::size_t>(CPU_COUNT(&allowed)));
  if (cpus > 1) {
    try {
      cpus = (std::min)(cpus, quota_cpus(small_file("/proc/self/cgroup"), "/sys/fs/cgroup").value_or(cpus));
    } catch (const std::exception&) {  // no memory for a text: the quota counts as not set
    }
  }
#endif
  return cpus;
}

}  // namespace kindred::inline v0::detail
