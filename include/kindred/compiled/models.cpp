// SPDX-License-Identifier: MIT
// ImplicitALS<float> for files compiled with KINDRED_COMPILED; models_double.cpp has the other one.
#include <kindred/models/als/memory_estimate.ipp>
#include <kindred/models/als/side_system.ipp>
#include <kindred/models/blended_recommender.ipp>
#include <kindred/models/implicit_als.ipp>
#include <kindred/models/item_neighbours.ipp>
#include <kindred/models/keyed_recommender.ipp>
#include <kindred/tuning/random_search.ipp>
#include <kindred/tuning/search_space.ipp>
#include <kindred/tuning/tune.ipp>
#include <kindred/tuning/tune_blend.ipp>

template class kindred::FactorModel<float>;
template class kindred::detail::FitFeatures<float>;
template class kindred::ImplicitALS<float>;
template class kindred::BlendedRecommender<float>;
template class kindred::KeyedRecommender<float>;
template class kindred::KeyedRecommender<float, kindred::BlendedRecommender<float>>;

namespace kindred {

template MemoryEstimate estimate_memory<float>(Index, Index, Offset, const AlsOptions&, const Execution&);
template SearchResult random_search<float>(const CsrView&, const CsrView&, const SearchSpace&, const RandomSearchOptions&);
template SearchResult random_search<float>(const CsrView&, const detail::SearchObjective<float>&, const SearchSpace&,
                                           const RandomSearchOptions&);
template TuneResult tune<float>(const CsrView&, const TuneOptions&);
template TuneResult tune<float>(std::span<const RollingSplit>, const TuneOptions&);
template BlendTuneResult tune_blend<float>(const CsrView&, const BlendTuneOptions&);

}  // namespace kindred
