"""Faults within an unchanged server: a library loaded before its own (shim.c), told what to do while
the server runs."""

import mmap
import struct
import subprocess

from testbed.server import ROOT

_FIELDS = {"clock_offset_seconds": 0, "fail_syncs": 8, "fail_writes": 16, "failures": 24,
           "log_bytes_per_second": 32}
_SIZE = 40


class Shim:
    """`environment` loads it into a server; the attributes named in shim.c take effect at once."""

    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        library, control = directory / "shim.so", directory / "shim.control"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library,
                        ROOT / "tests/crash/shim/shim.c"], check=True)
        control.write_bytes(bytes(_SIZE))
        with open(control, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self.environment = {"LD_PRELOAD": str(library), "ARKA_SHIM": str(control)}

    def set(self, field, value):
        struct.pack_into("<q", self._map, _FIELDS[field], value)

    def get(self, field):
        return struct.unpack_from("<q", self._map, _FIELDS[field])[0]
