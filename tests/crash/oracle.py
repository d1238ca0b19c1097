"""Holds every ack that was ever received against what PyIceberg reads."""

import collections
import random

import pyarrow as pa
import pyarrow.compute as pc
from crash.history import LOCAL_DISK, Violation
from crash.workload import KEY, SCHEMA
from pyiceberg.expressions import AlwaysTrue, And, EqualTo
from pyiceberg.io.pyarrow import ArrowScan

SNAPSHOTS_WALKED = 40  # snapshots whose every file is looked for, chosen by seed; the current always
TIME_TRAVELS = 4  # COMMITTED acks whose rows are read with FOR VERSION AS OF


class TableContents:
    """What a table holds: rows, copies of each write, and the snapshot that brought each of them."""

    def __init__(self, table):
        self.table = table
        self.rows = table.scan().to_arrow().select(SCHEMA.names).cast(SCHEMA)
        self.copies = collections.Counter()  # (producer, number) -> how often it is there
        self.snapshots_of = collections.defaultdict(set)  # (producer, number) -> snapshots adding it
        self.place_of = {}  # snapshot -> its place in the history of main
        if table.current_snapshot() is None:
            return
        self._order_snapshots()
        added_by = self._files_by_snapshot()
        scan = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
        for task in table.scan().plan_files():
            first_rows = scan.to_table([task])
            first_rows = first_rows.filter(pc.equal(first_rows["row"], 0))
            for write in zip(*(first_rows[name].to_pylist() for name in KEY[:2])):
                self.copies[write] += 1
                self.snapshots_of[write].add(added_by[task.file.file_path])

    def _order_snapshots(self):
        by_id = {s.snapshot_id: s for s in self.table.metadata.snapshots}
        chain, snapshot = [], self.table.current_snapshot()
        while snapshot is not None:
            chain.append(snapshot.snapshot_id)
            parent = by_id.get(snapshot.parent_snapshot_id)
            if parent is not None and parent.timestamp_ms > snapshot.timestamp_ms:
                raise Violation(f"snapshot {snapshot.snapshot_id} is older than its parent, which "
                                "Iceberg readers refuse")
            snapshot = parent
        self.place_of = {snapshot_id: place for place, snapshot_id in enumerate(reversed(chain))}

    def _files_by_snapshot(self):
        io = self.table.io
        return {entry.data_file.file_path: entry.snapshot_id
                for manifest in self.table.current_snapshot().manifests(io)
                for entry in manifest.fetch_manifest_entry(io)}


def durable_writes_missing(history, load_table, producers):
    """[(LSN, table, producer, number)] of the producers' writes that were acknowledged at LOCAL_DISK
    and are not there."""
    missing = []
    for name in sorted({table for table, _ in history.writes}):
        copies = TableContents(load_table(name)).copies
        for table, producer, number, write in history.all_writes():
            durable = [lsn for lsn, rank in write.rank_of.items() if rank >= LOCAL_DISK]
            if table == name and producer in producers and durable and not copies[producer, number]:
                missing.append((durable[0], table, producer, number))
    return sorted(missing)


def check(history, workload, load_table, seed):
    """Raises Violation, or answers {"rows": …, "writes": …} of what it checked.

    `load_table(name)` answers the PyIceberg table.
    """
    history.raise_violations()
    figures = collections.Counter()
    for name in sorted({table for table, _ in history.writes}):
        contents = TableContents(load_table(name))
        writes = {(producer, number): write
                  for table, producer, number, write in history.all_writes() if table == name}
        _check_copies(name, contents, writes, history.exactly_once)
        _check_order(name, writes, history.exactly_once)
        _check_complete(name, contents, history.complete)
        _check_values(name, contents, workload)
        rng = random.Random(f"{seed}/{name}")
        figures["committed acks"] += _check_snapshots(name, contents, writes, rng)
        figures["files"] += _check_files(name, contents.table, rng)
        figures["writes"] += len(contents.copies)
        figures["rows"] += contents.rows.num_rows
        figures["snapshots"] += len(contents.place_of)
    return figures


def _check_copies(name, contents, writes, exactly_once):
    """Nothing that is acknowledged is missing, nothing is there more often than it was sent."""
    lost, doubled = [], []
    for write, copies in contents.copies.items():
        if write not in writes:
            raise Violation(f"{name} holds {write}, which nobody sent")
        most = 1 if write[0] in exactly_once else writes[write].sends
        if copies > most:
            doubled.append((write, f"{copies} times", writes[write]))
    for key, write in writes.items():
        durable = sum(rank >= LOCAL_DISK for rank in write.rank_of.values())
        if contents.copies[key] < durable:
            lost.append((key, f"{contents.copies[key]} times", write))
    if lost:
        raise Violation(f"{name}: {len(lost)} acknowledged writes are lost: {lost[0]} to {lost[-1]}")
    if doubled:
        raise Violation(f"{name}: {len(doubled)} writes are doubled: {doubled[0]} to {doubled[-1]}")


def _check_order(name, writes, exactly_once):
    """The durable LSNs of a producer with seq increase with its numbers, whatever was resent."""
    before = {}  # producer -> (number, LSN)
    for producer, number in sorted(key for key in writes if key[0] in exactly_once):
        for lsn, rank in writes[producer, number].rank_of.items():
            if rank >= LOCAL_DISK:
                number_before, lsn_before = before.get(producer, (0, -1))
                if lsn <= lsn_before:
                    raise Violation(f"{name}: {producer} has LSN {lsn} for write {number}, but "
                                    f"{lsn_before} for {number_before}")
                before[producer] = number, lsn


def _check_complete(name, contents, complete):
    """Of a producer that has sent all with seq every number is there."""
    for (table, producer), last in complete.items():
        missing = [n for n in range(1, last + 1) if not contents.copies[producer, n]]
        if table == name and missing:
            raise Violation(f"{name}: {producer} has sent 1 to {last} with seq; not there: {missing[:5]}")


def _check_values(name, contents, workload):
    """Bytes in, the same bytes out: every write whole, every value as it was made."""
    order = [(column, "ascending") for column in KEY]
    wanted = workload.table(name, sorted(contents.copies.elements())).sort_by(order)
    found = contents.rows.sort_by(order)
    if found.equals(wanted):
        return
    if found.num_rows != wanted.num_rows:
        counts = [pa.TableGroupBy(rows, list(KEY[:2])).aggregate([([], "count_all")]).to_pylist()
                  for rows in (found, wanted)]
        odd = [row for row in counts[0] if row not in counts[1]]
        raise Violation(f"{name}: {found.num_rows} rows, not {wanted.num_rows}; in part: {odd[:3]}")
    for column in SCHEMA.names:
        if not found[column].equals(wanted[column]):
            row = next(i for i, (f, w) in enumerate(zip(found[column], wanted[column])) if f != w)
            raise Violation(f"{name}: {column} of {found.slice(row, 1).to_pylist()[0]} is not "
                            f"{wanted[column][row]}")


def _check_snapshots(name, contents, writes, rng):
    """The snapshot of a COMMITTED ack holds the write; answers how many acks were checked."""
    acks = [(key, lsn, snapshot) for key, write in writes.items()
            for lsn, snapshot in write.snapshots]
    for key, lsn, snapshot in acks:
        if snapshot not in contents.place_of:
            raise Violation(f"{name}: snapshot {snapshot}, acknowledged for LSN {lsn}, is not there")
        brought = min(contents.place_of[s] for s in contents.snapshots_of[key])
        if brought > contents.place_of[snapshot]:
            raise Violation(f"{name}: snapshot {snapshot}, acknowledged for LSN {lsn}, is older than "
                            f"the one that holds {key}")
    for (producer, number), lsn, snapshot in rng.sample(acks, min(TIME_TRAVELS, len(acks))):
        rows = contents.table.scan(
            row_filter=And(EqualTo("producer", producer), EqualTo("number", number)),
            snapshot_id=snapshot).to_arrow()
        if rows.num_rows == 0:
            raise Violation(f"{name}: FOR VERSION AS OF {snapshot} has no rows of LSN {lsn}")
    return len(acks)


def _check_files(name, table, rng):
    """No snapshot names a file that is missing; answers how many files were looked for."""
    if table.current_snapshot() is None:
        return 0
    snapshots, io = list(table.metadata.snapshots), table.io
    walked = rng.sample(snapshots, min(SNAPSHOTS_WALKED, len(snapshots)))
    files = {snapshot.manifest_list for snapshot in snapshots}
    manifests = {manifest.manifest_path: manifest
                 for snapshot in [*walked, table.current_snapshot()]
                 for manifest in snapshot.manifests(io)}
    for path, manifest in manifests.items():
        files.add(path)
        files |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io)}
    missing = [path for path in sorted(files) if not io.new_input(path).exists()]
    if missing:
        raise Violation(f"{name}: {len(missing)} files of its snapshots are missing: {missing[:3]}")
    return len(files)
