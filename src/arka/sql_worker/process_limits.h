// What a query worker gives up before it sees a statement.
#pragma once

#include <cstdint>

#include "arka/base/error.h"

namespace arka::sql_worker {

/// This process: holds no file but `keep` and the standard ones, writes no file,
/// takes at most `memory_bytes` for itself (what DuckDB's own limit does not count is bounded too),
/// leaves the processor to ingestion, and is the first that the system kills for want of memory.
/// Ends with the process that started it.
Status LimitThisProcess(int keep, int64_t memory_bytes);

}  // namespace arka::sql_worker
