// SPDX-License-Identifier: MIT
#pragma once

// KINDRED_TEST_SANITIZED where a sanitizer has put its own allocator into the program, for tests that count or limit memory.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KINDRED_TEST_SANITIZED 1
#endif
#endif
#else
#define KINDRED_TEST_SANITIZED 1
#endif
