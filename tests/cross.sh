#!/usr/bin/env bash
# Tests for another processor, compiled here and run under emulation: tests/cross.sh aarch64|i686 [FOLDER_OF_TESTS...]
# Without folders: the kernels. `all`: every folder, without the cases that take minutes under emulation. `consumer`: fits a model and prints a list.
# On Debian and Ubuntu it first installs what is missing. Ends with what was run.
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../cmake/packages.sh
source "$repository/cmake/packages.sh"

processor=${1:-}
case "$processor" in
  aarch64) emulator=qemu-aarch64 flags=() ;;
  i686) emulator=qemu-i386 flags=(-msse2 -mfpmath=sse) ;;  # the consumer without: numbers of 80 bits, of which no two are equal
  *) fail "usage: tests/cross.sh aarch64|i686 [FOLDER_OF_TESTS...]" ;;
esac
shift
[ $# -gt 0 ] || set -- simd
if [ "$*" = all ]; then set -- consumer core simd data linalg storage io split metrics models evaluation tuning distributed persistence; fi
require_packages qemu-user "g++-$processor-linux-gnu" doctest-dev libeigen3-dev nlohmann-json3-dev

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir "$work/include" && ln -s /usr/include/doctest /usr/include/nlohmann "$work/include"
cd -- "$repository"

compile() { # SOURCE OBJECT
  "$processor-linux-gnu-g++" -std=c++20 -O1 "${flags[@]}" -Wall -Wextra -Wno-psabi -pthread -I include -I tests -isystem "$work/include" -isystem /usr/include/eigen3 \
    -D KINDRED_TEST_PYTHON=\"python3\" -D KINDRED_TEST_SCRIPTS=\""$repository"/tests/persistence\" -c "$1" -o "$2"
}

# Twenty seconds and more each under emulation. (A comma would end a pattern.)
slow=(
  "*tastes: at *"
  "the right answer or an error*"
  "the loss never rises over single steps*"
  "users are minima for 256*"
  "the same bytes for 1* threads*"
  "recommend*predict agree with brute force*"
  "double agrees with a long double textbook solve"
  "float is within 1e-4 for short rows*"
  "conjugate gradients* run to convergence*"
  "killed at any time: the checkpoint*"
  "the same as line by line*"
)
export KINDRED_TOP_K_CASES=${KINDRED_TOP_K_CASES:-30}

summary=()
for folder in "$@"; do
  start=$SECONDS
  objects=("$work/$folder.o")
  if [ "$folder" = consumer ]; then
    (flags=() && compile tests/consumer/main.cpp "${objects[0]}")
  else
    # As one file, in a third of the time, but for one with its own assertion and one with its own operator new. There is no zlib.
    parts=(tests/main.cpp)
    for file in "tests/$folder"/*_test.cpp; do
      case "$file" in
        */gzip_test.cpp) ;;
        */config_test.cpp | */als_memory_test.cpp) parts+=("$file") ;;
        *) echo "#include \"$repository/$file\"" ;;
      esac
    done >"$work/$folder.cpp"
    compile "$work/$folder.cpp" "${objects[0]}"
    if grep -q als_instances.hpp "tests/$folder"/*_test.cpp; then parts+=(tests/support/als_instances.cpp); fi
    for part in "${parts[@]}"; do
      object=$work/$(basename "$part").o
      [ -f "$object" ] || compile "$part" "$object"
      objects+=("$object")
    done
  fi
  "$processor-linux-gnu-g++" -static -pthread "${objects[@]}" -o "$work/$folder"
  built=$SECONDS
  printf '===== %s: %s\n' "$processor" "$folder"
  "$emulator" "$work/$folder" "--test-case-exclude=$(IFS=, && echo "${slow[*]}")" | tee "$work/$folder.log"
  summary+=("$(printf '%-12s built in %3d s, ran %3d s  %s' "$folder" $((built - start)) $((SECONDS - built)) "$(sed -n 's/.*test cases: *\([^|]*[^ |]\) *|\(.*\)/\1 cases:\2/p' "$work/$folder.log" | tr -s ' ')")")
done
printf '%s\n' "${summary[@]}"
