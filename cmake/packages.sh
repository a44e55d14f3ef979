# shellcheck shell=bash
# Sourced by examples/lastfm/run.sh, benchmarks/beside/run.sh, benchmarks/phases.py, tests/run.sh and .ci/run. Says on the standard error what it does.

# Ends the script with a message.
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

is_debian() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && [ -r /etc/os-release ] &&
    grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

# The program that a package is needed for, where it is one: then any version of it will do, also one that is not from a package.
program_of() {
  case "$1" in
    g++ | cmake | ccache | clang | clang-format | chromium | curl | unzip | zip | python3) echo "$1" ;;
    ninja-build) echo ninja ;;
    linux-perf) echo perf ;;
    gnuplot-nox) echo gnuplot ;;
  esac
}

is_there() {
  local program
  program=$(program_of "$1")
  if [ -n "$program" ] && command -v "$program" >/dev/null; then return 0; fi
  # Other systems name and place their libraries differently: there it is CMake that finds out.
  if ! is_debian; then [ -z "$program" ]; return; fi
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# require_packages PACKAGE...: installs those that are missing on Debian and Ubuntu; elsewhere names them and ends.
require_packages() {
  local package missing=()
  for package in "$@"; do is_there "$package" || missing+=("$package"); done
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  if ! is_debian; then
    fail "Missing: ${missing[*]} (names of Debian packages). Install what your system calls them, then run this again. All that is needed: $*."
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "Missing: ${missing[*]}. Run this as root: apt-get update && apt-get install ${missing[*]}"
  fi
  echo "Installing ${missing[*]} ..." >&2
  as_root apt-get update -qq >&2 || fail "apt-get update failed: is there a network?"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install ${missing[*]}."
}

# configure_and_build REPOSITORY BUILD_FOLDER TARGET [CMAKE_OPTION...]: plain -O2, as everybody's own program has it. Several files are compiled as one, which
# takes half the time.
configure_and_build() {
  local repository=$1 build=$2 target=$3
  shift 3
  local options=(-G Ninja -D CMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG" -D CMAKE_UNITY_BUILD=ON "$@")
  if command -v ccache >/dev/null; then options+=(-D CMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  cmake -S "$repository" -B "$build" "${options[@]}" >&2 ||
    fail "CMake could not configure the build. Kindred needs g++ 11 or clang 14 or later, and for its programs CLI11, nlohmann-json and doctest."
  cmake --build "$build" --target "$target" >&2 || fail "The build failed."
}
