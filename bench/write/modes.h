#pragma once

#include "options.h"

#include <arrow/result.h>
#include <nlohmann/json.hpp>

namespace arka::bench {

// The shapes of load. Each opens its streams, runs to the end, and returns its figures as JSON;
// an error means that the run is void: a call failed, or an ack was missing, doubled or wrong.

// As many writes as the server takes, `streams` at once, each with a thread that writes and one
// that reads. The clock runs from the first write to the last ack.
arrow::Result<nlohmann::json> RunPipelined(const ClientOptions& options);

// One write, wait for its ack at the (only) level, the next.
arrow::Result<nlohmann::json> RunPingPong(const ClientOptions& options);

// `rate` writes a second on a fixed timetable. A write's latency at a level counts from the moment
// it was *due*, so that a stall is charged to every write it delayed.
arrow::Result<nlohmann::json> RunSteady(const ClientOptions& options);

// `streams` open streams, one write a second on each, acks read at the end only. Prints the line
// "open" on stderr when all are open, and "holding" before the last second of writes.
arrow::Result<nlohmann::json> RunOpenStreams(const ClientOptions& options);

}  // namespace arka::bench
