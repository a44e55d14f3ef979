#!/usr/bin/env python3
"""Mutants of the headers that results rest on, each against its mirrored test alone.

    tests/mutation.py [--seed 1] [--per-header 12] [--minutes 120] [--cxx g++] [--include /usr/include/eigen3] [--again OUTPUT] [header ...]

A mutant changes one place of one header in a temporary copy of include/. One that doesn't compile isn't counted; one whose test fails, crashes or
runs out of time is killed. The same seed gives the same mutants. --again takes the output of an earlier run and repeats its survivors alone.
Built at -O0 with the assertions of the standard library; the tests run at one level of instructions, since no mutant is in a kernel.
"""
import argparse
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The tests of each header, the mirrored one first; those that have none of their own are tested by their users.
TESTS = {header: tests or [header] for header, tests in {
    "metrics/ranking": [], "metrics/beyond_accuracy": [], "split/leave_last_out": [], "split/per_user_splitter": [],
    "split/split": ["split/split", "split/per_user_splitter", "split/leave_last_out", "split/temporal", "split/user_holdout"],
    "split/temporal": [], "split/user_holdout": [], "data/filters": [], "data/csr_matrix": [], "data/csr_view": [],
    "linalg/top_k_request": ["linalg/top_k", "linalg/top_k_search"], "linalg/top_k": ["linalg/top_k", "linalg/top_k_search"],
    "linalg/top_k_search": [], "linalg/shortlist": ["linalg/shortlist", "linalg/top_k_search", "linalg/cosine_search"], "linalg/row_solver": [], "linalg/row_workspace": ["linalg/row_solver"], "persistence/model_file": [],
    "storage/csr_file": [], "storage/csr_file_writer": [],
    "models/als/row_shares": []}.items()}

# What a mutant is: name, pattern, replacement.
OPERATORS = [
    ("flip", r" < ", " >= "), ("flip", r" > ", " <= "), ("flip", r" <= ", " > "), ("flip", r" >= ", " < "),
    ("flip", r" == ", " != "), ("flip", r" != ", " == "),
    ("edge", r" < ", " <= "), ("edge", r" <= ", " < "), ("edge", r" > ", " >= "), ("edge", r" >= ", " > "),
    ("off by one", r"\+ 1\b(?!\.)", "+ 2"), ("off by one", r"- 1\b(?!\.)", "- 0"), ("off by one", r"= 0;", "= 1;"),
    ("drop a term", r" [-+] [\w.]+(?=[;,)])", ""), ("drop a term", r"(?<=[=(] )?\b[\w.]+ [-+] (?=\w)", ""),
    ("drop a factor", r" [*/] [\w.]+(?=[;,)])", ""), ("other sign", r" \+= ", " -= "), ("other sign", r" -= ", " += "),
    ("swap", r"\((\w+), (\w+)\)", r"(\2, \1)"), ("other half", r" && ", " || "), ("other half", r" \|\| ", " && "),
    ("negate", r"\bif \((?!constexpr)([^{};]*)\) (?=\{|throw|return|continue)", r"if (!(\1)) "),
    ("remove a check", r"^\s*throw [^;]*;", ";"), ("remove a check", r"^\s*(detail::|reader_?\.|fields\.)?(check|require|validate)\w*\([^;]*;", ";"),
    ("remove a check", r"\bif \((?!constexpr)[^;]*\) throw [^;]*;", ";"),
]


def in_text(line, place):
    """Whether a place of a line is within a string."""
    return len(re.findall(r'(?<!\\)"', line[:place])) % 2 == 1


def mutants(text):
    """All (line, operator, new line) of a header; comments, preprocessor lines and its own assertions stay as they are."""
    for number, line in enumerate(text.splitlines()):
        code = line.split("//")[0]
        if code.lstrip().startswith(("#", "*", "/*", "static_assert", "template", "KINDRED_ASSERT")):
            continue
        for name, pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, code):
                if not in_text(code, match.start()):
                    yield number, name, line[:match.start()] + match.expand(replacement) + line[match.end():]


def run(command, seconds):
    """Exit status of a command, or None when it took more time of the processor, or ten times as long."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"KINDRED_SIMD": "base"} | os.environ,
                               start_new_session=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds))))
    try:
        return process.wait(timeout=10 * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # the compiler's own children too
        process.wait()
        return None


class Bench:
    """A copy of include/ and what its tests are built from."""

    def __init__(self, work, cxx, eigen):
        self.work = work
        shutil.copytree(ROOT / "include", work / "include")
        self.compile = [cxx, "-std=c++20", "-O0", "-w", "-pthread", "-D_GLIBCXX_ASSERTIONS", f"-I{work / 'include'}", f"-isystem{eigen}",
                        f"-I{ROOT / 'tests'}", f'-DKINDRED_TEST_PYTHON="{sys.executable}"', f'-DKINDRED_TEST_SCRIPTS="{ROOT / "tests/persistence"}"']
        self.objects = {}

    def object(self, source):
        """An object file that no mutant is in."""
        if source not in self.objects:
            self.objects[source] = str(self.work / (pathlib.Path(source).stem + ".o"))
            if run([*self.compile, "-c", str(ROOT / "tests" / source), "-o", self.objects[source]], 600) != 0:
                sys.exit(f"tests/{source} doesn't compile")
        return self.objects[source]

    def outcome(self, test, limit):
        """Builds and runs one test against the headers as they are."""
        source = ROOT / "tests" / f"{test}_test.cpp"
        needs = ["main.cpp"] + (["support/als_instances.cpp"] if "als_instances.hpp" in source.read_text() else [])
        program = str(self.work / "test")
        if run([*self.compile, str(source), *map(self.object, needs), "-o", program], 600) != 0:
            return "did not compile"
        return "survived" if run([program, "--abort-after=1"], limit) == 0 else "killed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-header", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--cxx", default="g++")
    parser.add_argument("--include", default="/usr/include/eigen3")
    parser.add_argument("--again", type=pathlib.Path)
    parser.add_argument("headers", nargs="*", default=list(TESTS))
    arguments = parser.parse_args()
    again = set(re.findall(r"^survived: (\S+)\.hpp:\d+ (\(.*)$", arguments.again.read_text(), re.M)) if arguments.again else None
    end = time.monotonic() + 60 * arguments.minutes
    table = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(folder), arguments.cxx, arguments.include)
        for header in arguments.headers:
            path = bench.work / "include/kindred" / f"{header}.hpp"
            source = path.read_text()
            candidates = list(dict.fromkeys(mutants(source)))
            random.Random(f"{arguments.seed} {header}").shuffle(candidates)
            if again is not None:
                candidates = [c for c in candidates if (header, f"({c[1]}): {c[2].strip()}") in again]
            if not candidates:
                continue
            limits = {}
            for test in TESTS[header]:
                started = time.monotonic()
                if bench.outcome(test, 600) != "survived":
                    sys.exit(f"{test}: the test doesn't pass without a mutant")
                limits[test] = 10 + 3 * (time.monotonic() - started)
            counts = {"killed": 0, "survived": 0, "did not compile": 0}
            for number, name, line in candidates:
                if counts["killed"] + counts["survived"] == (arguments.per_header if again is None else -1) or time.monotonic() > end:
                    break
                lines = source.splitlines()
                lines[number] = line
                path.write_text("\n".join(lines) + "\n")
                outcomes = {"survived"}
                for test, limit in limits.items():
                    outcome = bench.outcome(test, limit)
                    outcomes.add(outcome)
                    if outcome != "survived":
                        break
                outcome = (outcomes - {"survived"} or {"survived"}).pop()
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
