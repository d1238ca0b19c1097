"""Every snippet of the documentation runs: page by page, as a reader who tries them in order.

Each page gets a fresh server. Its snippets say localhost:8815, and run with the address that the
server really has, in a directory in which the server's data is ./arka-data. The Python blocks of a
page share their names; a yaml block is a configuration that a server must start with.
"""

import contextlib
import io
import re
import subprocess

import pytest
from pages import RUN, as_pattern, blocks
from testbed.server import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "docs/operating.md", ROOT / "docs/README.md",
                *ROOT.glob("docs/guide/*.md")])
DOCUMENTED_ADDRESS = "localhost:8815"


class Reader:
    """Runs the blocks of one page."""

    def __init__(self, server, directory, start_server):
        self.server, self.directory, self.start_server = server, directory, start_server
        self.names = {"__name__": "__page__"}
        self.printed = ""

    def localized(self, code):
        return code.replace(DOCUMENTED_ADDRESS, f"127.0.0.1:{self.server.port}")

    def run(self, block):
        if block.expected:
            matches = as_pattern(block.code).fullmatch(self.printed)
            assert matches, f"{block.where}: printed\n{self.printed}\ninstead of\n{block.code}"
        elif block.language in RUN and block.reason_not_to_run is None:
            getattr(self, block.language)(block)

    def python(self, block):
        code = "\n" * (block.line - 1) + self.localized(block.code)  # true line numbers in errors
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(ROOT / block.page), "exec"), self.names)
        self.printed = out.getvalue()

    def bash(self, block):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", self.localized(block.code)],
                              cwd=self.directory, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"
        self.printed = done.stdout

    def yaml(self, block):
        config = self.directory / f"config-{block.line}.yaml"
        config.write_text(block.code)
        self.start_server(name=f"data-{block.line}", config=config).stop()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_snippets_run(page, start_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = start_server({"durability.iceberg_commit_interval": "500ms"}, name="arka-data")
    reader = Reader(server, tmp_path, start_server)
    for block in blocks(page, ROOT):
        reader.run(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_a_block_that_is_not_run_says_why():
    for page in PAGES:
        for block in blocks(page, ROOT):
            if "no-run" in block.info:
                assert block.reason_not_to_run, f"{block.where}: no-run wants a reason"
