#!/usr/bin/env bash
# build.sh [OUT]: compiles the engine to WebAssembly and puts it into one page, OUT/index.html (default: build/web). Debian: emscripten, nlohmann-json3-dev.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/../../build/web}
mkdir -p "$out"
export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}  # where Debian keeps what em++ asks of node
# The json header lies beside the machine's own headers, which WebAssembly must not see.
mkdir -p "$out/include"
ln -sfn "${NLOHMANN_INCLUDE:-/usr/include}/nlohmann" "$out/include/nlohmann"
em++ -std=c++20 -O2 -DNDEBUG -msimd128 -fwasm-exceptions -I"$here/../../include" -I"$out/include" "$here/engine.cpp" --post-js "$here/worker.js" \
  -s SINGLE_FILE=1 -s ENVIRONMENT=worker -s ALLOW_MEMORY_GROWTH=1 -s TOTAL_STACK=1MB -s FORCE_FILESYSTEM=1 \
  -s EXPORTED_RUNTIME_METHODS=cwrap,FS -o "$out/engine.js"
python3 - "$here/page.html" "$out/engine.js" "$out/index.html" <<'PYTHON'
import pathlib, sys
page, engine, out = map(pathlib.Path, sys.argv[1:])
code = engine.read_text()
assert "</script" not in code
out.write_text(page.read_text().replace("ENGINE", code, 1))
PYTHON
rm "$out/engine.js"
echo "$out/index.html: $(stat -c %s "$out/index.html") bytes, $(gzip -c "$out/index.html" | wc -c) compressed"
