package io.github.arka;

/**
 * Every LSN of the server at or below one of these has reached that level, whoever wrote it.
 *
 * @param lastLsn the last LSN that the server had given
 * @param diskLsn up to where all is on LOCAL_DISK
 * @param s3Lsn up to where all is in OBJECT_STORAGE
 * @param committedLsn up to where all is COMMITTED
 */
public record Watermarks(long lastLsn, long diskLsn, long s3Lsn, long committedLsn) {
  /** The watermark of a level. */
  public long at(Level level) {
    return switch (level) {
      case MEMORY -> lastLsn;
      case LOCAL_DISK -> diskLsn;
      case OBJECT_STORAGE -> s3Lsn;
      case COMMITTED -> committedLsn;
    };
  }
}
