// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/delimited.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <string>

#include <kindred/core/config.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/read_options.hpp>
#include <kindred/io/read_records.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE Dataset read_delimited(const Path& path, const DelimitedFormat& format, const ReadOptions& options) {
  return detail::read_records(path, format, options);
}

}  // namespace kindred::inline v0
