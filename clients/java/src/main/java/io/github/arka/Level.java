package io.github.arka;

/** How durable a write is. Levels are ordered, and a write passes through all of them. */
public enum Level {
  /** Accepted; a crash of the server may take it. */
  MEMORY,
  /** Survives a crash of the server. */
  LOCAL_DISK,
  /** Survives the loss of the machine. */
  OBJECT_STORAGE,
  /** In the Iceberg table. */
  COMMITTED;

  /** Whether a write that is here has reached {@code other} too. */
  public boolean isAtLeast(Level other) {
    return compareTo(other) >= 0;
  }
}
