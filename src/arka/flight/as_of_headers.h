// The call headers that ask for an older state of a table (docs/spec/wire.md, "Call headers").
#pragma once

#include <string_view>

#include "arka/base/error.h"
#include "arka/query/as_of.h"
#include "arka/transport/call.h"

namespace arka::flight {

inline constexpr std::string_view kAsOfSnapshotHeader = "arka-as-of-snapshot";
inline constexpr std::string_view kAsOfLsnHeader = "arka-as-of-lsn";

/// kInvalidRequest, naming header and value, for what is not a whole number, and for both headers.
Result<query::AsOf> ParseAsOf(const transport::Metadata& metadata);

}  // namespace arka::flight
