#!/usr/bin/env python3
"""Measures what typical files cost to compile: user seconds, the least of several runs, as multiples of `#include <Eigen/Dense>`, and sizes.

  tests/compile_time.py                          the table of times (g++ -O2 -std=c++20)
  tests/compile_time.py --check                  sizes alone: fails if the preprocessed text of a file or its code is larger than its limit below
  tests/compile_time.py --include other/include  headers of another checkout

Times follow from sizes, and sizes do not depend on what else the machine does.
"""
import argparse
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

repository = pathlib.Path(__file__).resolve().parent.parent

# A file: its text, and limits in kB for g++ 12, about 4 % above what it has: preprocessed text and code, header-only and with KINDRED_COMPILED.
files = {
    "kindred.hpp: the include alone": ("#include <kindred/kindred.hpp>\n", (4380, 1, 2790, 1)),
    "the README's program": ("README", (4380, 720, 2830, 15)),
    "implicit_als.hpp: a fit and a list": (
        """#include <kindred/models/implicit_als.hpp>
int main() {
  kindred::ImplicitALS<float> als;
  als.fit(kindred::CsrMatrix({2, 3}, {0, 1, 2}, {0, 1}, {1.0F, 2.0F}));
  return als.recommend(1).front().item;
}
""", (3550, 600, 2630, 12)),
    "io/lastfm.hpp: a reader": (
        """#include <kindred/io/lastfm.hpp>
int main(int, char** arguments) { return kindred::read_lastfm_360k(arguments[1]).users.size(); }
""", (3010, 212, 2170, 5)),
    "persistence/model_file.hpp: load and save": (
        """#include <kindred/persistence/model_file.hpp>
int main(int, char** arguments) { kindred::save(kindred::load<kindred::ImplicitALS<float>>(arguments[1]), arguments[2]); }
""", (5090, 632, 2630, 9)),
}


def readme_program(include):
    """The first C++ block of the README beside the headers."""
    return re.search(r"```cpp\n(.*?)```", (include.parent / "README.md").read_text(), re.DOTALL).group(1)


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def sizes(command, compiled_object):
    """kB of the preprocessed text and of the code."""
    text = subprocess.run([*(part for part in command[:-2] if part != "-c"), "-E", "-P"], check=True, capture_output=True).stdout
    subprocess.run(command, check=True)
    code = subprocess.run(["size", compiled_object], check=True, capture_output=True, text=True).stdout.splitlines()[1].split()[0]
    return round(len(text) / 1000), round(int(code) / 1000)


def print_times(tasks, eigen, runs):
    least, eigen_least = {}, float("inf")
    for _ in range(runs):  # in turns, so that a busy minute of the machine meets all of them
        eigen_least = min(eigen_least, user_seconds(eigen))
        for task, line in tasks.items():
            least[task] = min(least.get(task, float("inf")), user_seconds(line))
    print(f"Eigen/Dense alone: {eigen_least:.2f} s; seconds and multiples of it, header-only and with kindred::compiled")
    for name in files:
        cells = [f" {least[name, compiled]:7.2f} {least[name, compiled] / eigen_least:6.1f}" for compiled in (False, True) if (name, compiled) in least]
        if cells:
            print(f"{name:44}{''.join(cells)}")


def check_sizes(tasks, compiled_object):
    """Prints kB beside their limits. Returns how many are above."""
    failures = 0
    print("kB of preprocessed text and of code, header-only and with kindred::compiled")
    for name, (_, limits) in files.items():
        cells = ""
        for compiled in (False, True):
            if (name, compiled) in tasks:
                for found, limit in zip(sizes(tasks[name, compiled], compiled_object), limits[2 * compiled:]):
                    failures += found > limit
                    cells += f" {found:6} {'ABOVE' if found > limit else 'of'} {limit:<6}"
        if cells:
            print(f"{name:44}{cells}")
    return failures


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--check", action="store_true")
    options.add_argument("--include", type=pathlib.Path, default=repository / "include")
    options.add_argument("--compiler", default="g++")
    options.add_argument("--eigen", default="/usr/include/eigen3", help="the folder of Eigen's headers")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--compiled-alone", action="store_true", help="leave out what is compiled header-only")
    options.add_argument("--only", default="", help="files whose name has this text")
    arguments = options.parse_args()

    flags = ["-O2", "-std=c++20", "-I", arguments.include, "-isystem", arguments.eigen]
    with tempfile.TemporaryDirectory() as folder:
        compiled_object = pathlib.Path(folder) / "object"

        def command(name, text, extra):
            source = pathlib.Path(folder) / f"{name}.cpp"
            source.write_text(text)
            return [arguments.compiler, *flags, *extra, "-c", source, "-o", compiled_object]

        tasks = {}
        for number, (name, (text, _)) in enumerate(files.items()):
            if arguments.only in name:
                for compiled in (True,) if arguments.compiled_alone else (False, True):
                    tasks[name, compiled] = command(number, readme_program(arguments.include) if text == "README" else text,
                                                    ["-DKINDRED_COMPILED"] if compiled else [])
        if not arguments.check:
            print_times(tasks, command("eigen", "#include <Eigen/Dense>\n", []), arguments.runs)
        elif failures := check_sizes(tasks, compiled_object):
            sys.exit(f"{failures} above the limits of {pathlib.Path(__file__).name}")


main()
