// SPDX-License-Identifier: MIT
#if KINDRED_TEST_EIGEN
#include <kindred/eigen.hpp>
#endif
#include <kindred/io/write_csr_file.hpp>
#include <kindred/kindred.hpp>
#include <kindred/storage/csr_file.hpp>
