// SPDX-License-Identifier: MIT
// Macros of the kernels_*.inl: included by kernels.hpp and score_kernels.hpp, which undefine them at their end.

#define KINDRED_UNROLL _Pragma("GCC unroll 16")
#define KINDRED_INLINE inline __attribute__((always_inline))

// KINDRED_SHUFFLE: a vector as long as `a` and `b`, of the lanes at constant places of the two, one after the other.
// KINDRED_JOIN_FOURS: two vectors of four lanes as one of eight.
// GCC has __builtin_shufflevector from version 12 on. Before, its own builtin takes a vector of integers, whose type is that of a comparison.
#if defined(__clang__) || __GNUC__ >= 12
#define KINDRED_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define KINDRED_JOIN_FOURS(Vector, a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7)
#else
#define KINDRED_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype((a) < (b)){__VA_ARGS__})
#define KINDRED_JOIN_FOURS(Vector, a, b) \
  Vector { (a)[0], (a)[1], (a)[2], (a)[3], (b)[0], (b)[1], (b)[2], (b)[3] }
#endif
