export { Client, connect } from './client.js';
export { Appender } from './appender.js';
export { WriteStream } from './stream.js';
export { Tier, tierName, tierOf } from './acks.js';
export { AckTracker, DurabilityLag, LocalCache } from './trackers.js';
export { AckViolation, ArkaError, RowError } from './errors.js';
export { Write } from './write.js';
