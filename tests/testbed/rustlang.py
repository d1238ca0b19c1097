"""Test programs in Rust, built as clients/rust builds its own: into .deps, from the same crates."""

import os
import shutil
import subprocess

from testbed.server import ROOT

DEPS = (ROOT / ".deps").resolve()


def build(folder, program):
    """Builds the package in `folder` and returns the path of its program.

    Cargo itself sees whether anything is to be done. Crates come from crates.io the first time,
    checked against the package's Cargo.lock.
    """
    target = DEPS / "cargo-target"
    done = subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked"], cwd=folder, capture_output=True,
        text=True, check=False,
        env={**os.environ, "CARGO_HOME": str(DEPS / "cargo"), "CARGO_TARGET_DIR": str(target),
             "CARGO_TERM_COLOR": "never"})
    assert done.returncode == 0, done.stderr
    return target / "release" / program


def there():
    """Whether there is a toolchain."""
    return shutil.which("cargo") is not None
