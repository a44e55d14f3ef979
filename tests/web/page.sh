#!/usr/bin/env bash
# page.sh REFERENCE FOLDER: builds the page of examples/web in FOLDER and runs page_test.mjs on it. Exit status 77 where em++, npm or Chromium is missing.
set -euo pipefail
reference=$1 folder=$2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
skip() {
  echo "skipped: $1"
  exit 77
}
for program in em++ node npm chromium python3; do command -v "$program" >/dev/null || skip "there is no $program"; done
cd "$folder"
[ -d node_modules/playwright-core ] || npm install --silent --no-save playwright-core@1.64.1 >/dev/null || skip "npm does not have playwright-core"
bash "$here/../../examples/web/build.sh" "$folder"
"$reference" model.kindred lists.jsonl
CHROMIUM=$(command -v chromium) exec node "$here/page_test.mjs" index.html model.kindred lists.jsonl
