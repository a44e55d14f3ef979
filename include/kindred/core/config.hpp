// SPDX-License-Identifier: MIT
#pragma once

// What a user may define before including Kindred:
//   KINDRED_ASSERT(condition)   checks of Kindred's own invariants, never of input; by default `assert`.
//   KINDRED_COMPILED            ImplicitALS<float>, the readers, evaluate and model files are compiled once, by compiled.cpp; the CMake target
//                               kindred::compiled adds the definition and the file.
//
// Namespaces. Everything public is `kindred::name`. Types of fixed layout (errors, options, matrices) live in `kindred::v0`, so that object files
// of different flags agree on them and `catch (const kindred::Error&)` works across them. Kernels, linear algebra and the model (simd/, linalg/ and
// the fits and lists of models/) live one inline namespace deeper, named after those flags: two object files built differently share none of that code
// by name. They share the functions of the other folders; docs/architecture.md says what follows.

#include <kindred/version.hpp>

// docs/platforms.md has what was run with which.
#if defined(__clang__)
#if __clang_major__ < 14
#error "Kindred needs clang 14 or later, or g++ 11 or later"
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 11
#error "Kindred needs g++ 11 or later, or clang 14 or later"
#endif
#else
#error "Kindred needs g++ 11 or later, or clang 14 or later: it is written in their vector extensions, which MSVC does not have"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Kindred needs a little-endian processor: its files are read in place, and its readers look at eight bytes at a time"
#endif
#if __cplusplus < 202002L
#error "Kindred needs C++20: compile with -std=c++20 or later"
#endif

#if defined(KINDRED_ASSERT)
#define KINDRED_TAG_ASSERT custom
#else
#include <cassert>
#define KINDRED_ASSERT(condition) assert(condition)
#if defined(NDEBUG)
#define KINDRED_TAG_ASSERT ndebug
#else
#define KINDRED_TAG_ASSERT assert
#endif
#endif

#if !defined(__cpp_exceptions)
#error "Kindred reports every error by an exception: compile it with exceptions enabled"
#endif

#if defined(__clang__)
#define KINDRED_TAG_COMPILER clang
#else
#define KINDRED_TAG_COMPILER gcc
#endif

#if defined(__AVX512F__)
#define KINDRED_TAG_ISA avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define KINDRED_TAG_ISA avx2fma
#elif defined(__AVX2__)
#define KINDRED_TAG_ISA avx2
#elif defined(__AVX__)
#define KINDRED_TAG_ISA avx
#else
#define KINDRED_TAG_ISA base
#endif

#if defined(__OPTIMIZE__)
#define KINDRED_TAG_OPTIMIZE o
#else
#define KINDRED_TAG_OPTIMIZE d
#endif

#if defined(__FAST_MATH__)
#define KINDRED_TAG_MATH fast
#else
#define KINDRED_TAG_MATH ieee
#endif

#define KINDRED_JOIN_TAGS(a, b, c, d, e) a##_##b##_##c##_##d##_##e
#define KINDRED_JOIN(a, b, c, d, e) KINDRED_JOIN_TAGS(a, b, c, d, e)

/// The inline namespace of kernels, linear algebra and the model: named after the flags that their machine code depends on.
#define KINDRED_BUILD KINDRED_JOIN(KINDRED_TAG_COMPILER, KINDRED_TAG_ISA, KINDRED_TAG_OPTIMIZE, KINDRED_TAG_MATH, KINDRED_TAG_ASSERT)

/// Begins a function that is declared in a header.hpp and defined in a header.ipp. Header-only, the one includes the other; with KINDRED_COMPILED the
/// compiled files alone include header.ipp, and what its bodies need.
#if defined(KINDRED_COMPILED)
#define KINDRED_ONCE
#else
#define KINDRED_ONCE inline
#endif
