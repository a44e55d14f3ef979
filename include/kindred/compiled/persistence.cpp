// SPDX-License-Identifier: MIT
// Model files for files compiled with KINDRED_COMPILED, where nlohmann/json is.
#if __has_include(<nlohmann/json.hpp>)
#include <iosfwd>
#include <string>

#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/persistence/model_file.ipp>

namespace kindred {

#define KINDRED_MODEL_FILE(Model)                               \
  template void save(const Model& model, const Path& path);     \
  template void save(const Model& model, std::ostream& stream); \
  template Model load(const Path& path, const LoadOptions&);    \
  template Model load(std::istream& stream, const LoadOptions&);

KINDRED_MODEL_FILE(ImplicitALS<float>)
KINDRED_MODEL_FILE(ImplicitALS<double>)
KINDRED_MODEL_FILE(KeyedRecommender<float>)
KINDRED_MODEL_FILE(KeyedRecommender<double>)
KINDRED_MODEL_FILE(PopularityRecommender)
KINDRED_MODEL_FILE(ItemNeighbours)
KINDRED_MODEL_FILE(BlendedRecommender<float>)
KINDRED_MODEL_FILE(BlendedRecommender<double>)
#undef KINDRED_MODEL_FILE

template Mapped<ImplicitALS<float>> load_mapped(const Path& path, const LoadOptions&);
template Mapped<ImplicitALS<double>> load_mapped(const Path& path, const LoadOptions&);
template class Mapped<ImplicitALS<float>>;
template class Mapped<ImplicitALS<double>>;
template Mapped<ItemNeighbours> load_mapped(const Path& path, const LoadOptions&);
template Mapped<BlendedRecommender<float>> load_mapped(const Path& path, const LoadOptions&);
template class Mapped<ItemNeighbours>;
template class Mapped<BlendedRecommender<float>>;

}  // namespace kindred
#endif
