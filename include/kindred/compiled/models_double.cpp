// SPDX-License-Identifier: MIT
// ImplicitALS<double> for files compiled with KINDRED_COMPILED; models.cpp has the other one.
#include <kindred/models/als/memory_estimate.ipp>
#include <kindred/models/blended_recommender.ipp>
#include <kindred/models/implicit_als.ipp>
#include <kindred/models/keyed_recommender.ipp>
#include <kindred/tuning/random_search.ipp>
#include <kindred/tuning/tune.ipp>
#include <kindred/tuning/tune_blend.ipp>

template class kindred::FactorModel<double>;
template class kindred::detail::FitFeatures<double>;
template class kindred::ImplicitALS<double>;
template class kindred::BlendedRecommender<double>;
template class kindred::KeyedRecommender<double>;
template class kindred::KeyedRecommender<double, kindred::BlendedRecommender<double>>;

namespace kindred {

template MemoryEstimate estimate_memory<double>(Index, Index, Offset, const AlsOptions&, const Execution&);
template SearchResult random_search<double>(const CsrView&, const CsrView&, const SearchSpace&, const RandomSearchOptions&);
template SearchResult random_search<double>(const CsrView&, const detail::SearchObjective<double>&, const SearchSpace&,
                                            const RandomSearchOptions&);
template TuneResult tune<double>(const CsrView&, const TuneOptions&);
template TuneResult tune<double>(std::span<const RollingSplit>, const TuneOptions&);
template BlendTuneResult tune_blend<double>(const CsrView&, const BlendTuneOptions&);

}  // namespace kindred
