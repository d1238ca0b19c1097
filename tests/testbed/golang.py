"""Test programs in Go, built with the toolchain that ./dev setup found or installed."""

import os
import pathlib
import shutil
import subprocess

from testbed.server import ROOT

DEPS = ROOT / ".deps"


def find_go():
    """The path of a `go`, or None. The one of ./dev setup comes first: it is new enough."""
    own = DEPS / "go-toolchain/go/bin/go"
    return own if own.exists() else shutil.which("go")


def build(folder, name=None):
    """Builds the module in `folder` (as seen from tests/) into .deps/bin; returns the program's path.

    Go itself sees whether anything is to be done. Modules come from the Go module proxy the first
    time, checked against the module's go.sum.
    """
    program = DEPS / "bin" / (name or f"arka_{pathlib.Path(folder).name}")
    done = subprocess.run(
        [find_go(), "build", "-o", program, "."], cwd=ROOT / "tests" / folder,
        capture_output=True, text=True, check=False,
        env={**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw",
             "GOPATH": str(DEPS / "gopath"), "GOCACHE": str(DEPS / "gocache")})
    assert done.returncode == 0, done.stderr
    return program
