"""rules_of_shape: the house rules that need the functions, types and includes of all files; tests/rules.sh runs it.

    rules_of_shape.py < FILES      each violation on a line: file:line: rule: what to do

It relies on the layout that clang-format gives: the braces of a function's body and the closing brace of a struct
stand in the first column.
"""
import collections
import re
import sys

LONGEST_FUNCTION, MOST_PARAMETERS, MOST_MEMBERS, MOST_IN_LAUNCH = 50, 8, 20, 20

# Structs that are options of one table, member by member, and so may be longer.
OPTION_TABLES = set()

# Functions of a table, one a file: launch/commands.def and io/import/import.h declare them.
IN_TABLES = ("ls_command_", "ls_import_")

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
WORD = re.compile(r"[A-Za-z_]\w*")

Function = collections.namedtuple("Function", "file line length name parameters static")


def complain(file, line, rule, what):
    print(f"{file}:{line}: {rule}: {what}")


def code_of(text):
    """The text without comments, preprocessor lines and what stands in quotes; line numbers stay."""
    text = NOT_CODE.sub(lambda found: ('""' if found[0][0] == '"' else " ") + "\n" * found[0].count("\n"), text)
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda found: "\n" * found[0].count("\n"), text, flags=re.M)


def outside_parentheses(text, mark):
    """How often a mark stands outside of all parentheses, brackets and braces."""
    depth = count = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        count += c == mark and depth == 0
    return count


def signature(text):
    """The name and the parameters' text of a function definition; None: it is none."""
    for found in re.finditer(r"([A-Za-z_]\w*)\s*\(", text):
        if found[1] == "__attribute__" or found[1].isupper():
            continue
        depth, at = 1, found.end()
        while depth and at < len(text):
            depth += (text[at] == "(") - (text[at] == ")")
            at += 1
        return found[1], text[found.end():at - 1].strip()
    return None


def functions_of(file, code):
    """Every function defined in a file."""
    lines = code.split("\n")
    start = 0  # of the statement that the line belongs to
    i = 0
    while i < len(lines):
        if lines[i] == "{":
            while start < i and not lines[start].strip():
                start += 1
            head = " ".join(lines[start:i])
            end = next(k for k in range(i, len(lines)) if lines[k].startswith("}"))
            found = signature(head)
            if found:
                name, parameters = found
                at = next(k for k in range(start, i) if re.search(rf"\b{name}\b", lines[k]))
                count = 0 if parameters in ("", "void") else outside_parentheses(parameters, ",") + 1
                yield Function(file, at + 1, end - at + 1, name, count, re.search(r"\b(static)\b", head) is not None)
            i, start = end, end + 1
        elif lines[i].rstrip().endswith(";") or lines[i].startswith("}"):
            start = i + 1
        i += 1


def structs_of(code):
    """(line, name, number of members) of each struct or union with a name."""
    for found in re.finditer(r"^(?:typedef )?(?:struct|union) ?(\w*) \{\n(.*?)^\} ?(\w*);", code, re.M | re.S):
        depth, members, statement = 0, 0, ""
        for c in found[2]:
            depth += (c == "{") - (c == "}")
            if c == ";" and depth == 0:
                members += 1 + outside_parentheses(re.sub(r"\{.*\}", "", statement, flags=re.S), ",")
                statement = ""
            else:
                statement += c
        yield code.count("\n", 0, found.start()) + 1, found[3] or found[1], members


def types_of(code):
    """(line, "typedef NAME" or "struct NAME") of each type that a header defines."""
    for found in re.finditer(r"^typedef\b(?:[^;{]|\{[^}]*\})*?(?:\(\*?(\w+)\)|\b(\w+))(?:\([^;]*\))?(?:\[[^;]*\])?;", code, re.M):
        yield code.count("\n", 0, found.start()) + 1, f"typedef {found[1] or found[2]}"
    for found in re.finditer(r"^(struct|union|enum) (\w+) \{", code, re.M):
        yield code.count("\n", 0, found.start()) + 1, f"{found[1]} {found[2]}"


def circles(graph):
    """Sets of nodes that reach each other (Tarjan's strongly connected components of more than one node)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            part = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(part) > 1:
                found.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def unit(file):
    """A .c file and the header of its name are one unit."""
    return file.rsplit(".", 1)[0]


def check_functions(functions):
    for f in functions:
        if f.length > LONGEST_FUNCTION:
            complain(f.file, f.line, "length", f"{f.name} has {f.length} lines, at most {LONGEST_FUNCTION}: split it")
        if f.parameters > MOST_PARAMETERS:
            complain(f.file, f.line, "parameters",
                     f"{f.name} has {f.parameters}, at most {MOST_PARAMETERS}: give it a struct")


def check_structs(codes):
    for file, code in codes.items():
        for line, name, members in structs_of(code):
            if members > MOST_MEMBERS and name not in OPTION_TABLES:
                complain(file, line, "members", f"{name} has {members}, at most {MOST_MEMBERS}: "
                         "group them into structs (a table of options: name it in tests/rules_of_shape.py)")


def check_types(codes):
    known = {}
    for file, code in codes.items():
        for line, name in set(types_of(code)) if file.endswith(".h") else ():
            if known.setdefault(name, (file, line))[0] != file:
                complain(file, line, "type", f"{name} stands at {known[name][0]}:{known[name][1]} too: rename one")


def check_headers(codes, exported):
    """Each exported function is declared in the header of its file's name, or in NAME_internal.h for its folder alone."""
    for f in exported:
        header = unit(f.file) + ".h"
        if re.search(rf"\b{f.name}\(", codes.get(unit(f.file) + "_internal.h", "")):
            continue
        if header not in codes:
            complain(f.file, f.line, "header", f"{f.name} is exported: declare it in {header}, which does not exist")
        elif not re.search(rf"\b{f.name}\(", codes[header]):
            complain(f.file, f.line, "header", f"declare {f.name} in {header}, the header of its file")


def check_circles(texts, codes, exported):
    home = {f.name: unit(f.file) for f in exported}
    calls, places = collections.defaultdict(set), {}
    for file, code in codes.items():
        if not file.endswith(".c"):
            continue
        for name in set(WORD.findall(code)) & home.keys():
            if home[name] != unit(file):
                calls[unit(file)].add(home[name])
                places.setdefault((unit(file), home[name]), (file, name))
    for part in circles(calls):
        arrows = [f"{places[a, b][0]} calls {places[a, b][1]}" for a in part for b in sorted(calls[a]) if b in part]
        complain(part[0] + ".c", 1, "circle", f"{', '.join(part)} call each other: " + "; ".join(arrows))
    includes = {file: {name for name in re.findall(r'^#include "(.*)"', text, re.M) if name in texts}
                for file, text in texts.items()}
    for part in circles(includes):
        complain(part[0], 1, "circle", f"{', '.join(part)} include each other")


def check_folder(files):
    own = [file for file in files if re.fullmatch(r"launch/[^/]+", file)]
    if len(own) > MOST_IN_LAUNCH:
        complain("launch", 1, "folder", f"{len(own)} files of its own, at most {MOST_IN_LAUNCH}: put some into a subfolder")


def check_comments(files):
    """Tests have comments of one form."""
    for file in files:
        if not re.fullmatch(r"tests/.*\.(cc|h)", file):
            continue
        with open(file, encoding="utf-8") as text:
            text = text.read()
        for found in NOT_CODE.finditer(text):
            if found[0].startswith("//"):
                complain(file, text.count("\n", 0, found.start()) + 1, "comment", "write /* ... */")


files = sys.stdin.read().split()
texts = {}
for file in files:
    if re.fullmatch(r"(core|dist|io|launch)/.*\.[ch]", file):
        with open(file, encoding="utf-8") as text:
            texts[file] = text.read()
codes = {file: code_of(text) for file, text in texts.items()}
functions = [f for file, code in codes.items() for f in functions_of(file, code)]
exported = [f for f in functions if f.file.endswith(".c") and not f.static and f.name != "main" and
            not f.name.startswith(IN_TABLES)]
check_functions(functions)
check_structs(codes)
check_types(codes)
check_headers(codes, exported)
check_circles(texts, codes, exported)
check_folder(files)
check_comments(files)
