// SPDX-License-Identifier: MIT
// Biases of items in a model's file.
#include <kindred/persistence/als_format.hpp>

#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_CASE("model files keep the biases of items") {
  const kd::CsrMatrix train = kindred_test::random_matrix(90, 50, 0.15, 8);
  kd::AlsOptions options = kindred_test::small_als();
  options.item_bias = 0.5;
  kd::ImplicitALS<float> model(options);
  model.fit(train);
  const kd::test::TemporaryDirectory directory;
  const auto saved = [&] {
    kd::save(model, directory.path("bias.kindred"));
    return kd::load<kd::ImplicitALS<float>>(directory.path("bias.kindred"));
  };
  const kd::ImplicitALS<float> loaded = saved();
  CHECK(kindred_test::same_array(model.item_biases(), loaded.item_biases()));
  CHECK(loaded.recommend(2) == model.recommend(2));
  CHECK(loaded.fold_in(train.row(2)) == model.fold_in(train.row(2)));
  CHECK(*loaded.options().item_bias == 0.5);

  // After items were updated, when the file has the factors in another basis.
  const kd::Index added = model.append_items(transpose(select_rows(transpose(train), std::vector<kd::Index>{4})));
  CHECK(saved().predict(7, added) == doctest::Approx(model.predict(7, added)).epsilon(1e-3));
}
