#!/usr/bin/env python3
"""Prints processor milliseconds by phase, sampled by perf (Linux): python3 benchmarks/phases.py reading [LINES] | iteration [FACTORS...]

reading     A file of LINES (8,000,000) plays, read by 1 and by 16 threads in turns: medians of five runs, and the share of the work that one thread does alone.
iteration   One exact iteration of ALS on one thread, 20,000 users x 67,000 items, for each number of FACTORS (64 128 192 256 512 and others of als_benchmark):
            means of several, 31 at 64 factors and 3 at 512.

Builds in build/phases, on Debian after installing what is missing. Run it as root, or with kernel.perf_event_paranoid at 1 or below: else perf sees no
time in the kernel, where memory is touched first.
"""
import collections
import functools
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/phases"
RUNS = 5  # of a reading
RATE = 997  # samples a second
BUILDING = """source "$1/cmake/packages.sh"; shift
require_packages g++ cmake ninja-build libeigen3-dev libbenchmark-dev linux-perf
for target in "${@:3}"; do
  configure_and_build "$1" "$2" "$target" -D KINDRED_BUILD_TESTS=OFF -D KINDRED_BUILD_EXAMPLES=OFF -D KINDRED_BUILD_BENCHMARKS=ON \
    -D CMAKE_CXX_FLAGS=-fno-omit-frame-pointer
done"""


class Phases:
    """Phases and expressions of their functions. A sample belongs to the phase of its innermost function that has one, else to "the rest"."""

    def __init__(self, phases, within="", outside="$^"):
        """Counts samples with a function like `within` and none like `outside`."""
        self.names = [name for name, _ in phases] + ["the rest"]
        self.expressions = [re.compile(expression) for _, expression in phases]
        self.within, self.outside = re.compile(within), re.compile(outside)

    @functools.lru_cache(maxsize=None)
    def of_function(self, function):
        return next((name for name, expression in zip(self.names, self.expressions) if expression.search(function)), None)

    def of_sample(self, functions):
        if any(map(self.outside.search, functions)) or not any(map(self.within.search, functions)):
            return None
        return next(filter(None, map(self.of_function, functions)), "the rest")


# Functions that inlining hides count as their callers: names of items as ids, building the record as its fields.
READING = Phases(
    [
        ("reading the file", r"read_blocks|parse_blocks|LineSource|TableReader|pread|filemap_read"),
        ("fields and numbers", r"parse_plain|RecordParser|LineParser|ParallelRecords::parse"),
        ("ids of a thread, names: hashes, look-ups, first touch of tables", r"BlockParser::(keep|flush)"),
        ("rows kept, with their first touch", r"RowStore::"),
        ("ids of all threads as one map; names", r"KeyMerge::|IdMap::(add_distinct|fill_table)|ParallelRecords::merge_names"),
        ("gathering by user", r"RowMerger::gather"),
        ("merging rows", r"RowMerger::merge|RowMerge::merge|PackedSort"),
        ("the matrix", r"set_interactions|RowMerge::(finish|close_gaps)|map_by_threads"),
    ],
    outside=r"~Dataset$|^_dl_|_M_start_thread|thread::join",  # the executor of serial_work starts its threads anew for every loop
)
ITERATION = Phases(
    [
        ("dot products of rows shorter than k", r"::row_products<|::reduce_short"),
        ("outer products of longer rows", r"::accumulate<float>|::sum_blocks|::reduce_long"),
        ("systems, 16 at once", r"::solve_batch<|RowWorkspace<\w+>::solve_together|::tiles_of<"),
        ("systems alone", r"::factorize<|::back_substitute<|::solve_alone"),
        ("gathering rows", r"::gather(_blocks|_and_sum)?<|::prefetch\b"),
        ("adding them up again", r"::expand<|RowWorkspace<\w+>::finish"),
        ("weights", r"::terms<|::regular_weights<|HalfStep<\w+>::system_of|RowWorkspace<\w+>::reduce\b"),
        ("Gram matrix, in double", r"BlockedGram|HalfStep<\w+>::gram"),
        ("rotation", r"\brotate<"),
        ("eigenproblem", r"SymmetricEigenproblem|\beigenbasis\b"),
    ],
    within=r"AlsFit<\w+>::iterate",
    outside=r"check_losses",
)


def record(command, data, call_graph):
    """Runs a program under perf. What it prints goes to the standard error."""
    perf = ["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", str(RATE), "--call-graph", call_graph, "--output", data, "--"]
    subprocess.run(perf + command, check=True, stdout=sys.stderr)


def samples(data):
    """For each sample: whether it is of the calling thread, milliseconds, and functions from the innermost one out."""
    script = ["perf", "script", "--no-inline", "--input", data, "--fields", "pid,tid,period,ip,sym"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as perf:
        head, functions = None, []
        for line in perf.stdout:
            if not line.strip():
                if head:
                    yield head[0], head[1], functions
                head, functions = None, []
            elif head is None:
                threads, period = line.split()
                process, thread = threads.split("/")
                head = process == thread, float(period) / 1e6
            else:
                functions.append(line.strip().partition(" ")[2])
    if perf.returncode:
        raise SystemExit("perf script failed.")


def spent(phases, data):
    """Milliseconds by phase: of all threads, and of the calling one."""
    everyone, caller = collections.Counter(), collections.Counter()
    for by_caller, milliseconds, functions in samples(data):
        if phase := phases.of_sample(functions):
            everyone[phase] += milliseconds
            caller[phase] += by_caller * milliseconds
    return everyone, caller


def print_table(title, phases, columns):
    """`columns`: heading -> milliseconds by phase."""
    def row(*cells):
        print("|" + "".join(f" {cell} |" if cell else " |" for cell in cells))

    row(title, *columns)
    print("|" + "---|" * (1 + len(columns)))
    for name in phases.names:
        row(name, *(f"{column[name]:,.{int(column[name] < 9.95)}f}" if column[name] else "" for column in columns.values()))
    row("all", *(f"{sum(column.values()):,.0f}" for column in columns.values()))


def medians(phases, runs):
    return {name: statistics.median(run[name] for run in runs) for name in phases.names}


def reading(folder, lines="8000000"):
    plays, data = f"{folder}/plays.tsv", f"{folder}/perf.data"
    subprocess.run([BUILD / "benchmarks/make_plays", plays, lines], check=True, stdout=sys.stderr)
    one, sixteen, alone = [], [], []
    for _ in range(RUNS):
        # By copies of the stack: the C library's memcmp and memcpy, which take a fifth of the time, keep no frame pointer, and would hide their callers.
        for threads in ("1", "16"):
            record([str(BUILD / "benchmarks/serial_work"), "read", plays, threads], data, "dwarf,2048")
            everyone, caller = spent(READING, data)
            if threads == "1":
                one.append(everyone)
            else:
                sixteen.append(everyone)
                alone.append(caller)
    columns = {"1 thread": one, "16 threads together": sixteen, "of that the calling thread alone": alone}
    columns = {name: medians(READING, runs) for name, runs in columns.items()}
    print_table("phase of reading", READING, columns)
    _, all_sixteen, serial = (sum(column.values()) / 1e3 for column in columns.values())
    shared = (all_sixteen - serial) / 16
    runs = sorted(sum(run.values()) / 1e3 for run in alone)
    print(f"\nThe calling thread alone {serial:.3f} s (in a run {runs[0]:.3f} to {runs[-1]:.3f}), 16 threads {shared:.3f} s each: {serial / all_sixteen:.1%} of the"
          f" work is serial, and {serial / (serial + shared):.0%} of the time.")


def iteration(folder, *factors):
    data, columns = f"{folder}/perf.data", {}
    for k in factors or ("64", "128", "192", "256", "512"):
        iterations = max(3, 2000 // int(k))
        # An iteration takes longer than the least time, so each repetition has one.
        record([str(BUILD / "benchmarks/als_benchmark"), f"--benchmark_filter=kindred_cholesky/shape:0/factors:{k}/threads:1/",
                "--benchmark_min_time=0.001", f"--benchmark_repetitions={iterations}"], data, "fp")
        everyone, _ = spent(ITERATION, data)
        if not everyone:
            raise SystemExit(f"als_benchmark did no iteration with {k} factors.")
        columns[k] = collections.Counter({phase: milliseconds / iterations for phase, milliseconds in everyone.items()})
    print_table("phase of an iteration", ITERATION, columns)


def main(part="", *arguments):
    targets = {"reading": ("make_plays", "serial_work"), "iteration": ("als_benchmark",)}
    if part not in targets or not all(argument.isdecimal() for argument in arguments):
        raise SystemExit(__doc__)
    subprocess.run(["bash", "-euc", BUILDING, "bash", ROOT, ROOT, BUILD, *targets[part]], check=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        {"reading": reading, "iteration": iteration}[part](folder, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
