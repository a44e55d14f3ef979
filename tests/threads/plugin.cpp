// SPDX-License-Identifier: MIT
// A shared library that uses Kindred and shows one function.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

#include <kindred/data/csr_matrix.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"

/// A digest of a model and its lists, or 0 if anything was thrown.
extern "C" __attribute__((visibility("default"))) std::uint64_t kindred_plugin_digest(std::uint64_t seed) {
  try {
    const kindred::CsrMatrix train = kindred_test::random_matrix(60, 40, 0.25, seed);
    kindred::AlsOptions options = kindred_test::small_als();
    kindred::ImplicitALS<float> model(options);
    model.fit(train, {.execution = {.threads = 2}});
    std::uint64_t digest = 14695981039346656037u;
    for (kindred::Index u = 0; u < train.rows(); ++u)
      for (const kindred::Scored& one : model.recommend(u, {.count = 5}))
        digest = (digest ^ static_cast<std::uint64_t>(one.item) ^ static_cast<std::uint64_t>(one.score * 1e15)) * 1099511628211u;
    try {  // an exception within the library
      (void)model.recommend(-1);
      return 0;
    } catch (const kindred::InvalidArgument&) {
    }
    return digest;
  } catch (const std::exception&) {
    return 0;
  }
}
