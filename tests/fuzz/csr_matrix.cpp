// SPDX-License-Identifier: MIT
// Arrays from anywhere: CsrView and CsrMatrix refuse them by a kindred::Error, or are what they promise; so is what is made of them.
//
// An input is two numbers for the shape and the lengths of the arrays, then the arrays: offsets, columns, values, mostly in one byte each.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <kindred/data/csr_matrix.hpp>

#include "../support/random_matrix.hpp"
#include "input.hpp"

namespace kd = kindred;

namespace kindred_fuzz {

namespace {

/// Mostly small, sometimes anything.
std::int64_t number(Input& input) {
  const std::uint8_t first = input.byte();
  if (first < 240) return first;
  if (first < 248) return static_cast<std::int64_t>(first) - 248;  // -8 to -1
  std::uint64_t word = 0;
  for (int n = 0; n < (first < 252 ? 4 : 8); ++n) word = word << 8 | input.byte();
  return std::bit_cast<std::int64_t>(word);
}

float value(Input& input) {
  const std::uint8_t first = input.byte();
  if (first < 250) return static_cast<float>(first) - 5.0F;
  std::uint32_t word = 0;
  for (int n = 0; n < 4; ++n) word = word << 8 | input.byte();
  return std::bit_cast<float>(word);
}

/// The promises, each as a user would check it. False where the arrays break one.
bool is_valid(kd::MatrixShape shape, const std::vector<kd::Offset>& offsets, const std::vector<kd::Index>& columns,
              const std::vector<float>& values) {
  if (shape.users < 0 || shape.items < 0 || offsets.size() != static_cast<std::uint64_t>(shape.users) + 1) return false;
  if (columns.size() != values.size() || offsets[0] != 0 || offsets.back() != static_cast<kd::Offset>(columns.size())) return false;
  for (std::size_t u = 0; u + 1 < offsets.size(); ++u)
    if (offsets[u] > offsets[u + 1]) return false;
  for (std::size_t u = 0; u + 1 < offsets.size(); ++u)
    for (kd::Offset n = offsets[u]; n < offsets[u + 1]; ++n) {
      const auto at = static_cast<std::size_t>(n);
      if (columns[at] < 0 || columns[at] >= shape.items || !std::isfinite(values[at])) return false;
      if (n > offsets[u] && columns[at - 1] >= columns[at]) return false;
    }
  return true;
}

/// What is made of a valid matrix, by way of its cells.
void check_made(const kd::CsrMatrix& matrix) {
  const kindred_test::Cells cells = kindred_test::cells_of(matrix);
  check(cells.size() == static_cast<std::size_t>(matrix.nnz()), "every cell once");
  if (matrix.cols() > 4096) return;  // what follows takes memory for each
  std::vector<kd::Interaction> triplets;
  for (const auto& [cell, stored] : cells) triplets.push_back({cell.first, cell.second, stored});
  check(kd::CsrMatrix::from_triplets(matrix.shape(), triplets) == kd::without_zeros(matrix), "triplets make it again");
  const kd::CsrMatrix turned = kd::transpose(matrix);
  check(turned.shape() == kd::MatrixShape{matrix.cols(), matrix.rows()}, "transposed shape");
  kindred_test::Cells back;
  for (const auto& [cell, stored] : kindred_test::cells_of(turned)) back[{cell.second, cell.first}] = stored;
  check(back == cells, "transposed cells");
  check(kd::transpose(turned) == matrix, "transposed twice");
  std::vector<kd::Index> some;
  for (kd::Index i = 0; i < matrix.cols(); i += 2) some.push_back(i);
  const kd::CsrMatrix even = kd::select_columns(matrix, some);
  for (const auto& [cell, stored] : kindred_test::cells_of(even))
    check(cells.at({cell.first, 2 * cell.second}) == stored, "selected columns");
  some.clear();
  for (kd::Index u = matrix.rows(); u-- > 0;) some.push_back(u);
  check(kd::select_rows(kd::select_rows(matrix, some), some) == matrix, "rows turned over twice");
}

}  // namespace

void csr_matrix(Bytes bytes) {
  Input input(bytes);
  const kd::MatrixShape shape{static_cast<kd::Index>(number(input)), static_cast<kd::Index>(number(input))};
  const std::uint8_t lengths = input.byte();
  const std::size_t rows = shape.users >= 0 && shape.users < 4096 ? static_cast<std::size_t>(shape.users) : 7;
  std::vector<kd::Offset> offsets((lengths & 1) != 0 ? input.byte() : rows + 1);
  const bool rising = (lengths & 2) != 0;  // the numbers are those of each row then
  kd::Offset before = 0;
  for (std::size_t u = 0; u < offsets.size(); ++u) {
    offsets[u] = u == 0 && rising ? 0 : number(input);
    if (rising) before = offsets[u] = before + (offsets[u] & 15);
  }
  std::vector<kd::Index> columns((lengths & 4) != 0 || offsets.empty() || offsets.back() < 0 || offsets.back() > 4096
                                     ? input.byte()
                                     : static_cast<std::size_t>(offsets.back()));
  for (std::size_t n = 0; n < columns.size(); ++n) columns[n] = static_cast<kd::Index>(number(input));
  std::vector<float> values((lengths & 8) != 0 ? input.byte() : columns.size());
  for (float& one : values) one = value(input);

  const bool valid = is_valid(shape, offsets, columns, values);
  bool accepted = false;
  try {
    const kd::CsrView view(shape, offsets, columns, values);
    accepted = true;
    check(valid, "a view of arrays that break a promise");
    check(view.nnz() == static_cast<kd::Offset>(columns.size()) && view.shape() == shape, "what the view says of itself");
  } catch (const kd::Error&) {
    check(!valid, "a view refuses arrays that are valid");
  }
  try {
    const kd::CsrMatrix matrix(shape, offsets, columns, values);
    check(accepted, "a matrix accepts what a view does not");
    check_made(matrix);
  } catch (const kd::Error&) {
    check(!accepted, "a matrix refuses what a view accepts");
  }

  // The same numbers as triplets: an error, or the sums.
  if (shape.users > 4096 || shape.items > 4096) return;
  std::vector<kd::Interaction> triplets;
  for (std::size_t n = 0; n + 1 < columns.size() && n < values.size(); ++n) triplets.push_back({columns[n + 1], columns[n], values[n]});
  std::map<std::pair<kd::Index, kd::Index>, double> sums;
  bool sound = shape.users >= 0 && shape.items >= 0;
  for (const kd::Interaction& one : triplets) {
    sound = sound && one.user >= 0 && one.user < shape.users && one.item >= 0 && one.item < shape.items && std::isfinite(one.value);
    sums[{one.user, one.item}] += static_cast<double>(one.value);
  }
  kindred_test::Cells cells;
  for (const auto& [cell, sum] : sums) {
    sound = sound && std::abs(sum) <= static_cast<double>((std::numeric_limits<float>::max)());
    if (sound && static_cast<float>(sum) != 0.0F) cells[cell] = static_cast<float>(sum);
  }
  try {
    const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets(shape, triplets);
    check(sound, "triplets that are not sound");
    check(kindred_test::cells_of(matrix) == cells, "sums of triplets");
  } catch (const kd::Error&) {
    check(!sound, "sound triplets are refused");
  }

  // And as columns.
  std::vector<kd::Index> users, items;
  std::vector<float> strengths;
  for (const kd::Interaction& one : triplets) {
    users.push_back(one.user);
    items.push_back(one.item);
    strengths.push_back(one.value);
  }
  try {
    const kd::CsrMatrix matrix = kd::CsrMatrix::from_columns(shape, users, items, strengths);
    check(sound, "columns that are not sound");
    check(kindred_test::cells_of(matrix) == cells, "sums of columns");
  } catch (const kd::Error&) {
    check(!sound, "sound columns are refused");
  }
}

}  // namespace kindred_fuzz
