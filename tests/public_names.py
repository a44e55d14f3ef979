#!/usr/bin/env python3
"""The public names of the library, as clang completes them, against docs/api.md: python3 tests/public_names.py [--list]

Fails if `kindred::` has more than 188 names after <kindred/kindred.hpp>, if docs/api.md lacks one, or lists one that does not exist or is not in the header
it stands under. Names of nested namespaces and of headers outside kindred.hpp are compared with the page too. Exit status 77: there is no clang++.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 188
NAMESPACES = ("metrics", "statistics")
HIDDEN = re.compile(r"detail|v\d+|(gcc|clang)_\w+|test")  # helpers and inline namespaces
UMBRELLA = "kindred/kindred.hpp"


def complete(clang, headers, scope):
    """Names after `scope`; none if a header needs a library that is not here."""
    lines = [f"#include <{header}>" for header in headers] + [f"int main() {{ {scope}"]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "names.cpp"
        source.write_text("\n".join(lines) + "\n")
        result = subprocess.run([clang, "-std=c++20", f"-I{ROOT / 'include'}", "-I/usr/include/eigen3", "-fsyntax-only", "-Xclang",
                                 f"-code-completion-at={source}:{len(lines)}:{len(lines[-1]) + 1}", str(source)], capture_output=True, text=True)
    if "file not found" in result.stderr:
        return None
    names = {re.split(r"[ <]", line.removeprefix("COMPLETION: "))[0] for line in result.stdout.splitlines() if line.startswith("COMPLETION: ")}
    return {name for name in names if name and not HIDDEN.fullmatch(name)}  # a deduction guide has no name


def listed():
    """header -> names, from the page: `- `name`: ...` under a heading with the header."""
    header, names = None, {}
    for line in (ROOT / "docs/api.md").read_text().splitlines():
        if match := re.match(r"### `(kindred/[\w/.]+)`", line):
            header = match[1]
        elif match := re.match(r"- `([\w:]+)`", line):
            names.setdefault(header, []).append(match[1])
    return names


def main():
    clang = next(filter(None, map(shutil.which, ["clang++", *(f"clang++-{version}" for version in range(22, 13, -1))])), None)
    if clang is None:
        print("skipped: there is no clang++ to ask for the names")
        return 77
    public = complete(clang, [UMBRELLA], "kindred::")
    if "CsrMatrix" not in public:
        print(f"{clang} completes nothing useful after kindred::")
        return 1
    problems = []
    if len(public) > LIMIT:
        problems.append(f"{len(public)} names in namespace kindred; at most {LIMIT}")
    exist = public - set(NAMESPACES)
    for namespace in NAMESPACES:
        exist |= {f"{namespace}::{name}" for name in complete(clang, [UMBRELLA], f"kindred::{namespace}::")}
    if "--list" in sys.argv:
        print("\n".join(sorted(exist)))

    pages = listed()
    umbrella = (ROOT / "include" / UMBRELLA).read_text()
    extra = [header for header in pages if f"<{header}>" not in umbrella]
    in_page = [name for names in pages.values() for name in names]
    problems += [f"docs/api.md lists {name} twice" for name in sorted(set(in_page)) if in_page.count(name) > 1]
    problems += [f"docs/api.md lacks {name}" for name in sorted(exist - set(in_page))]
    for header, names in pages.items():
        path = ROOT / "include" / header
        if not path.is_file():
            problems.append(f"docs/api.md: there is no header {header}")
            continue
        there = exist
        if header in extra:
            there = complete(clang, [UMBRELLA, header], "kindred::")
            if there is None:
                print(f"{header}: left out, because a library that it needs is not here")
                continue
        problems += [f"docs/api.md, {header}: there is no {name}" for name in names if name not in there]
        text = path.read_text()
        problems += [f"docs/api.md: {name} is not in {header}" for name in names if not re.search(rf"\b{name.split('::')[-1]}\b", text)]
    for problem in problems:
        print(problem)
    print(f"{len(public)} names in namespace kindred, {len(exist) + len(NAMESPACES) - len(public)} in its namespaces {', '.join(NAMESPACES)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
