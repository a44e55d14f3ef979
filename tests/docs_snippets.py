"""Turns the C++ blocks of the guide pages into programs: docs_snippets.py PAGE... OUTPUT_FOLDER

A page's blocks, in order, are one program, PAGE.cpp; lines with #include, and namespace aliases, go to its top. Blocks marked "cpp no-run" need something that the
tests do not have: each is a file of its own, PAGE_no_run_N.cpp, after the blocks before it and in a scope of its own, to be compiled as it stands and not run. So is
a block that has a main(), PAGE_main_N.cpp, but for the README's program, which is examples/quickstart.cpp. Pages that begin in the middle get the set-up below.
Blocks of C are those of docs/c.md, which tests/c compiles. Prints the files. A fence of C++ by another name than cpp is an error, since its code would not be compiled.
"""
import pathlib
import re
import sys

SETUP = """
kd::Dataset plays = kd::synthetic_listening({.users = 300, .items = 200, .items_per_user = 20});
const kd::TrainTestSplit split_of_page = kd::PerUserSplitter({.test_fraction = 0.2}).split(plays.matrix);
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


ROOT = pathlib.Path(__file__).resolve().parent.parent


def blocks(page):
    """(code, words after cpp) of each block."""
    text = page.read_text(encoding="utf-8")
    fence = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.M)
    for indent, label, code in fence.findall(text):
        words = label.split()
        if words[:1] == ["cpp"] and words[1:] in ([], ["no-run"]):
            yield re.sub(rf"^{indent}", "", code, flags=re.M), words[1:]
        elif re.match(r"(h|cc|cpp|cxx|c\+\+|hpp)\b", label.strip(), re.I):
            sys.exit(f"{page}: a block is marked '{label}'; C++ is marked 'cpp' or 'cpp no-run', or the tests would not compile it")
        elif label == "" and re.search(r"#include|kd::|kindred::", code):
            sys.exit(f"{page}: a block of C++ without the mark 'cpp', which the tests would not compile:\n{code}")


def split(code):
    """Lines for the top of a file, and those for a function."""
    top, body = [], []
    for line in code.splitlines():
        (top if line.startswith(("#include", "namespace kd")) else body).append(line)
    return top, body


def program(top, body, own_top=(), scope=()):
    setup = ""
    if not top:
        setup = SETUP + (FITTED if "ImplicitALS<float> als" not in "\n".join(body) else "")
    lines = ["#include <kindred/kindred.hpp>", "#include <cstdio>", "#include <span>", "#include <string>", "#include <vector>"]
    lines += [line for line in [*top, *own_top] if not line.startswith("namespace kd")] + ["", "namespace kd = kindred;", ""]
    lines += ["int main([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {" + setup, *body]
    if scope:
        lines += ["{", *scope, "}"]
    return "\n".join(lines + ["}"]) + "\n"


def programs(page):
    """(name, text) of each."""
    top, body, number = [], [], 0
    for code, words in blocks(page):
        if re.search(r"\bint main\(", code):
            if code not in (ROOT / "examples/quickstart.cpp").read_text(encoding="utf-8"):
                number += 1
                yield f"{page.stem}_main_{number}", code
        elif words:
            number += 1
            own_top, scope = split(code)
            yield f"{page.stem}_no_run_{number}", program(top, body, own_top, scope)
        else:
            own_top, own_body = split(code)
            top += own_top
            body += own_body
    if body:
        yield page.stem, program(top, body)


def main():
    *pages, folder = sys.argv[1:]
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for page in map(pathlib.Path, pages):
        for name, text in programs(page):
            target = out / f"{name}.cpp"
            if not target.exists() or target.read_text(encoding="utf-8") != text:
                target.write_text(text, encoding="utf-8")
            print(target)


main()
