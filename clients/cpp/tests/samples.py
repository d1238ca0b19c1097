"""The samples run against the server of ARKA_URL, and the documents show nothing that is not in one."""

import os
import pathlib
import re
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
PRINTED = {
    "quickstart": r"LSN \d+ survives a crash from here on\n3 rows\n",
    "durable": r"0 writes wait to be committed\nheard of \d{3} levels\n"
               r"10 writes are in the object store\n10 payments need not be kept any more, 0 do\n",
    "exactly_once": r"500 lines, 500 different\n",
    "backpressure": r"dropped and written: 200\n"
                    r"INVALID_ARGUMENT: the column 'celsius' \(double\) does not take 'warm'\n"
                    r"all rows are on the server's disk\n",
}
DOCUMENTS = (HERE / "README.md", ROOT / "docs/guide/cpp.md")


def run_samples(url):
    assert sorted(PRINTED) == sorted(path.stem for path in HERE.glob("samples/*.cc"))
    for name, pattern in PRINTED.items():
        done = subprocess.run([ROOT / f"build/release/arka_client_{name}", url],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert re.fullmatch(pattern, done.stdout), f"{name} printed\n{done.stdout}"


def unindented(text):
    return "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"


def check_documents():
    sources = [*HERE.glob("samples/*.cc"), HERE / "tests/installed/CMakeLists.txt"]
    code = "".join(unindented(path.read_text()) for path in sources)
    for document in DOCUMENTS:
        blocks = re.findall(r"^```(?:cpp|cmake)\n(.*?)^```$", document.read_text(), re.DOTALL | re.MULTILINE)
        assert len(blocks) >= 5, f"{document} has {len(blocks)} blocks of C++"
        for block in blocks:
            assert unindented(block) in code, f"{document}: no sample has\n{textwrap.dedent(block)}"


check_documents()
if "ARKA_URL" in os.environ:
    run_samples(os.environ["ARKA_URL"])
else:
    print("ARKA_URL names no server: the samples were not run", file=sys.stderr)
