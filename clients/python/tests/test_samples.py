"""The samples run, and the README shows nothing that is not in one of them."""

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parents[1]
SAMPLES = sorted((HERE / "samples").glob("*.py"))
SAY = {
    "quickstart": "LSN \\d+ is on disk\n[{'n': 3}]",
    "durable": "every reader of the catalog sees it: COMMITTED\nlag: 0 writes\non disk through LSN True",
    "exactly_once": "[{'n': 500, 'different': 500}]",
    "backpressure": "dropped and written: 1000",
    "dataframe": "(4, 2) 4",
}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_runs(sample, url):
    if sample.stem == "dataframe":
        pytest.importorskip("pandas"), pytest.importorskip("polars")
    done = subprocess.run([sys.executable, sample, url], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    pattern = re.escape(SAY[sample.stem]).replace(re.escape("\\d+"), r"\d+")
    assert re.fullmatch(pattern, done.stdout.strip()), done.stdout


def test_the_readme_shows_what_the_samples_do():
    shown = re.findall(r"^```python\n(.*?)^```$", (HERE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(shown) >= 5
    samples = [path.read_text() for path in SAMPLES]
    for block in shown:
        assert any(block in sample for sample in samples), block
