// Acks as JSON: what actions answer with (docs/spec/wire.md, "Actions"). The names and meanings are
// those of the ack columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arka/protocol/ack_batch.h"

namespace arka::protocol {

/// A time as ISO 8601 in UTC with microseconds, e.g. 2026-01-02T03:04:05.000006Z.
std::string IsoTime(int64_t timestamp_us);

/// One object {"lsn", "durability_level", "is_durability_update", "timestamp", "snapshot_id"} for
/// every LSN of `runs`, in order, as a JSON array. snapshot_id is null where there is none.
std::string EventsJson(const std::vector<AckRun>& runs);

}  // namespace arka::protocol
