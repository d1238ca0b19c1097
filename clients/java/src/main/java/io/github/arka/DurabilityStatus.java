package io.github.arka;

import java.util.List;
import java.util.OptionalLong;

/**
 * What became of a session's writes.
 *
 * @param events levels that were reached; for one LSN in their order
 * @param forgottenThrough up to which LSN the server no longer knows of events; empty: it knows all
 */
public record DurabilityStatus(List<Ack> events, OptionalLong forgottenThrough) {}
