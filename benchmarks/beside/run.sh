#!/usr/bin/env bash
# Times Kindred beside what a user of Debian can install: run.sh [DATA_FOLDER [OUT [LINES]]]. On Debian and Ubuntu it first installs what is missing.
# Builds in build/beside; the tables, ratios.txt and performance.svg go to OUT (build/beside/results). DATA_FOLDER (KINDRED_DATA_DIR in the environment) has
# hetrec2011-lastfm-2k/user_artists.dat for the part "quality"; LINES (2,000,000) is the length of the file that is read. Takes about 15 minutes.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd -- "$here/../.." && pwd)
build="$repository/build/beside"
# shellcheck source-path=SCRIPTDIR source=../../cmake/packages.sh
source "$repository/cmake/packages.sh"

data=${1:-${KINDRED_DATA_DIR:-}}
out=${2:-"$build/results"}
lines=${3:-2000000}

# The first Python that has pandas: the one in PATH may be none of Debian's.
python_with_pandas() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import pandas, scipy.sparse' 2>/dev/null; then
      echo "$python"
      return 0
    fi
  done
  return 1
}

part() { # NAME [ARGUMENT...]: one part, on the screen and in a file
  "$build/benchmarks/beside" "$@" | tee "$out/$1.md"
}

require_packages g++ cmake ninja-build libeigen3-dev libbenchmark-dev libopenblas-dev libfaiss-dev python3-pandas python3-scipy gnuplot-nox
python=$(python_with_pandas) || fail "No Python with pandas and scipy was found."
configure_and_build "$repository" "$build" make_plays -D KINDRED_BUILD_TESTS=OFF -D KINDRED_BUILD_EXAMPLES=OFF -D KINDRED_BUILD_BENCHMARKS=ON
cmake --build "$build" --target beside >&2 || fail "The build failed."
mkdir -p "$out"
out=$(cd -- "$out" && pwd)
trap 'rm -f "$out/plays.tsv"' EXIT

part iteration
part lists
part small
if [ -r "$data/hetrec2011-lastfm-2k/user_artists.dat" ]; then part quality "$data"; else : >"$out/quality.md"; fi
"$build/benchmarks/make_plays" "$out/plays.tsv" "$lines" >&2
part reading "$out/plays.tsv" "$python '$here/read_plays.py' '$out/plays.tsv'"

# For the picture: a block a panel, a row a size, a column a rival, on one thread.
cd -- "$out"
awk -F ' *[|] *' -f "$here/ratios.awk" iteration.md lists.md small.md reading.md quality.md >ratios.txt
gnuplot -e "data='ratios.txt'" "$here/beside.gp" >performance.svg
echo "Tables and performance.svg are in $out" >&2
