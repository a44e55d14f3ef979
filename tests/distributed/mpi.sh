#!/usr/bin/env bash
# The promises of distributed/ with MPI: mpi.sh MPIEXEC PROGRAM [KILLS [STUDY]]. As root and with more ranks than processors, which Open MPI wants to be told.
set -euo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
# Without these Open MPI spins while it waits, which oversubscribed processors are bad at.
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_plm=isolated
mpiexec=$1 program=$2 kills=${3:-4} study=${4:-}
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
run() { # RANKS ARGUMENTS...
  local ranks=$1
  shift
  timeout 120 "$mpiexec" -n "$ranks" "$program" "$@"
}
fail() {
  echo "$*" >&2
  exit 1
}

for ranks in 1 2 3 4; do
  run "$ranks" same "$folder/plays.csr" || fail "$ranks ranks: not the same"
done

# The same on public data, where KINDRED_DATA_DIR has it.
hetrec=${KINDRED_DATA_DIR:-}/hetrec2011-lastfm-2k/user_artists.dat
if [ -e "$hetrec" ]; then
  for ranks in 1 2 3 4; do
    run "$ranks" speed 1 "$hetrec" >"$folder/out" || fail "$ranks ranks: HetRec failed"
    checksum=$(grep -oE '[0-9a-f]{16}' "$folder/out")
    [ "${first:=$checksum}" = "$checksum" ] || fail "$ranks ranks on HetRec: $checksum instead of $first"
  done
  echo "1 to 4 ranks on HetRec: the same bytes, $first"
fi

# The example study: what it prints and writes is the same but for seconds.
if [ -n "$study" ]; then
  arguments=(--synthetic-users 200 --synthetic-items 300 --synthetic-items-per-user 20 --search-trials 3 --threads 1)
  without_seconds() { grep -v '"command"\|seconds' "$1/results.json"; }
  "$study" "${arguments[@]}" --out "$folder/alone" >"$folder/printed"
  for ranks in 2 3; do
    timeout 300 "$mpiexec" -n "$ranks" "$study" "${arguments[@]}" --checkpoint "$folder/kept$ranks" --out "$folder/ranks$ranks" >"$folder/out" ||
      fail "the study with $ranks ranks failed"
    for file in "$folder"/alone/*.tsv; do
      case $file in */models.tsv | */search.tsv | */quality_against_seconds.tsv) continue ;; esac # have seconds
      cmp "$file" "$folder/ranks$ranks/${file##*/}" || fail "the study with $ranks ranks: other results"
    done
    [ "$(without_seconds "$folder/alone")" = "$(without_seconds "$folder/ranks$ranks")" ] || fail "the study with $ranks ranks: other results.json"
    [ "$(wc -l <"$folder/printed")" = "$(wc -l <"$folder/out")" ] || fail "the study with $ranks ranks printed other lines"
  done
  if timeout 60 "$mpiexec" -n 2 "$study" --data "$folder/nowhere" >"$folder/out" 2>&1; then fail "a study without its file did not fail"; fi
  grep -q nowhere "$folder/out" || fail "a study without its file did not say so"
  echo "the study with 2 and 3 ranks: the same results"
fi

# An error of one rank ends the job, soon and with its words.
if run 3 fail - 1 >"$folder/out" 2>&1; then fail "an error of rank 1 did not end the job"; fi
grep -q 'rank 1: no such confidence' "$folder/out" || fail "the error of rank 1 was not named: $(cat "$folder/out")"

# Killed in the middle of an iteration and started again on another number of ranks, until it gets to its end.
undisturbed=$(run 1 go_on "$folder/undisturbed")
gone_on=0
for ((round = 0; round < kills; ++round)); do
  ranks=$((2 + round % 3))
  start=$(date +%s)
  if run "$ranks" go_on "$folder/killed" $((round % ranks)) $((30000 + 41000 * round % 170000)) >"$folder/out" 2>&1; then
    fail "round $round: nobody was killed"
  fi
  [ $(($(date +%s) - start)) -lt 60 ] || fail "round $round: the job took too long to end"
  if [ -e "$folder/killed" ]; then gone_on=$((gone_on + 1)); fi
  again=$(run $((2 + (round + 1) % 3)) go_on "$folder/killed")
  [ "$again" = "$undisturbed" ] || fail "round $round: $again instead of $undisturbed"
  rm -f "$folder/killed"
done
[ "$gone_on" -gt 0 ] || fail "no job left a checkpoint"
echo "$kills jobs killed, $gone_on of them after their first checkpoint, and finished in the same bytes: $undisturbed"
