"""`./dev bench clients` runs from end to end, with runs too short to say anything about speed."""

import json
import subprocess
import sys

import pytest
from testbed.server import BUILD_DIR, ROOT

FIGURES = {
    "writes": {"raw, echo": "writes", "raw, arka": "writes", "client": "writes"},
    "latency": {"raw, echo": "p50_us", "raw, arka": "p50_us", "client": "p99_us"},
    "appender": {"client": "rows"},
}


def bench_with(program, output, *arguments):
    return subprocess.run(
        [*program, "--build-dir", BUILD_DIR, "--output", output, "--no-kafka", "--seconds", "0.3",
         "--runs", "1", *arguments],
        capture_output=True, text=True, timeout=150)


def bench(output, *arguments):
    return bench_with([sys.executable, ROOT / "bench/clients/run.py"], output, *arguments)


@pytest.mark.parametrize("language", ["python", "go", "javascript", "cpp"])
def test_every_figure_of_a_language_is_measured_and_every_row_of_it_is_in_the_table(
        tmp_path, language):
    done = bench(tmp_path / "out.json", language)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((tmp_path / "out.json").read_text())
    runs = document["runs"][language]
    for mode, turns in FIGURES.items():
        for turn, figure in turns.items():
            (run,) = runs[f"{mode}: {turn}"]
            assert run[figure] > 0, (mode, turn)
    assert {line["row"] for line in document["lines"]} == {language}
    assert document["void"] == []
    assert f"| {language} " in done.stdout and "rows/s" in done.stdout


def test_a_language_that_is_not_there_is_refused_and_the_others_are_named(tmp_path):
    done = bench(tmp_path / "out.json", "cobol")
    assert done.returncode == 2
    assert "cobol" in done.stderr and "python" in done.stderr


LYING = """#!/bin/sh
echo '{"writes": 5, "rows": 5, "seconds": 1, "p50_us": 1, "p99_us": 1}'
"""
MUTE = """#!/bin/sh
echo '{"seconds": 1}'
"""
NAMED_DRIVERS = f"""
import pathlib, sys
sys.path.append({str(ROOT / "bench/clients")!r})
import run, languages
languages.CLIENTS = pathlib.Path(sys.argv.pop(1))
sys.exit(run.main())
"""


def test_a_driver_that_says_what_is_not_so_makes_its_row_void_and_the_next_row_is_run(tmp_path):
    for language, text in {"lying": LYING, "mute": MUTE}.items():
        folder = tmp_path / "clients" / language / "bench"
        folder.mkdir(parents=True)
        (folder / "driver").write_text(text)
        (folder / "driver").chmod(0o755)
    output = tmp_path / "out.json"
    done = bench_with([sys.executable, "-c", NAMED_DRIVERS, tmp_path / "clients"], output)
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(output.read_text())["void"] == ["lying", "mute"]
    assert "bench.raw_writes cannot be counted" in done.stderr, "Arka has no such table"
    assert "mute, raw-writes: it does not say writes" in done.stderr
