package io.github.arka;

import java.time.Duration;

/** What a client's builder and a stream's have in common: a stream goes by its client's, unless it is told otherwise. */
abstract class StreamOptions<B extends StreamOptions<B>> {
  String session;
  Duration deadline;
  long budget;

  StreamOptions(String session, Duration deadline, long budget) {
    this.session = session;
    this.deadline = deadline;
    this.budget = budget;
  }

  abstract B self();

  /** The name by which {@link ArkaClient#durabilityStatus} asks; random unless given. */
  public B session(String name) {
    this.session = ArkaClient.clientName(name);
    return self();
  }

  /**
   * For how long a stream tries to get its connection back before it fails, and how long any call waits that is given
   * no timeout; a minute unless given.
   */
  public B deadline(Duration deadline) {
    this.deadline = deadline;
    return self();
  }

  /** How many bytes that are not on LOCAL_DISK a stream keeps; then writing waits. 64 MiB unless given. */
  public B budget(long bytes) {
    this.budget = bytes;
    return self();
  }
}
