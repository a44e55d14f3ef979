// SPDX-License-Identifier: MIT
#pragma once

// The bodies of storage/part_names.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/part_names.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <unistd.h>
#endif

namespace kindred::inline v0::detail {

[[nodiscard]] KINDRED_ONCE std::string digest_of_name(const std::string& name) {
  Xxh64 hash;
  hash.update(std::as_bytes(std::span(name)));
  return digest_text(hash.digest());
}

KINDRED_ONCE PartNames::PartNames(const std::string& target)
    : folder_(std::filesystem::path(target).parent_path().string()),
      stem_(".kindred-" + digest_of_name(std::filesystem::path(target).filename().string()) + "-") {}

KINDRED_ONCE std::string PartNames::next(std::uint64_t attempt) const {
  std::uint64_t process = 0;
#if KINDRED_POSIX_FILES
  process = static_cast<std::uint64_t>(::getpid());
#endif
  // The address differs between threads. Names need not be secret: a file that exists is never opened.
  const std::array<std::uint64_t, 4> number = {static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()),
                                               reinterpret_cast<std::uintptr_t>(&process), process, attempt};
  Xxh64 hash;
  hash.update(std::as_bytes(std::span(number)));
  return (std::filesystem::path(folder_) / (stem_ + std::to_string(process) + "-" + digest_text(hash.digest()) + std::string(suffix)))
      .string();
}

KINDRED_ONCE bool PartNames::made(std::string_view name) const {
  if (!name.starts_with(stem_) || !name.ends_with(suffix)) return false;
  name = name.substr(stem_.size(), name.size() - stem_.size() - suffix.size());
  const std::size_t dash = name.find('-');
  return dash != 0 && dash != std::string_view::npos && name.find_first_not_of("0123456789") == dash && name.size() == dash + 17 &&
         name.find_first_not_of("0123456789abcdef", dash + 1) == std::string_view::npos;
}

}  // namespace kindred::inline v0::detail
