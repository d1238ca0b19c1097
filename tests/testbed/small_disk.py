"""A file system made for one test: a small one that can be filled and freed, or a read-only view."""

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


def _mount(*arguments):
    if os.geteuid() != 0:
        raise PermissionError("mounting a file system needs root")
    mounted = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True,
                             check=False)
    if mounted.returncode != 0:
        raise PermissionError(f"cannot mount: {mounted.stderr.strip()}")


def _unmount(mount_point):
    subprocess.run(["umount", "-l", mount_point], check=False)


@contextlib.contextmanager
def small_disk(directory, megabytes, kind="tmpfs", inodes=None):
    """Mounts one under `directory`; raises PermissionError where this process may not mount.

    `kind` is tmpfs, of at most `inodes` files and directories, or ext4 in a file on a loop device.
    """
    mount_point, image = pathlib.Path(directory) / "disk", pathlib.Path(directory) / "disk.img"
    mount_point.mkdir(parents=True)
    if kind == "tmpfs":
        bound = f",nr_inodes={inodes}" if inodes else ""
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m{bound}", "arka-test", mount_point)
    else:
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        _mount("-o", "loop", image, mount_point)
    try:
        yield SmallDisk(mount_point)
    finally:
        _unmount(mount_point)


@contextlib.contextmanager
def read_only(path):
    """Meanwhile the file or directory `path` is on a read-only file system, also for root.

    Raises PermissionError where this process may not mount.
    """
    _mount("--bind", path, path)
    try:
        _mount("-o", "remount,ro,bind", path)
        yield
    finally:
        _unmount(path)
