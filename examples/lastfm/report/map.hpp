// SPDX-License-Identifier: MIT
// The map of artists.
#pragma once

#include <nlohmann/json.hpp>

#include "html.hpp"

namespace study {

/// `map`: artists {name, x, y, group, listeners}, the most popular first, and variance_share.
void artist_map(Page& page, const nlohmann::ordered_json& map, const Table& table);

}  // namespace study
