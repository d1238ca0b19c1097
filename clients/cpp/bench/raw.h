// The same writes with Arrow's Flight library alone, to measure the client against.
#pragma once

#include "contents.h"

#include <arrow/result.h>
#include <nlohmann/json.hpp>

namespace arka::client::bench {

/// Pipelined, with a bounded number that are not answered.
arrow::Result<nlohmann::json> RawWrites(const Asked& asked);
/// One at a time, until its answer.
arrow::Result<nlohmann::json> RawLatency(const Asked& asked);

}  // namespace arka::client::bench
