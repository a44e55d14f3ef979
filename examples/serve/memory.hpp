// SPDX-License-Identifier: MIT
// Memory of this process, and how the allocator of glibc gives it back. Elsewhere the setters do nothing.
#pragma once

#include <cstdint>

namespace serve {

/// Resident memory in bytes; 0 where the system does not say.
[[nodiscard]] std::uint64_t resident_bytes();

/// Bytes allocated and not freed; 0 where the allocator does not say.
[[nodiscard]] std::uint64_t allocated_bytes();

/// Has every block of 128 KiB or more, the arrays of a model, given back to the system when it is freed. Call before threads start.
///
/// By default glibc raises this limit to the size of the largest freed block, at most 32 MiB. Arrays of models then come from the heaps of threads, one heap
/// for each thread that has answered /reload, and freed arrays stay there.
void return_large_blocks() noexcept;

/// Gives freed small blocks, keys and names of a model, back to the system. Takes milliseconds.
void return_freed_blocks() noexcept;

}  // namespace serve
