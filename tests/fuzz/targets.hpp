// SPDX-License-Identifier: MIT
// Fuzz targets: each is a function of the bytes of one input. It returns, or ends the process with a message; exceptions that are no kindred::Error leave it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kindred_fuzz {

using Bytes = std::span<const std::uint8_t>;

// readers.cpp: files of the public data sets.
void read_lastfm_360k(Bytes input);
void read_profiles(Bytes input);
void read_hetrec(Bytes input);
void read_lastfm_1k(Bytes input);
void read_dense_counts(Bytes input);
void read_audioscrobbler(Bytes input);
void read_movielens(Bytes input);

void delimited(Bytes input);
void model_file(Bytes input);
void csr_matrix(Bytes input);
void csr_file(Bytes input);
void command_line(Bytes input);
void differential(Bytes input);

}  // namespace kindred_fuzz
