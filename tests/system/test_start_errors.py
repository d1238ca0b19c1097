"""A start that cannot be: what stands in the way, where, what to do, and whether to try again.

Each test mends what it broke and starts again: a refused start has changed nothing.
"""

import contextlib
import re
import struct

import pyarrow as pa
import pytest
from testbed import lake
from testbed.server import ArkaServer, ServerExited
from testbed.small_disk import read_only, small_disk
from testbed.write_stream import WriteStream

SCHEMA = pa.schema([("id", pa.int64())])
TRY_AGAIN, MEND_FIRST = 1, 2  # exit codes
# The log's files are small, so that they fit on a small disk.
SMALL = {"wal.segment_size": "1MB", "wal.spare_segments": "1", "wal.keep_free_bytes": "0",
         "server.max_batch_bytes": "1MB"}


@pytest.fixture
def stopped(start_server):
    """A server that has one row in its table, and was stopped."""
    server = start_server(SMALL)
    write(server, 1)
    server.stop()
    return server


@contextlib.contextmanager
def mounted(disk):
    """Enters a mount of testbed.small_disk, or skips where mounting is not permitted."""
    with contextlib.ExitStack() as stack:
        try:
            entered = stack.enter_context(disk)
        except PermissionError as error:
            pytest.skip(str(error))
        yield entered


def write(server, number):
    with server.connect() as client:
        stream = WriteStream(client, SCHEMA)
        stream.write(pa.record_batch([pa.array([number])], schema=SCHEMA))
        stream.wait("LOCAL_DISK")
        stream.finish()


def refusal(start, code):
    """What the refused start says in its last lines."""
    with pytest.raises(ServerExited) as caught:
        start()
    exited, said = str(caught.value).split("\n", 1)
    said = said[said.rindex("arka: cannot start: "):]
    assert exited.startswith(f"exited with {code};"), caught.value
    again = {TRY_AGAIN: "starting again may help", MEND_FIRST: "does not help before that is mended"}
    assert again[code] in said
    return said


def expect_whole(server):
    """It starts, has what it had, and takes more."""
    server.restart()
    write(server, 2)
    server.stop()
    assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == [1, 2]


def test_a_data_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        said = refusal(lambda path=path: ArkaServer(path), MEND_FIRST)
        assert "server.data_dir" in said and f"{tmp_path}/file is there and is no directory" in said


def test_a_log_directory_that_is_a_file(stopped):
    log = stopped.data_dir / "log"
    log.rename(stopped.data_dir / "aside")
    log.write_text("not a directory")
    assert f"{log} is there and is no directory" in refusal(stopped.restart, MEND_FIRST)
    log.unlink()
    (stopped.data_dir / "aside").rename(log)
    expect_whole(stopped)


@pytest.mark.parametrize("part, named", [("", "lock"), ("lock", "lock"), ("log", "log/control"),
                                         ("log/control", "log/control")])
def test_a_data_directory_or_a_part_of_it_that_is_read_only(stopped, part, named):
    with mounted(read_only(stopped.data_dir / part)):
        said = refusal(stopped.restart, TRY_AGAIN)
        assert f"cannot open {stopped.data_dir / named}: Read-only file system" in said
        assert "mounted read-only" in said
    expect_whole(stopped)


def test_a_new_data_directory_on_a_read_only_disk(tmp_path):
    with mounted(read_only(tmp_path)):
        said = refusal(lambda: ArkaServer(tmp_path / "data"), TRY_AGAIN)
        assert f"server.data_dir: cannot create directory {tmp_path}/data: Read-only" in said


def test_an_inode_table_that_is_full(tmp_path, start_server):
    """However far the first start came before the last inode was used."""
    made = []
    for inodes in range(1, 40):
        with mounted(small_disk(tmp_path / str(inodes), megabytes=20, inodes=inodes)) as disk:
            data_dir = disk.path / "data"
            server = start_server({**SMALL, "server.data_dir": str(data_dir)}, started=False)
            try:
                server.start()
            except ServerExited:
                pass
            else:
                server.stop()
                break
            said = refusal(server.restart, TRY_AGAIN)
            path = re.search(rf"{data_dir}(\S*?)[: ]", said)[1]
            made.append(path)
            if not path.startswith("/catalog.db"):
                assert f"{path}: No space left on device" in said
                assert f"all {inodes} inodes of the file system are in use (df -i)" in said
            assert "inodes" in said
    assert {"", "/lock", "/log", "/catalog.db"} <= set(made), made


def test_a_server_whose_disk_has_no_inode_and_no_byte_left_starts(tmp_path, start_server):
    """Its log is there, and what it needs to go on is made beforehand: it waits for room."""
    with mounted(small_disk(tmp_path, megabytes=20)) as disk:
        server = start_server({**SMALL, "server.data_dir": str(disk.path / "data")},
                              name="disk/data")
        write(server, 1)
        server.stop()
        disk.fill()
        server.restart()
        disk.free()
        write(server, 2)
        server.stop()
        assert sorted(lake.read_with_pyiceberg(server)["id"].to_pylist()) == [1, 2]


def test_a_new_data_directory_on_a_full_disk(tmp_path, start_server):
    with mounted(small_disk(tmp_path, megabytes=20)) as disk:
        server = start_server({**SMALL, "server.data_dir": str(disk.path / "data")},
                              name="disk/data", started=False)
        disk.fill()
        assert "full" in refusal(server.start, TRY_AGAIN)
        # The catalog elsewhere: then it is the log that does not fit.
        server.settings["catalog.uri"] = str(tmp_path / "catalog.db")
        said = refusal(server.start, TRY_AGAIN)
        assert "log/control.tmp: No space left on device" in said
        assert "0 KB are free on the file system" in said
        del server.settings["catalog.uri"]
        disk.free()
        server.start()
        write(server, 1)
        server.stop()


def test_a_data_directory_that_another_process_has(server):
    said = refusal(lambda: ArkaServer(server.data_dir), TRY_AGAIN)
    assert f"{server.data_dir}/lock is locked by process {server.process.pid}" in said
    assert "stop that process" in said


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def set_version(path, version, size, at):
    """Writes `version` into the header of `size` bytes at `at`, with a CRC that holds."""
    data = bytearray(path.read_bytes())
    header = data[at:at + size]
    header[8:12] = struct.pack("<I", version)
    header[12:16] = struct.pack("<I", crc32c(header[:12] + header[16:]))
    data[at:at + size] = header
    path.write_bytes(data)


def test_a_log_of_a_newer_format_version(stopped):
    control = stopped.data_dir / "log" / "control"
    segment = max((stopped.data_dir / "log").glob("0*.log"))
    for path, size, places in ((control, 128, (0, 4096)), (segment, 512, (0,))):
        before = path.read_bytes()
        for at in places:
            set_version(path, 2, size, at)
        said = refusal(stopped.restart, MEND_FIRST)
        assert path.name in said and "format version is 2 and this Arka reads 1" in said
        assert "start that one, nothing was changed" in said
        assert "repair" not in said
        for at in places:
            set_version(path, 1, size, at)
        assert path.read_bytes() == before
    expect_whole(stopped)
