#!/usr/bin/env bash
# Builds the Last.fm study in build/study and runs it with the arguments given; --help lists them. On Debian and Ubuntu it first installs what is
# missing.
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../cmake/packages.sh
source "$repository/cmake/packages.sh"

require_packages g++ cmake ninja-build libcli11-dev nlohmann-json3-dev
# The figures of the report need gnuplot; without it the report has their tables.
case " $* " in
  *" --out"*) if is_debian; then (require_packages gnuplot-nox) || echo "Going on without figures." >&2; fi ;;
esac
configure_and_build "$repository" "$repository/build/study" lastfm_study -D KINDRED_BUILD_TESTS=OFF
exec "$repository/build/study/examples/lastfm_study" "$@"
