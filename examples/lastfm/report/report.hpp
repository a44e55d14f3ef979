// SPDX-License-Identifier: MIT
// report.html: the whole study on one page that needs nothing else, made from results.json and its tables alone.
#pragma once

#include "../study.hpp"

namespace study {

/// Writes OUT/report.html, and OUT/listener.html if there is a new listener. @throws kindred::IoError
void write_report(Study& s);

}  // namespace study
