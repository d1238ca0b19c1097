package io.github.arka;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Data that is kept until the server has it safe: put it with its write, and clean by the watermarks of the stream or of
 * the client. Any thread may call any method.
 *
 * @param <T> the data
 */
public final class LocalCache<T> {
  private final Level level;
  private final Map<Write, T> data = new LinkedHashMap<>();

  /** One that keeps data until its write has reached the level. */
  public LocalCache(Level level) {
    this.level = level;
  }

  /** Keeps the data of a write. */
  public synchronized void put(Write write, T value) {
    data.put(write, value);
  }

  /** Forgets what is safe by now; returns it. */
  public synchronized List<T> clean(Watermarks marks) {
    List<T> safe = new ArrayList<>();
    for (Iterator<Map.Entry<Write, T>> entries = data.entrySet().iterator(); entries.hasNext();) {
      Map.Entry<Write, T> entry = entries.next();
      if (isSafe(entry.getKey(), marks)) {
        safe.add(entry.getValue());
        entries.remove();
      }
    }
    return safe;
  }

  private boolean isSafe(Write write, Watermarks marks) {
    Level reached = write.level().orElse(null);
    // An LSN is final once it is on LOCAL_DISK; before, the watermark may be of another write.
    return reached != null
        && (reached.isAtLeast(level) || reached.isAtLeast(Level.LOCAL_DISK) && write.lsn <= marks.at(level));
  }

  /** What is not safe yet, in the order in which it was put. */
  public synchronized List<T> values() {
    return List.copyOf(data.values());
  }

  /** How much is not safe yet. */
  public synchronized int size() {
    return data.size();
  }
}
