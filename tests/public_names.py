#!/usr/bin/env python3
"""Public names of the library that no test, example or guide page uses: python3 tests/public_names.py [--list]

A name counts as used where it stands as a user would write it: a type or function by name, a member after `.`, `->` or `::`, an enumerator after `::`.
Reads the layout that clang-format gives the headers: what is public is what is neither in a namespace `detail` nor in a private part of a class.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEYWORDS = {"if", "for", "while", "switch", "return", "operator", "sizeof", "static_assert", "requires", "noexcept", "decltype", "alignas", "catch", "throw"}

# What nobody writes, with the reason.
EXCEPTIONS = {
    "AlignedAllocator::value_type": "the standard's requirements of an allocator", "AlignedAllocator::deallocate": "the same",
    "Random::result_type": "the standard's requirements of a random number engine",
    "Unchecked": "written as `unchecked`", "EveryUser": "written as `every_user`", "EveryUser::EveryUser": "the same",
    "OpenBytes": "a lambda or gzip_or_plain is given", "ConfidenceFunction": "a lambda is given", "ListSink": "a lambda is given",
    "Mapped": "what load_mapped returns, kept by auto", "AlsLoss": "read from a report, by auto", "TopKCounters": "the same",
    "IdMap::prefetch_slot": "for the readers", "IdMap::prefetch_key": "for the readers", "IdMap::hash_of": "for the readers",
    "float_columns": "for ImplicitALS", "TopKSearch::tile": "for ImplicitALS", "PopularityRecommender::state": "for files",
}


def code_of(text):
    """Without comments, strings and preprocessor lines."""
    text = re.sub(r'R"\((.*?)\)"', '""', text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"^\s*#(.*\\\n)*.*$", "", text, flags=re.M)


def public_names(text):
    """(kind, scope, name) of every public declaration: walks over the braces and looks at what stands before each `{` and `;`."""
    scopes, statement, depth_of_parentheses = [], "", 0  # scope: [kind, name, visible]
    for part in re.findall(r"[{}();]|[^{}();]+", code_of(text)):
        inside = scopes[-1] if scopes else ["namespace", "", True]
        if part in "()":
            depth_of_parentheses += 1 if part == "(" else -1
            statement += part
        elif part == "{" and depth_of_parentheses == 0:
            access(inside, statement)
            declaration = declared(inside, statement)
            visible = all(scope[2] for scope in scopes) and inside[0] != "function"
            kind, name = declaration or ("function", "")
            if visible and name and kind != "namespace":
                yield kind, inside[1], name
            scopes.append([kind, name or inside[1], "detail" not in name.split("::") if kind == "namespace" else True])
            if kind == "class":
                scopes[-1][2] = False
            statement = statement + " = " if kind == "value" else ""
        elif part == "}" and depth_of_parentheses == 0:
            closed = scopes.pop() if scopes else None
            if closed and closed[0] == "enum" and all(scope[2] for scope in scopes):
                for enumerator in re.findall(r"(?:^|,)\s*(\w+)", statement):
                    yield "enumerator", closed[1], enumerator
            statement = statement if closed and closed[0] == "value" else ""
        elif part == ";" and depth_of_parentheses == 0:
            access(inside, statement)
            declaration = declared(inside, statement)
            if declaration and declaration[1] and all(scope[2] for scope in scopes) and inside[0] != "function" and declaration[0] != "namespace":
                yield declaration[0], inside[1], declaration[1]
            statement = ""
        else:
            statement += part


def access(scope, statement):
    for word in re.findall(r"\b(public|private|protected):", statement):
        scope[2] = word == "public"


def declared(scope, statement):
    """(kind, name) of a declaration, or None."""
    text = re.sub(r"\b(public|private|protected):", " ", statement)
    text = re.sub(r"\[\[.*?\]\]", " ", text, flags=re.S).strip()
    while (shorter := re.sub(r"^template\s*<[^<>]*(<[^<>]*(<[^<>]*>[^<>]*)*>[^<>]*)*>\s*", "", text)) != text:
        text = shorter
    if scope[0] in ("function", "value", "enum"):
        return None
    if match := re.match(r"(?:inline\s+)?namespace\s+([\w: ]+)", text):
        return "namespace", match[1].replace("inline ", "").replace(" ", "")
    if match := re.match(r"(class|struct|enum class|concept)\s+(\w+)(\s*<.*>)?(\s+final)?(\s*:[^:].*)?(\s*=.*)?$", text, re.S):
        return {"enum class": "enum", "concept": "value"}.get(match[1], match[1]), match[2]
    if re.match(r"(friend|extern|using namespace|static_assert|struct|class)\b", text) or "operator" in text:
        return None
    if match := re.match(r"inline constexpr [\w:]+ (\w+)$", text):  # what stands before the braces of its value
        return "value", match[1]
    if match := re.match(r"using\s+(\w+)\s*=", text):
        return "alias", match[1]
    head = re.sub(r"<[^<>]*(<[^<>]*(<[^<>]*>[^<>]*)*>[^<>]*)*>", " ", text)
    if match := re.search(r"(~?[\w:]+)\s*\(", head):
        if match[1] in KEYWORDS or "~" in match[1] or "::" in match[1] or "=" in head[:match.start()] or not head[:match.start()].strip():
            if "=" not in head[:match.start()]:
                return None
        else:
            return "function", match[1]
    if match := re.match(r"(?!return|using|typedef)[\w:\s*&]+?\b(\w+)(\s*\[\w*\])?\s*(=.*)?$", head, re.S):
        return ("field" if scope[0] in ("class", "struct") else "value"), match[1]
    return None


def main():
    texts = []
    for folder, pattern in (("tests", "*.cpp"), ("tests", "*.hpp"), ("examples", "*.cpp"), ("examples", "*.hpp"), ("docs", "*.md"), (".", "README.md")):
        texts += [path.read_text(errors="replace") for path in (ROOT / folder).rglob(pattern) if "build" not in path.parts]
    used = "\n".join(texts)
    members, words = set(re.findall(r"(?:\.|->|::)\s*(?:template )?(\w+)", used)), set(re.findall(r"\w+", used))
    result, count = 0, 0
    for header in sorted((ROOT / "include/kindred").rglob("*.hpp")):
        names = dict.fromkeys(public_names(header.read_text()))
        count += len(names)
        fields = {}  # of each struct: used by name, or without it, as in model.recommend(user, {.count = 5})
        for kind, scope, name in names:
            fields.setdefault(scope, set()).add(name)
        for kind, scope, name in names:
            short = f"{scope}::{name}" if scope and scope[0].isupper() else name
            if kind in ("struct", "class") and fields.get(name, set()) & members or short in EXCEPTIONS:
                continue
            member = kind in ("field", "enumerator") or (kind == "function" and scope and scope[0].isupper())
            if "--list" in sys.argv:
                print(header.relative_to(ROOT / "include/kindred"), kind, f"{scope}::{name}")
            elif name not in (members if member else words):
                print(f"{header.relative_to(ROOT / 'include/kindred')}: {kind} {scope}::{name} is used nowhere")
                result = 1
    print(f"{count} public names")
    return result


if __name__ == "__main__":
    sys.exit(main())
