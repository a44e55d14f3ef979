#!/usr/bin/env python3
"""Mutants of the headers that results rest on, each against its mirrored test alone.

    tests/mutation.py [--seed 1] [--per-header 10] [--minutes 60] [--cxx g++] [--include /usr/include/eigen3] [header ...]

A mutant changes one place of one header in a temporary copy of include/. One that doesn't compile isn't counted; one whose test
fails, crashes or runs out of time is killed. The same seed gives the same mutants.
"""
import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ["metrics/ranking", "metrics/beyond_accuracy", "split/leave_last_out", "split/per_user_splitter", "split/split",
           "split/temporal", "split/user_holdout", "data/filters", "data/csr_matrix", "linalg/row_solver", "linalg/top_k",
           "linalg/top_k_search"]

# What a mutant is: name, pattern, replacement.
OPERATORS = [
    ("flip", r" < ", " >= "), ("flip", r" > ", " <= "), ("flip", r" <= ", " > "), ("flip", r" >= ", " < "),
    ("flip", r" == ", " != "), ("flip", r" != ", " == "),
    ("edge", r" < ", " <= "), ("edge", r" <= ", " < "), ("edge", r" > ", " >= "), ("edge", r" >= ", " > "),
    ("off by one", r"\+ 1\b", "+ 2"), ("off by one", r"- 1\b", "- 0"), ("off by one", r"= 0;", "= 1;"),
    ("drop a term", r" \+ [\w.]+(?=[;,)])", ""), ("drop a term", r" - [\w.]+(?=[;,)])", ""), ("other sign", r" \+= ", " -= "),
    ("swap", r"\((\w+), (\w+)\)", r"(\2, \1)"),
    ("negate", r"\bif \((?!constexpr)([^{}]*)\) \{", r"if (!(\1)) {"),
    ("remove a check", r"^\s*throw [^;]*;", ";"), ("remove a check", r"^\s*require\w*\([^;]*;", ";"),
]


def mutants(text):
    """All (line, operator, new line) of a header; comments and preprocessor lines stay as they are."""
    for number, line in enumerate(text.splitlines()):
        code = line.split("//")[0]
        if code.lstrip().startswith(("#", "*", "/*", "static_assert", "template")):
            continue
        for name, pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, code):
                yield number, name, line[:match.start()] + match.expand(replacement) + line[match.end():]


def run(command, seconds):
    """Exit status of a command, or None when it took longer."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-header", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cxx", default="g++")
    parser.add_argument("--include", default="/usr/include/eigen3")
    parser.add_argument("headers", nargs="*", default=HEADERS)
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    table = []
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(ROOT / "include", work / "include")
        compile_ = [arguments.cxx, "-std=c++20", "-O0", "-w", "-pthread", f"-I{work / 'include'}", f"-isystem{arguments.include}",
                    f"-I{ROOT / 'tests'}"]
        if run([*compile_, "-c", str(ROOT / "tests/main.cpp"), "-o", str(work / "main.o")], 600) != 0:
            sys.exit("tests/main.cpp doesn't compile")
        program = work / "test"
        for header in arguments.headers:
            path = work / "include/kindred" / f"{header}.hpp"
            source = path.read_text()
            build = [*compile_, str(ROOT / "tests" / f"{header}_test.cpp"), str(work / "main.o"), "-o", str(program)]
            started = time.monotonic()
            if run(build, 600) != 0 or run([str(program)], 600) != 0:
                sys.exit(f"{header}: its test doesn't pass without a mutant")
            limit = 10 + 5 * (time.monotonic() - started)
            counts = {"killed": 0, "survived": 0, "did not compile": 0}
            candidates = list(mutants(source))
            random.Random(f"{arguments.seed} {header}").shuffle(candidates)
            for number, name, line in candidates:
                if counts["killed"] + counts["survived"] == arguments.per_header or time.monotonic() > end:
                    break
                lines = source.splitlines()
                lines[number] = line
                path.write_text("\n".join(lines) + "\n")
                if run(build, limit) != 0:
                    outcome = "did not compile"
                else:
                    outcome = "survived" if run([str(program)], limit) == 0 else "killed"
                counts[outcome] += 1
                if outcome == "survived":
                    print(f"survived: {header}.hpp:{number + 1} ({name}): {line.strip()}", flush=True)
            path.write_text(source)
            table.append((header, *counts.values()))
            print("| {}.hpp | killed {} | survived {} | did not compile {} |".format(*table[-1]), flush=True)
    killed, survived = (sum(row[column] for row in table) for column in (1, 2))
    print(f"| total | killed {killed} | survived {survived} | {100 * killed / max(1, killed + survived):.0f} % |")


if __name__ == "__main__":
    main()
