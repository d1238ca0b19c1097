package io.github.arka;

import java.time.Instant;

/**
 * A write has reached a level.
 *
 * @param lsn the write's LSN; final from LOCAL_DISK on
 * @param level the level that it has reached
 * @param seq the producer's number of the write; 0 where the server was asked and does not tell
 * @param timestamp when the server reached the level; null where the client learned of it only after a reconnect
 * @param snapshotId the Iceberg snapshot that holds a committed write; null where there is none, or it is not known
 */
public record Ack(long lsn, Level level, long seq, Instant timestamp, Long snapshotId) {}
