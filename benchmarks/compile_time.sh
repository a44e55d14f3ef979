#!/usr/bin/env bash
# What it costs to compile Kindred, in seconds of processor time and as a multiple of <Eigen/Dense> alone: medians of three, taken in turns.
#   benchmarks/compile_time.sh [g++ -std=c++20 -O2]
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
compile=("${@:-g++}")
if [ $# -eq 0 ]; then compile+=(-std=c++20 -O2); fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names=(eigen everything everything_compiled model model_compiled model_O0 model_syntax kernels synthetic headers)
echo '#include <Eigen/Dense>' >"$work/eigen.cpp"
cp "$repository/tests/consumer/main.cpp" "$work/everything.cpp"
cat >"$work/model.cpp" <<'CPP'
#include <kindred/models/implicit_als.hpp>
int main() {
  kindred::ImplicitALS<float> als;
  als.fit(kindred::CsrMatrix({2, 3}, {0, 1, 2}, {0, 1}, {1.0F, 2.0F}));
  return als.recommend(1).front().item;
}
CPP
cp "$work/everything.cpp" "$work/everything_compiled.cpp"  # as with the target kindred::compiled
for name in model_compiled model_O0 model_syntax; do cp "$work/model.cpp" "$work/$name.cpp"; done
cat >"$work/kernels.cpp" <<'CPP'
#include <kindred/simd/kernels.hpp>
using kindred::SimdLevel;
const void* rows(SimdLevel level) { return &kindred::detail::row_kernels<float>(level); }
const void* singles(SimdLevel level) { return &kindred::detail::matrix_kernels<float>(level); }
const void* doubles(SimdLevel level) { return &kindred::detail::matrix_kernels<double>(level); }
const void* vectors(SimdLevel level) { return &kindred::detail::vector_kernels(level); }
CPP
printf '#include <kindred/data/synthetic.hpp>\nauto made() { return kindred::synthetic_listening(); }\n' >"$work/synthetic.cpp"
printf '#include <kindred/models/implicit_als.hpp>\n' >"$work/headers.cpp"

TIMEFORMAT=%U
for _ in 1 2 3; do
  for name in "${names[@]}"; do
    extra=()
    case $name in *_compiled) extra=(-D KINDRED_COMPILED) ;; *_O0) extra=(-O0) ;; *_syntax) extra=(-fsyntax-only) ;; esac
    { time "${compile[@]}" "${extra[@]}" -I "$repository/include" -isystem "${EIGEN_INCLUDE_DIR:-/usr/include/eigen3}" -c "$work/$name.cpp" -o "$work/object"; } \
      2>>"$work/$name.times"
  done
done
median() { sort -n "$work/$1.times" | sed -n 2p; }
for name in "${names[@]}"; do
  awk -v name="$name" -v seconds="$(median "$name")" -v eigen="$(median eigen)" \
    'BEGIN { printf "%-20s %6.2f s %6.1f times\n", name, seconds, seconds / eigen }'
done
