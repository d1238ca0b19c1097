// What a producer says about a batch: `{"seq": N}` in the batch's app_metadata
// (docs/spec/wire.md, "Exactly once").
#pragma once

#include <cstdint>
#include <string_view>

#include "arka/base/error.h"

namespace arka::protocol {

inline constexpr size_t kMaxBatchMetadataBytes = 4096;

/// The seq, 1 to 2^63-1. kInvalidRequest, saying what is wrong and where, for anything but one JSON
/// object with the one key `seq` and a whole number: other keys are refused, so that they can get a
/// meaning one day.
Result<int64_t> ParseBatchSeq(std::string_view app_metadata);

}  // namespace arka::protocol
