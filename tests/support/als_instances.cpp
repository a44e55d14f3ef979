// SPDX-License-Identifier: MIT
#include "als_instances.hpp"

template class kindred::FactorModel<float>;
template class kindred::FactorModel<double>;
template class kindred::detail::FitFeatures<float>;
template class kindred::detail::FitFeatures<double>;
template class kindred::ImplicitALS<float>;
template class kindred::ImplicitALS<double>;
template class kindred::detail::TopKIndex<float>;
template class kindred::detail::TopKIndex<double>;
template class kindred::detail::TopKSearch<float>;
template class kindred::detail::TopKSearch<double>;
template const kindred::detail::RowKernels<float>& kindred::detail::row_kernels<float>(kindred::SimdLevel);
template const kindred::detail::RowKernels<double>& kindred::detail::row_kernels<double>(kindred::SimdLevel);
template const kindred::detail::MatrixKernels<float>& kindred::detail::matrix_kernels<float>(kindred::SimdLevel);
template const kindred::detail::MatrixKernels<double>& kindred::detail::matrix_kernels<double>(kindred::SimdLevel);
template const kindred::detail::ScoreKernels<float>& kindred::detail::score_kernels<float>(kindred::SimdLevel);
template const kindred::detail::ScoreKernels<double>& kindred::detail::score_kernels<double>(kindred::SimdLevel);
