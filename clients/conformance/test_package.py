"""Each library's own tests, and whether its package builds."""

import subprocess

import pytest
from driver import CLIENTS, ROOT, environment


@pytest.mark.timeout(900)
def test_the_librarys_own_tests_pass_and_its_package_builds(language, server):
    done = subprocess.run(
        [CLIENTS / language / "test"], cwd=ROOT, env=environment(ARKA_URL=server.location),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=880, check=False)
    assert done.returncode == 0, done.stdout[-15_000:]
