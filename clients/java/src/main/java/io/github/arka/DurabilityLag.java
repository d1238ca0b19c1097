package io.github.arka;

import java.time.Duration;

/**
 * A gauge: what of a stream's writes has not reached a level yet.
 *
 * @param stream whose writes
 * @param level the level
 */
public record DurabilityLag(ArkaStream stream, Level level) {
  /** How many. */
  public long writes() {
    return stream.writes() - stream.reached(level);
  }

  /** How long ago the oldest of them was handed to the stream; zero where there is none. */
  public Duration age() {
    return stream.age(level);
  }
}
