#!/usr/bin/env bash
# Analysers and slow checkers, for what the compilers and the sanitizer presets do not say. Without arguments: tidy cppcheck.
#   tests/analyse.sh [tidy] [cppcheck] [coverage] [valgrind]
# tidy: clang-tidy on a file that includes every header, by .clang-tidy. cppcheck: each header by itself, the exceptions below.
# coverage: builds and runs the tests at -O0 (preset coverage), says which share of include/ ran, and which throw nobody has seen; fails below 95 % of lines.
# valgrind: memcheck on those tests of the preset hardened that take no longer than a few minutes in it, at the base level of instructions.
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$repository"
# shellcheck source-path=SCRIPTDIR source=../cmake/packages.sh
source cmake/packages.sh
eigen=${EIGEN_INCLUDE_DIR:-/usr/include/eigen3}

tidy() {
  require_packages clang clang-tidy libeigen3-dev nlohmann-json3-dev zlib1g-dev
  local source
  source=$(mktemp --suffix=.cpp)
  {
    find include -name '*.hpp' ! -name mpi_communicator.hpp -printf '#include <%P>\n' | LC_ALL=C sort # MPI need not be there
    echo 'template class kindred::ImplicitALS<float>; template class kindred::KeyedRecommender<float>; template class kindred::detail::TopKSearch<double>;'
  } >"$source"
  local result=0
  clang-tidy --quiet --config-file=.clang-tidy "$source" -- -std=c++20 -Iinclude -isystem "$eigen" || result=$?
  # Without the analyzer, which takes a hash of a local key for its address.
  clang-tidy --quiet --config-file=.clang-tidy --checks='-clang-analyzer-*' include/kindred/c/kindred.cpp -- -std=c++20 -Iinclude || result=$?
  rm -f "$source"
  return "$result"
}

cppcheck_headers() {
  require_packages cppcheck
  local suppressions=(
    missingIncludeSystem                                  # standard headers are not looked at
    toomanyconfigs                                        # the instruction sets: every combination of macros is not worth the time
    'missingReturn:*/persistence/flat_object.hpp'         # the function called last never returns
    'danglingTempReference:*/linalg/top_k_search.hpp'     # a reference to what emplace_back has just placed
    'passedByValue:*/models/als/weights.hpp'              # moved from in the list of members
    'constStatement:*/simd/kernels_codes.inl'             # vector arithmetic behind a macro that it takes for nothing
  )
  local headers
  mapfile -t headers < <(find include -name '*.hpp' | LC_ALL=C sort)
  cppcheck --std=c++20 --language=c++ --enable=warning,performance,portability --quiet --error-exitcode=1 --inline-suppr -I include \
    "${suppressions[@]/#/--suppress=}" --template='{file}:{line}: {severity} {id}: {message}' "${headers[@]}"
}

coverage() {
  require_packages gcovr
  cmake --preset coverage -D CMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" >&2
  cmake --build --preset coverage >&2
  find build/coverage -name '*.gcda' -delete
  # no_globals would find the counters of coverage itself.
  ctest --preset coverage --label-exclude 'slow|quality' --exclude-regex '^no_globals$' >&2
  gcovr --root . --filter 'include/kindred/' --exclude-throw-branches --exclude-unreachable-branches --object-directory build/coverage \
    --json build/coverage/report.json --txt build/coverage/report.txt --print-summary --fail-under-line 95
  python3 - <<'PYTHON'
import json, re
for file in json.load(open("build/coverage/report.json"))["files"]:
    source = open(file["file"]).read().splitlines()
    for line in file["lines"]:
        if line["count"] == 0 and re.search(r"\bthrow\b", source[line["line_number"] - 1]):
            print(f"nobody has seen {file['file']}:{line['line_number']}: {source[line['line_number'] - 1].strip()}")
PYTHON
}

valgrind_tests() {
  require_packages valgrind
  cmake --preset hardened -D CMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" >&2
  local tests=(kindred_{core,data,storage,io,split,metrics,persistence,threads}_test) test program
  cmake --build --preset hardened --target "${tests[@]}" >&2
  for test in "${tests[@]}"; do
    program=$(find build/hardened/tests -name "$test" -type f)
    echo "$test"
    KINDRED_SIMD=base valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --trace-children=no "$program" >/dev/null
  done
}

if [ $# -eq 0 ]; then set -- tidy cppcheck; fi
for step in "$@"; do
  case "$step" in
    tidy) tidy ;;
    cppcheck) cppcheck_headers ;;
    coverage) coverage ;;
    valgrind) valgrind_tests ;;
    *) fail "No such step: $step. There are tidy, cppcheck, coverage, valgrind." ;;
  esac
done
