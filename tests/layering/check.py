"""Checks what the compiler does not: the layers, and the cheap rules of style.

An ordinary test (ctest, label fast). The arrows between layers are read from the DEPS of
src/arka/*/CMakeLists.txt, so that there is one place to change them. Prints one line per finding,
`file:line: what is wrong and what to do`, and exits 1 when there is any.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "arka"
TEST_FILE = re.compile(r"_(test|fuzz|benchmark)\.(cc|h)$")
FORBIDDEN_NAME = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|impl)(_|\.|$)")
FORBIDDEN_TYPE = re.compile(r"^\s*(?:class|struct)\s+(\w*(?:Manager|Helper|Util|Utils|Impl))\b")
MAX_LINES = 700  # the aim is a median near 110 and few above 350; past this a file must be split


def layer_deps(kind):
    """{layer: set of layers named after `kind` (DEPS or TEST_DEPS)}."""
    deps = {}
    for cmake in sorted(SOURCES.glob("*/CMakeLists.txt")):
        call = re.search(r"arka_layer\(\s*(\w+)([^)]*)\)", cmake.read_text())
        name, words = call.group(1), call.group(2).split()
        assert name == cmake.parent.name, f"{cmake}: names the layer {name}"
        deps[name], section = set(), None
        for word in words:
            if word in ("DEPS", "LIBS", "TEST_DEPS"):
                section = word
            elif section == kind:
                deps[name].add(word)
    return deps


def closure(deps):
    """The layers each layer may reach, itself included; raises on a cycle."""

    def reach(layer, path):
        if layer in path:
            raise SystemExit(f"layers form a cycle: {' -> '.join(path + (layer,))}")
        found = {layer}
        for below in deps[layer]:
            found |= reach(below, path + (layer,))
        return found

    return {layer: reach(layer, ()) for layer in deps}


def check_includes(path, lines, allowed, test_deps):
    layer = path.parent.name
    reachable = set(allowed[layer])
    if TEST_FILE.search(path.name):
        for extra in test_deps[layer] | {"testing"}:
            reachable |= allowed[extra]
    for number, line in enumerate(lines, 1):
        included = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not included:
            continue
        target = included.group(1)
        if not target.startswith("arka/"):
            if not target.endswith(".pb.h"):
                yield number, f'include "{target}" from the root: "arka/<layer>/<file>.h"'
            continue
        other = target.split("/")[1]
        if other not in reachable:
            yield number, (
                f"layer {layer} may not include {target}: it reaches only "
                f"{', '.join(sorted(reachable))} (DEPS in {layer}/CMakeLists.txt)"
            )


def check_style(path, lines):
    if FORBIDDEN_NAME.search(path.stem):
        yield 1, "name the file after the noun of the design it holds"
    if len(lines) > MAX_LINES:
        yield len(lines), f"{len(lines)} lines: split it before it becomes the hub"
    if path.suffix == ".h":
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with a comment: what it is for, who owns it, its invariant"
        if "#pragma once" not in lines:
            yield 1, "no #pragma once"
    for number, line in enumerate(lines, 1):
        if len(line) > 100 and "http" not in line and "#include" not in line:
            yield number, f"{len(line)} columns; the limit is 100"
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(\w+\): \w+)", line):
            yield number, "a TODO names its owner and says what: TODO(name): what"
        named = FORBIDDEN_TYPE.match(line)
        if named:
            yield number, f"{named.group(1)}: name the role (Sequencer, Uploader), not its rank"
        if re.match(r"\s*using namespace ", line) and path.suffix == ".h":
            yield number, "no using namespace in a header"


def findings():
    allowed, test_deps = closure(layer_deps("DEPS")), layer_deps("TEST_DEPS")
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        lines = path.read_text().splitlines()
        for number, text in (*check_includes(path, lines, allowed, test_deps),
                             *check_style(path, lines)):
            yield f"{path.relative_to(ROOT)}:{number}: {text}"


def main():
    found = list(findings())
    print(*found, sep="\n")
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
