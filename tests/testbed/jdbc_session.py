"""A JDBC connection, by Apache Arrow's Flight SQL driver, in a Java process of its own."""

import pathlib
import subprocess

HOME = pathlib.Path(__file__).resolve().parents[2] / ".deps/jdbc"


class JdbcError(Exception):
    """What the driver threw."""


class JdbcSession:
    """run(command, words…) -> rows, each a list of texts: see jdbc/JdbcSession.java."""

    def __init__(self, port, log, **properties):
        """The properties are those of the driver's URL, such as user and password."""
        with open(log, "w") as errors:
            self._process = subprocess.Popen(
                ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "--add-opens=java.base/java.nio=ALL-UNNAMED",
                 "-cp", f"{HOME}/classes:{HOME}/lib/*", "JdbcSession", str(port),
                 *(f"{name}={value}" for name, value in properties.items())],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self._log = pathlib.Path(log)

    def run(self, *words):
        self._process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        rows = []
        while True:
            line = self._process.stdout.readline()
            assert line, self._log.read_text()
            line = line.rstrip("\n")
            if line == ".":
                return rows
            if line.startswith("! "):
                raise JdbcError(line[2:])
            rows.append(line.split("\t"))

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
