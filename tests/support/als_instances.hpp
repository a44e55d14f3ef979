// SPDX-License-Identifier: MIT
// ImplicitALS, the search of lists and the kernels are compiled once for all tests, in als_instances.cpp: the other files build in a fraction of the time.
#pragma once

#include <kindred/models/implicit_als.hpp>

extern template class kindred::FactorModel<float>;
extern template class kindred::FactorModel<double>;
extern template class kindred::detail::FitFeatures<float>;
extern template class kindred::detail::FitFeatures<double>;
extern template class kindred::ImplicitALS<float>;
extern template class kindred::ImplicitALS<double>;
extern template class kindred::detail::TopKIndex<float>;
extern template class kindred::detail::TopKIndex<double>;
extern template class kindred::detail::TopKSearch<float>;
extern template class kindred::detail::TopKSearch<double>;
extern template const kindred::detail::RowKernels<float>& kindred::detail::row_kernels<float>(kindred::SimdLevel);
extern template const kindred::detail::RowKernels<double>& kindred::detail::row_kernels<double>(kindred::SimdLevel);
extern template const kindred::detail::MatrixKernels<float>& kindred::detail::matrix_kernels<float>(kindred::SimdLevel);
extern template const kindred::detail::MatrixKernels<double>& kindred::detail::matrix_kernels<double>(kindred::SimdLevel);
extern template const kindred::detail::ScoreKernels<float>& kindred::detail::score_kernels<float>(kindred::SimdLevel);
extern template const kindred::detail::ScoreKernels<double>& kindred::detail::score_kernels<double>(kindred::SimdLevel);
