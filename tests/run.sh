#!/usr/bin/env bash
# Builds the tests in build/tests and runs them. On Debian and Ubuntu it first installs what is missing. Those that take longer (packages, compilers'
# corners, the report in a browser, means over ten splits) run with: tests/run.sh -L "slow|quality"
# KINDRED_DATA_DIR in the environment: a folder of public data; the tests on real data run too. Arguments go to ctest: tests/run.sh -R io
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../cmake/packages.sh
source "$repository/cmake/packages.sh"

data=${KINDRED_DATA_DIR:-}
if [ -n "$data" ]; then
  [ -d "$data" ] || fail "KINDRED_DATA_DIR is $data; it must be a folder."
  data=$(cd -- "$data" && pwd)
fi

require_packages g++ cmake ninja-build libcli11-dev nlohmann-json3-dev doctest-dev python3
(require_packages libeigen3-dev) || echo "Going on without the tests of <kindred/eigen.hpp>." >&2
(require_packages python3-numpy python3-scipy) || echo "Going on without the tests of the Python module." >&2
(require_packages libcpp-httplib-dev pkg-config) || echo "Going on without the HTTP service." >&2
configure_and_build "$repository" "$repository/build/tests" all -D "KINDRED_DATA_DIR=$data" -D KINDRED_C=ON
if [ $# -eq 0 ]; then set -- --label-exclude "slow|quality"; fi
exec ctest --test-dir "$repository/build/tests" --output-on-failure --no-tests=error --parallel 2 "$@"
