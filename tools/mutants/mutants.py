"""The suite tested by its own medicine: one guarantee switched off at a time, and who notices.

Every NAME.patch here switches one guarantee off. Its head says which ("Guarantee: ...") and which
tests are known to notice ("Tests: PROGRAM FILTER", in the order in which they are tried).

    mutants.py check            every patch still applies to the sources (a test of the fast set)
    mutants.py run [NAME ...]   builds each, runs its tests and then, until one fails, all others

A run works on a copy of the sources under build/mutants, so that the checkout stays as it is. It
ends with a table, and with 1 where a mutant went unnoticed or the tests fail without any.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tools" / "mutants"
TREE = ROOT / "build" / "mutants" / "tree"
COPIED = ("CMakeLists.txt", "CMakePresets.json", "cmake", "src", "tests", "bench", "docs")
# What is tried when a mutant's own tests have not noticed it.
WIDER = (("arka_simulate", "1-300"), ("arka_wal_test", "*"), ("arka_lake_test", "*"),
         ("arka_ingest_test", "*"), ("arka_query_test", "*"), ("arka_flight_test", "*"),
         ("arka_simulate", "301-2000"))
TIMEOUT_SECONDS = 600


class Mutant:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        head = path.read_text().split("\n--- ", 1)[0]
        self.guarantee = re.search(r"^Guarantee: (.+)$", head, re.M).group(1)
        self.tests = [tuple(line.split(None, 1)) for line in re.findall(r"^Tests: (.+)$", head, re.M)]

    def touched(self):
        return re.findall(r"^\+\+\+ b/(\S+)", self.path.read_text(), re.M)

    def apply(self, tree, *options):
        # The tree is no repository of its own, and git must not find the one above it.
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
        return subprocess.run(["git", "apply", "-p1", *options, str(self.path)], cwd=tree,
                              env=environment, capture_output=True, text=True, check=False)


def mutants(names=()):
    found = [Mutant(path) for path in sorted(HERE.glob("*.patch"))]
    unknown = set(names) - {mutant.name for mutant in found}
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    return [mutant for mutant in found if not names or mutant.name in names]


def check():
    broken = 0
    for mutant in mutants():
        applied = mutant.apply(ROOT, "--check")
        if applied.returncode:
            broken += 1
            print(f"{mutant.path.relative_to(ROOT)} no longer applies: say in today's code how "
                  f"'{mutant.guarantee}' is switched off\n{applied.stderr}")
        if not mutant.tests:
            broken += 1
            print(f"{mutant.path.relative_to(ROOT)} names no test")
    print(f"{len(mutants())} mutants, {broken} broken")
    return 1 if broken else 0


def copy_changed(source, target):
    """Copies a file where its bytes differ, so that only those are built again."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        wanted = {path.name for path in source.iterdir()}
        for path in target.iterdir():
            if path.name not in wanted:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in source.iterdir():
            copy_changed(path, target / path.name)
    elif not target.exists() or source.read_bytes() != target.read_bytes():
        shutil.copyfile(source, target)


def prepare():
    TREE.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        copy_changed(ROOT / name, TREE / name)
    for shared in (".venv", ".deps"):
        if not (TREE / shared).exists():
            (TREE / shared).symlink_to(ROOT / shared)
    if not (TREE / "build" / "release" / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=TREE, check=True,
                       stdout=subprocess.DEVNULL)


class BuildError(Exception):
    pass


def build(program):
    environment = {**os.environ, "CCACHE_BASEDIR": str(TREE), "CCACHE_NOHASHDIR": "1"}
    environment.setdefault("CCACHE_DIR", str(ROOT / ".deps" / "ccache"))
    jobs = os.environ.get("ARKA_JOBS", str(os.cpu_count()))
    built = subprocess.run(["ninja", "-C", "build/release", "-j", jobs, program], cwd=TREE,
                           env=environment, capture_output=True, text=True, check=False)
    if built.returncode:
        raise BuildError(f"{program} does not build:\n{built.stdout[-4000:]}")


def failure(program, argument):
    """What notices: the name of the first test that fails, twice in a row; nothing where all pass.

    Twice, since some tests have threads: a test that fails now and then notices nothing.
    """
    for _ in range(3):
        noticed = first_failure(program, argument)
        if noticed is None or noticed.startswith("simulation") or noticed.endswith(")"):
            return noticed
        if first_failure(program, noticed) is not None:
            return noticed
    return None


def first_failure(program, argument):
    binary = TREE / "build" / "release" / program
    command = [binary, argument] if program == "arka_simulate" else [
        binary, f"--gtest_filter={argument}", "--gtest_fail_fast"]
    try:
        ran = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False,
                             timeout=TIMEOUT_SECONDS, errors="replace")
    except subprocess.TimeoutExpired:
        return f"{program} {argument} (does not end)"
    if ran.returncode == 0:
        return None
    test = re.search(r"\[  FAILED  \] ([\w./]+)", ran.stdout)
    begun = re.findall(r"\[ RUN      \] ([\w./]+)", ran.stdout)
    if ran.returncode < 0 and begun:
        return begun[-1]  # the process died in it
    seed = re.search(r"^seed (\d+):", ran.stdout, re.M)
    return (test.group(1) if test else f"simulation, seed {seed.group(1)}" if seed
            else f"{program} {argument} (ends with {ran.returncode})")


def caught_by(mutant):
    for program, argument in (*mutant.tests, *WIDER):
        build(program)
        noticed = failure(program, argument)
        if noticed:
            return noticed
    return None


def run(names):
    chosen = mutants(names)
    prepare()
    print("without mutants: all tests that are named must pass", flush=True)
    for program, argument in sorted({test for mutant in chosen for test in mutant.tests}):
        build(program)
        noticed = failure(program, argument)
        if noticed:
            sys.exit(f"{noticed} fails without any mutant")
    rows = []
    for mutant in chosen:
        started = time.monotonic()
        before = {name: (TREE / name).read_bytes() for name in mutant.touched()}
        applied = mutant.apply(TREE)
        if applied.returncode:
            sys.exit(f"{mutant.name} does not apply:\n{applied.stderr}")
        try:
            noticed = caught_by(mutant)
        except BuildError as error:
            print(f"{mutant.name}: {error}", flush=True)
            noticed = None
        finally:
            for name, bytes_before in before.items():
                (TREE / name).write_bytes(bytes_before)
        rows.append((mutant.name, mutant.guarantee, noticed or "NOBODY"))
        print(f"{mutant.name}: {noticed or 'NOBODY NOTICED'} "
              f"({time.monotonic() - started:.0f} s)", flush=True)
    print("\n| switched off | caught by |\n| --- | --- |")
    for _, guarantee, noticed in rows:
        print(f"| {guarantee} | `{noticed}` |")
    caught = sum(noticed != "NOBODY" for _, _, noticed in rows)
    print(f"\n{len(rows)} mutants, {caught} caught")
    return 0 if caught == len(rows) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        sys.exit(check())
    if sys.argv[1:2] == ["run"]:
        sys.exit(run(sys.argv[2:]))
    sys.exit(__doc__)
