"""Files out of the page cache, and the rate at which the disk gives them back."""

import ctypes
import mmap
import os
import time

PIECE = 64 << 20  # as large as the requests of a start: the disk sees many at a time


def drop(paths):
    """Writes the files back and asks the kernel to forget them. Answers the share that it kept."""
    kept = total = 0
    for path in paths:
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            resident, pages = _residence(descriptor)
        finally:
            os.close(descriptor)
        kept, total = kept + resident, total + pages
    return kept / total if total else 0.0


def _residence(descriptor):
    """(pages in the cache, pages) of a file."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return 0, 0
    pages = (size + mmap.PAGESIZE - 1) // mmap.PAGESIZE
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY) as mapped:
        start = ctypes.c_char.from_buffer(mapped)
        states = (ctypes.c_ubyte * pages)()
        failed = ctypes.CDLL(None, use_errno=True).mincore(
            ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), states)
        del start  # or the map cannot be closed
    return (pages if failed else sum(state & 1 for state in states)), pages


def read(paths):
    """MB/s of reading the files from end to end: the better of past the page cache and through it.

    They must be cold, and are not afterwards.
    """
    past = _read(paths, os.O_DIRECT)
    drop(paths)
    return max(past, _read(paths, 0))


def _read(paths, flag):
    piece = mmap.mmap(-1, PIECE)  # aligned, as O_DIRECT wants it
    done, started = 0, time.monotonic()
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | flag)
        except OSError:  # a file system without O_DIRECT
            descriptor = os.open(path, os.O_RDONLY)
        try:
            while count := os.readv(descriptor, [piece]):
                done += count
        finally:
            os.close(descriptor)
    return done / (time.monotonic() - started) / 1e6
