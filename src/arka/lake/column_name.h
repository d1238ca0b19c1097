// What a column may be called, and how a name that a client chose is shown in a message.
#pragma once

#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka::lake {

inline constexpr size_t kMaxColumnNameBytes = 255;

/// kInvalidRequest unless `name` is 1 to 255 bytes of valid UTF-8 without control characters.
/// Names of columns, at the top level, may not be Iceberg's own metadata columns (_file, _pos …).
Status CheckColumnName(std::string_view name, bool top_level);

/// `name` in single quotes, cut to 64 bytes, with everything but printable ASCII and valid UTF-8
/// escaped: safe in a log line and in an error sent to anybody.
std::string QuotedName(std::string_view name);

}  // namespace arka::lake
