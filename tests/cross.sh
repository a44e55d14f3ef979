#!/usr/bin/env bash
# Tests for another processor, compiled here and run under emulation: tests/cross.sh aarch64|i686 [FOLDER_OF_TESTS...]
# Without folders: the kernels. On Debian and Ubuntu it first installs what is missing. For i686 give `consumer` to fit a model and print a list: the
# tests of the folders are for 64-bit processors.
set -euo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../cmake/packages.sh
source "$repository/cmake/packages.sh"

processor=${1:-}
case "$processor" in
  aarch64) emulator=qemu-aarch64 ;;
  i686) emulator=qemu-i386 ;;
  *) fail "usage: tests/cross.sh aarch64|i686 [FOLDER_OF_TESTS...]" ;;
esac
shift
[ $# -gt 0 ] || set -- simd
require_packages qemu-user "g++-$processor-linux-gnu" doctest-dev

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir "$work/include" && ln -s /usr/include/doctest "$work/include/doctest"
cd -- "$repository"
for folder in "$@"; do
  if [ "$folder" = consumer ]; then sources=(tests/consumer/main.cpp); else sources=("tests/$folder"/*_test.cpp tests/main.cpp); fi
  echo "$processor: $folder"
  "$processor-linux-gnu-g++" -std=c++20 -O1 -Wall -Wextra -Wno-psabi -static -pthread -I include -I tests -isystem "$work/include" "${sources[@]}" -o "$work/$folder"
  "$emulator" "$work/$folder"
done
