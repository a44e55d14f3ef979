#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [TARGET...]: each fuzz target (all of them, or those named) for that long, one after the other, on what preset fuzz has built. Inputs that
# reach new code are kept in build/fuzz/corpus. Goes on after a finding, and fails in the end; the input that shows it lies in build/fuzz/findings.
set -uo pipefail

folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=$folder/../../build/fuzz
seconds=${1:?SECONDS [TARGET...]}
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for program in "$build"/tests/fuzz/fuzz_*; do
    if [ -x "$program" ] && [ -f "$program" ]; then targets+=("${program##*/fuzz_}"); fi
  done
fi

# Stacks of allocations are half the time otherwise.
export ASAN_OPTIONS=malloc_context_size=3:${ASAN_OPTIONS:-}
result=0
for target in "${targets[@]}"; do
  kept=$build/corpus/$target
  findings=$build/findings/$target
  mkdir -p "$kept" "$findings"
  dictionary=()
  if [ -f "$folder/dictionaries/$target" ]; then dictionary=("-dict=$folder/dictionaries/$target"); fi
  printf '===== %s\n' "$target"
  # Slow inputs are findings too.
  if ! "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -artifact_prefix="$findings/" \
    "${dictionary[@]}" "$kept" "$folder/corpus/$target" >"$build/$target.log" 2>&1; then
    printf 'a finding in %s:\n' "$findings"
    tail -n 60 "$build/$target.log"
    result=1
  fi
  grep -E 'number_of_executed_units|peak_rss_mb' "$build/$target.log"
done
exit "$result"
