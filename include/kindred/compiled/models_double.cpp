// SPDX-License-Identifier: MIT
// ImplicitALS<double> for files compiled with KINDRED_COMPILED; models.cpp has the other one.
#include <kindred/models/als/memory_estimate.ipp>
#include <kindred/models/implicit_als.ipp>
#include <kindred/models/keyed_recommender.ipp>
#include <kindred/tuning/random_search.ipp>
#include <kindred/tuning/tune.ipp>

template class kindred::FactorModel<double>;
template class kindred::ImplicitALS<double>;
template class kindred::KeyedRecommender<double>;

namespace kindred {

template MemoryEstimate estimate_memory<double>(Index, Index, Offset, const AlsOptions&, const Execution&);
template SearchResult random_search<double>(const CsrView&, const CsrView&, const SearchSpace&, const RandomSearchOptions&);
template SearchResult random_search<double>(const CsrView&, const detail::SearchObjective<double>&, const SearchSpace&,
                                            const RandomSearchOptions&);
template TuneResult tune<double>(const CsrView&, const TuneOptions&);

}  // namespace kindred
