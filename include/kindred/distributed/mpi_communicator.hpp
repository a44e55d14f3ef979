// SPDX-License-Identifier: MIT
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mpi.h>

#include <kindred/core/error.hpp>
#include <kindred/distributed/communicator.hpp>

namespace kindred::inline v0 {

/// The ranks of an MPI communicator, by MPI's C interface. Whoever makes one has called MPI_Init, and calls MPI_Finalize after it is gone.
class MpiCommunicator {
 public:
  /// A duplicate of `of` is used, so that messages do not mix with the program's own. @throws Error if MPI refuses.
  explicit MpiCommunicator(MPI_Comm of = MPI_COMM_WORLD) {
    check(MPI_Comm_dup(of, &communicator_), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
    int rank = 0, size = 0;
    check(MPI_Comm_rank(communicator_, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(communicator_, &size), "MPI_Comm_size");
    rank_ = static_cast<std::size_t>(rank);
    size_ = static_cast<std::size_t>(size);
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;
  ~MpiCommunicator() { MPI_Comm_free(&communicator_); }

  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t bytes_received() const noexcept { return received_; }

  /// @throws InvalidArgument beyond 2^31 - 1 units of 2^31 - 1 bytes; Error if MPI refuses.
  void all_gather_v(std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t unit) {
    std::vector<int> counts(size_), places(size_);
    for (std::size_t r = 0; r < size_; ++r) {
      counts[r] = as_int(starts[r + 1] - starts[r]);
      places[r] = as_int(starts[r]);
    }
    // Counts are ints in MPI: they count units of a type of their own, not bytes.
    MPI_Datatype type = MPI_BYTE;
    check(MPI_Type_contiguous(as_int(unit), MPI_BYTE, &type), "MPI_Type_contiguous");
    check(MPI_Type_commit(&type), "MPI_Type_commit");
    const int result = MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data.data(), counts.data(), places.data(), type, communicator_);
    MPI_Type_free(&type);
    check(result, "MPI_Allgatherv");
    received_ += detail::gathered_bytes(starts, rank_, unit);
  }
  /// Sums over all ranks. @throws as all_gather_v does.
  void all_reduce(std::span<double> numbers) {
    check(MPI_Allreduce(MPI_IN_PLACE, numbers.data(), as_int(numbers.size()), MPI_DOUBLE, MPI_SUM, communicator_), "MPI_Allreduce");
    received_ += (size_ - 1) * numbers.size_bytes();
  }
  /// The bytes of `root` to all. @throws as all_gather_v does.
  void broadcast(std::span<std::byte> data, std::size_t root) {
    check(MPI_Bcast(data.data(), as_int(data.size()), MPI_BYTE, as_int(root), communicator_), "MPI_Bcast");
    if (rank_ != root) received_ += data.size();
  }
  /// Waits for all. @throws as all_gather_v does.
  void barrier() { check(MPI_Barrier(communicator_), "MPI_Barrier"); }

  /// Says why on the standard error and ends all processes.
  [[noreturn]] void abort(std::string_view why) {
    (void)std::fprintf(stderr, "kindred, rank %zu of %zu: %.*s\n", rank_, size_, static_cast<int>(why.size()), why.data());
    (void)std::fflush(stderr);
    MPI_Abort(communicator_, 1);
    throw Error(std::string(why));  // MPI_Abort does not come back, but does not say so
  }

 private:
  [[nodiscard]] static int as_int(std::uint64_t count) {
    if (count > static_cast<std::uint64_t>(INT_MAX)) throw InvalidArgument("count", count, "below 2^31, as MPI counts");
    return static_cast<int>(count);
  }
  static void check(int result, std::string_view call) {
    if (result == MPI_SUCCESS) return;
    std::string text(MPI_MAX_ERROR_STRING, '\0');
    int length = 0;
    MPI_Error_string(result, text.data(), &length);
    text.resize(static_cast<std::size_t>(length));
    throw Error(std::string(call) + ": " + text);
  }

  MPI_Comm communicator_ = MPI_COMM_NULL;
  std::size_t rank_ = 0;
  std::size_t size_ = 1;
  std::uint64_t received_ = 0;
};

static_assert(Communicator<MpiCommunicator>);

}  // namespace kindred::inline v0
