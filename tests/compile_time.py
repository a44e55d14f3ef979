#!/usr/bin/env python3
"""Measures the time to compile typical files: user seconds, the least of several runs, and multiples of `#include <Eigen/Dense>`.

  tests/compile_time.py                          the table (g++ -O2 -std=c++20)
  tests/compile_time.py --check                  fails if a file takes longer than its limit below; only what is above it is compiled again
  tests/compile_time.py --include other/include  headers of another checkout
"""
import argparse
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

repository = pathlib.Path(__file__).resolve().parent.parent

# A file: its text, its limit header-only, its limit with KINDRED_COMPILED; in multiples of Eigen. About 10 % above the worst of three measurements, some of
# them on a busy machine.
files = {
    "kindred.hpp: the include alone": ("#include <kindred/kindred.hpp>\n", 6.4, 1.8),
    "the README's program": ("README", 32.5, 2.4),
    "implicit_als.hpp: a fit and a list": (
        """#include <kindred/models/implicit_als.hpp>
int main() {
  kindred::ImplicitALS<float> als;
  als.fit(kindred::CsrMatrix({2, 3}, {0, 1, 2}, {0, 1}, {1.0F, 2.0F}));
  return als.recommend(1).front().item;
}
""", 26.0, 1.8),
    "io/lastfm.hpp: a reader": (
        """#include <kindred/io/lastfm.hpp>
int main(int, char** arguments) { return kindred::read_lastfm_360k(arguments[1]).users.size(); }
""", 9.5, 1.0),
    "persistence/model_file.hpp: load and save": (
        """#include <kindred/persistence/model_file.hpp>
int main(int, char** arguments) { kindred::save(kindred::load<kindred::ImplicitALS<float>>(arguments[1]), arguments[2]); }
""", 26.5, 1.5),
}


def readme_program(include):
    """The first C++ block of the README beside the headers."""
    return re.search(r"```cpp\n(.*?)```", (include.parent / "README.md").read_text(), re.DOTALL).group(1)


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


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
        def command(name, text, extra):
            source = pathlib.Path(folder) / f"{name}.cpp"
            source.write_text(text)
            return [arguments.compiler, *flags, *extra, "-c", source, "-o", pathlib.Path(folder) / "object"]

        eigen = command("eigen", "#include <Eigen/Dense>\n", [])
        tasks, allowed = {}, {}
        for number, (name, (text, *limits)) in enumerate(files.items()):
            if arguments.only in name:
                for compiled, limit in zip((False, True), limits):
                    if compiled or not arguments.compiled_alone:
                        tasks[name, compiled] = command(number, readme_program(arguments.include) if text == "README" else text,
                                                        ["-DKINDRED_COMPILED"] if compiled else [])
                        allowed[name, compiled] = limit
        least, eigen_least = {}, float("inf")
        for _ in range(arguments.runs):  # in turns, so that a busy minute of the machine meets all of them
            for task, line in tasks.items():
                if arguments.check and task in least and least[task] <= allowed[task] * eigen_least:
                    continue
                eigen_least = min(eigen_least, user_seconds(eigen))
                least[task] = min(least.get(task, float("inf")), user_seconds(line))

    print(f"Eigen/Dense alone: {eigen_least:.2f} s; seconds and multiples of it, header-only and with kindred::compiled")
    failures = 0
    for name in files:
        cells = ""
        for compiled in (False, True):
            if (name, compiled) in least:
                seconds, limit = least[name, compiled], allowed[name, compiled]
                above = seconds > limit * eigen_least
                failures += above
                cells += f" {seconds:7.2f} {seconds / eigen_least:6.1f} {f'ABOVE {limit}' if above else f'of {limit}':>10}"
        if cells:
            print(f"{name:44}{cells}")
    if arguments.check and failures:
        sys.exit(f"{failures} above the limits of {pathlib.Path(__file__).name}")


main()
