// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/rerank.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/rerank.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE Rerank popularity_penalty(std::span<const Index> item_users, double strength, std::size_t pool) {
  if (!(strength >= 0.0) || !detail::is_finite(strength)) throw InvalidArgument("strength", strength, "finite and at least 0");
  for (std::size_t i = 0; i < item_users.size(); ++i)
    if (item_users[i] < 0) throw InvalidArgument("item_users[" + std::to_string(i) + "]", item_users[i], "at least 0");
  const auto users = std::make_shared<const std::vector<Index>>(item_users.begin(), item_users.end());
  return {.pool = pool, .items = users->size(), .order = [users, strength](std::span<const Scored> list, std::size_t) {
            std::vector<Scored> next(list.begin(), list.end());
            for (Scored& one : next) one.score -= strength * std::log1p(static_cast<double>((*users)[static_cast<std::size_t>(one.item)]));
            std::sort(next.begin(), next.end(), ranks_before);
            return next;
          }};
}

KINDRED_ONCE Rerank group_quota(std::span<const Index> labels, std::size_t most, std::size_t pool) {
  if (most == 0) throw InvalidArgument("most", most, "at least 1");
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < -1) throw InvalidArgument("labels[" + std::to_string(i) + "]", labels[i], "a group, or -1 for none");
  const auto groups = std::make_shared<const std::vector<Index>>(labels.begin(), labels.end());
  return {.pool = pool, .items = groups->size(), .order = [groups, most](std::span<const Scored> list, std::size_t count) {
            std::vector<Scored> next;
            std::map<Index, std::size_t> taken;
            for (const Scored& one : list) {
              const Index group = (*groups)[static_cast<std::size_t>(one.item)];
              if (group >= 0 && taken[group]++ >= most) continue;
              next.push_back(one);
              if (next.size() == count) break;
            }
            return next;
          }};
}

}  // namespace kindred::inline v0
