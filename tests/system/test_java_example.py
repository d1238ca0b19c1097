"""examples/java: the guide's example with plain flight-core runs as it stands."""

import shutil
import subprocess

import pytest
from testbed import example
from testbed.server import ROOT

pytestmark = [
    pytest.mark.timeout(600),  # the first run in a checkout may fetch the libraries
    pytest.mark.skipif(shutil.which("mvn") is None, reason="no Maven: ./dev setup brings it"),
]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    made = tmp_path_factory.mktemp("java")
    libraries = made / "class path"
    subprocess.run(
        ["mvn", "-q", "-B", "-f", ROOT / "examples/java/pom.xml", f"-Dmaven.repo.local={ROOT}/.deps/m2",
         "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath",
         f"-Dmdep.outputFile={libraries}"], check=True, timeout=580)
    class_path = f"{made}:{libraries.read_text().strip()}"
    subprocess.run(["javac", "-Xlint:all,-processing,-classfile,-try", "-Werror", "-cp", class_path, "-d", made,
                    ROOT / "examples/java/ArkaFlightClient.java"], check=True, timeout=120)
    return ["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-Xmx256m", "-XX:TieredStopAtLevel=1",
            "-cp", class_path, "ArkaFlightClient"]


def test_a_hundred_batches_are_written_and_every_level_is_told(command, server):
    example.check_that_every_level_is_told(server, command, "localhost", str(server.port))


def test_it_says_why_where_there_is_no_server(command, server):
    example.check_that_it_says_why_where_there_is_no_server("UNAVAILABLE", server, command, "localhost", str(server.port))
