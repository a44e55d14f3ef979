#!/usr/bin/env bash
# duckdb.sh PROGRAM FOLDER: fetches libduckdb from npm into FOLDER, once, and runs duckdb_arrow with it. Exit status 77 where npm or the package is not to be had.
set -euo pipefail
program=$1 folder=$2
package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
if [ ! -e "$folder/package/libduckdb.so" ]; then
  command -v npm >/dev/null || { echo "skipped: there is no npm"; exit 77; }
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "$package" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz) || { echo "skipped: npm does not have $package"; exit 77; }
fi
"$program" "$folder/package/libduckdb.so"
