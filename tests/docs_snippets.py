"""Turns the C++ blocks of the guide pages into programs: docs_snippets.py PAGE... OUTPUT_FOLDER

A page's blocks, in order, are one program; lines with #include, and namespace aliases, go to its top. A block that has a main() of its own is a program of its own.
Blocks marked "cpp no-run" are shown to readers only. Pages that begin in the middle get the set-up below.
"""
import pathlib
import re
import sys

SETUP = """
kd::Dataset plays = kd::synthetic_listening({.users = 300, .items = 200, .items_per_user = 20});
const kd::Split split_of_page = kd::PerUserSplitter({.test_fraction = 0.2}).split(plays.matrix);
const kd::CsrMatrix& train = split_of_page.train;
"""
FITTED = """
kd::ImplicitALS<float> als({.factors = 16, .iterations = 3});
als.fit(train);
const kd::Index user = 3;
const std::vector<kd::Index> in_stock{1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
std::vector<kd::Index> item_users_of(static_cast<std::size_t>(train.cols()), 0);
for (const kd::Index item : train.columns()) ++item_users_of[static_cast<std::size_t>(item)];
const std::vector<kd::Index>& item_users = item_users_of;
const std::vector<kd::Index> genre_of_item(static_cast<std::size_t>(train.cols()), 0);
"""


def blocks(text):
    for match in re.finditer(r"^```cpp([^\n]*)\n(.*?)^```", text, re.S | re.M):
        if "no-run" not in match.group(1):
            yield match.group(2)


def main():
    *pages, folder = sys.argv[1:]
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for page in map(pathlib.Path, pages):
        top, body = [], []
        for block in blocks(page.read_text(encoding="utf-8")):
            if re.search(r"\bint main\(", block):
                continue  # README's program is examples/quickstart.cpp, which a test compares
            for line in block.splitlines():
                (top if line.startswith(("#include", "namespace kd")) else body).append(line)
        code = "\n".join(body)
        if not code:
            continue
        setup = ""
        if not top:
            top = ["#include <kindred/kindred.hpp>", "#include <cstdio>", "namespace kd = kindred;"]
            setup = SETUP + (FITTED if "ImplicitALS<float> als" not in code else "")
        program = "\n".join(top) + "\n#include <span>\n#include <string>\n#include <vector>\n\nint main() {\n" + setup + code + "\n}\n"
        target = out / (page.stem + ".cpp")
        if not target.exists() or target.read_text(encoding="utf-8") != program:
            target.write_text(program, encoding="utf-8")


main()
