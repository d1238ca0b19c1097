"""Runs `arka serve` for as long as a with-block lasts."""

import contextlib
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD_DIR = ROOT / os.environ.get("ARKA_BUILD_DIR", "build/release")


@contextlib.contextmanager
def running(data_dir, commit_interval):
    """Yields the server's Flight location; ends the server in its orderly way."""
    command = [
        str(BUILD_DIR / "arka"), "serve",
        "--set", "server.listen=127.0.0.1:0",
        "--set", f"server.data_dir={data_dir}",
        "--set", f"durability.iceberg_commit_interval={commit_interval}",
    ]
    print("  " + " ".join(command), flush=True)
    log = data_dir.with_name(data_dir.name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        ready = next((line for line in process.stdout if " ready on " in line), None)
        if ready is None:
            raise SystemExit(f"the server did not start:\n{log.read_text()}")
        print("  " + ready.strip())
        yield "grpc://" + re.search(r" ready on (\S+:\d+)", ready)[1]
    finally:
        process.terminate()
        code = process.wait(60)
        process.stdout.close()
    if code != 0:
        raise SystemExit(f"the server ended with exit code {code}; see {log}")
