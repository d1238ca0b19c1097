"""A file system of some megabytes, made for one test, that can be filled to the last byte and freed."""

import contextlib
import os
import pathlib
import subprocess

FILLER = "filler"


class SmallDisk:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    @property
    def free_bytes(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self):
        """Takes every free byte, also those that come free while it does."""
        with open(self.path / FILLER, "ab", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"f" * size)

    def free(self):
        (self.path / FILLER).unlink()


@contextlib.contextmanager
def small_disk(directory, megabytes, kind="tmpfs"):
    """Mounts one under `directory`; raises PermissionError where this process may not mount.

    `kind` is tmpfs, or ext4 in a file on a loop device.
    """
    if os.geteuid() != 0:
        raise PermissionError("mounting a file system needs root")
    mount_point, image = pathlib.Path(directory) / "disk", pathlib.Path(directory) / "disk.img"
    mount_point.mkdir(parents=True)
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "arka-test", mount_point]
    else:
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        command = ["mount", "-o", "loop", image, mount_point]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        raise PermissionError(f"cannot mount: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(mount_point)
    finally:
        subprocess.run(["umount", "-l", mount_point], check=False)
