// SPDX-License-Identifier: MIT
// Links object files of different flags into one program, runs them all, and prints a line for each that must not depend on the others.
#include <cstdint>
#include <cstdio>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/data/synthetic.hpp>

#include "worker.hpp"

extern const Worker* const workers[];  // of this program, and a null

int main() {
  const kindred::CsrMatrix train = kindred::synthetic_listening({.users = 120, .items = 150, .items_per_user = 12}).matrix;
  bool good = true;
  for (const Worker* const* place = workers; *place != nullptr; ++place) {
    const Worker* const worker = *place;
    const kindred::FactorMatrix<float> users = worker->fit(train);
    std::uint64_t hash = worker->fingerprint(train);
    for (kindred::Index user = 0; user < users.rows(); ++user)
      for (const float value : users.row(user))
        hash = (hash ^ static_cast<std::uint64_t>(static_cast<double>(value) * 0x1.0p60)) * 1099511628211u;
    std::string error = "nothing";
    try {
      worker->misuse();
    } catch (const kindred::Error& thrown) {  // made there, caught here
      error = thrown.what();
    }
    good = good && error == "factors is 0; it must be in [1, 32768]" && worker->notices_what_is_not_finite();
    std::printf("%s %016llx %s%s\n", worker->name, static_cast<unsigned long long>(hash), error.c_str(),
                worker->notices_what_is_not_finite() ? "" : "; did not notice what is not finite");
  }
  return good ? 0 : 1;
}
