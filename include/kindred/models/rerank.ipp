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
#include <kindred/data/csr_view.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/rerank.hpp>

namespace kindred::inline v0 {

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

namespace detail {

/// Groups of items, and the shares that each user's likes have in them.
struct GroupShares {
  std::vector<Index> labels;
  std::size_t groups = 0;
  std::size_t users = 0;
  std::vector<double> shares;  // users x groups; all 0 for a user without likes in a group

  [[nodiscard]] std::span<const double> of(Index user) const {
    return std::span<const double>(shares).subspan(static_cast<std::size_t>(user) * groups, groups);
  }
};

KINDRED_ONCE GroupShares group_shares(const CsrView& train, std::span<const Index> labels) {
  if (labels.size() != static_cast<std::size_t>(train.cols()))
    throw ShapeError("labels has " + std::to_string(labels.size()) + " entries for " + std::to_string(train.cols()) + " items");
  GroupShares found{{labels.begin(), labels.end()}, 0, static_cast<std::size_t>(train.rows()), {}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < -1) throw InvalidArgument("labels[" + std::to_string(i) + "]", labels[i], "a group, or -1 for none");
    found.groups = (std::max)(found.groups, static_cast<std::size_t>(labels[i] + 1));
  }
  found.shares.assign(found.users * found.groups, 0.0);
  for (Index u = 0; u < train.rows(); ++u) {
    const SparseRow row = train.row(u);
    const std::span<double> shares = std::span<double>(found.shares).subspan(static_cast<std::size_t>(u) * found.groups, found.groups);
    double likes = 0.0;
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index label = labels[static_cast<std::size_t>(row.columns[n])];
      if (!(row.values[n] > 0.0F) || label < 0) continue;
      shares[static_cast<std::size_t>(label)] += 1.0;
      likes += 1.0;
    }
    for (double& share : shares)
      if (likes > 0.0) share /= likes;
  }
  return found;
}

/// KL(wanted || counts / their sum), smoothed as Steck has it.
KINDRED_ONCE double divergence(std::span<const double> wanted, std::span<const double> counts) {
  constexpr double alpha = 0.01;
  double sum = 0.0, found = 0.0;
  for (const double count : counts) sum += count;
  for (std::size_t g = 0; g < wanted.size(); ++g) {
    if (!(wanted[g] > 0.0)) continue;
    const double share = sum > 0.0 ? counts[g] / sum : 0.0;
    found += wanted[g] * std::log(wanted[g] / ((1.0 - alpha) * share + alpha * wanted[g]));
  }
  return found;
}

/// `count` items of `list`, best first, whose groups are near `wanted` by greedy choice, and whose scores sum to at least (1 - loss) of the best ones'.
KINDRED_ONCE std::vector<Scored> calibrated_list(const GroupShares& groups, std::span<const double> wanted, std::span<const Scored> list,
                                                 std::size_t count, double loss) {
  double best = 0.0, taken_sum = 0.0;
  for (std::size_t n = 0; n < count; ++n) best += list[n].score;
  const double least = best - loss * std::abs(best);
  std::vector<char> taken(list.size(), 0);
  std::vector<double> counts(groups.groups, 0.0);
  std::vector<Scored> chosen;
  while (chosen.size() < count) {
    // The best items that are left, without and with the next one: what the list can still reach.
    const std::size_t more = count - chosen.size() - 1;
    double rest = 0.0;
    std::size_t last = list.size(), first = list.size();
    for (std::size_t n = 0, found = 0; n < list.size() && found < more + 1; ++n) {
      if (taken[n]) continue;
      if (found < more) {
        rest += list[n].score;
        last = n;
      } else {
        first = n;  // joins the rest where one of it is taken now
      }
      ++found;
    }
    std::size_t next = list.size();
    double nearest = 0.0;
    for (std::size_t n = 0; n < list.size(); ++n) {
      if (taken[n]) continue;
      const bool within = last < list.size() && n <= last;
      const double reach = within ? taken_sum + rest + list[first].score : taken_sum + rest + list[n].score;
      if (next < list.size() && reach < least) break;  // and so for all below
      const Index label = groups.labels[static_cast<std::size_t>(list[n].item)];
      if (label >= 0) counts[static_cast<std::size_t>(label)] += 1.0;
      const double distance = divergence(wanted, counts);
      if (label >= 0) counts[static_cast<std::size_t>(label)] -= 1.0;
      if (next < list.size() && !(distance < nearest)) continue;
      nearest = distance;
      next = n;
    }
    taken[next] = 1;
    taken_sum += list[next].score;
    const Index label = groups.labels[static_cast<std::size_t>(list[next].item)];
    if (label >= 0) counts[static_cast<std::size_t>(label)] += 1.0;
    chosen.push_back(list[next]);
  }
  std::sort(chosen.begin(), chosen.end(), ranks_before);
  return chosen;
}

}  // namespace detail

KINDRED_ONCE Rerank calibrated(const CsrView& train, std::span<const Index> labels, double loss, std::size_t pool) {
  if (!(loss >= 0.0 && loss <= 1.0)) throw InvalidArgument("loss", loss, "in [0, 1]");
  const auto groups = std::make_shared<const detail::GroupShares>(detail::group_shares(train, labels));
  return {.pool = pool, .items = labels.size(), .order_for = [groups, loss](std::span<const Scored> list, std::size_t count, Index user) {
            count = (std::min)(count, list.size());
            const bool known = static_cast<std::size_t>(user) < groups->users && detail::divergence(groups->of(user), {}) > 0.0;
            if (!known || loss == 0.0) return std::vector<Scored>(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count));
            return detail::calibrated_list(*groups, groups->of(user), list, count, loss);
          }};
}

}  // namespace kindred::inline v0
