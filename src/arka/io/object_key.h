// What every ObjectStore asks of its arguments: keys, prefixes, ranges.
#pragma once

#include <string_view>

#include "arka/base/error.h"
#include "arka/io/object_store.h"

namespace arka {

/// OK for a relative, '/'-separated key of at most 1024 bytes (what S3 takes) whose parts are 1 to
/// 255 bytes (what file systems take), neither "." nor "..", without control characters; else
/// kInvalidRequest saying which rule it breaks.
Status ValidateObjectKey(std::string_view key);

/// OK for what a key can begin with, "" included: List's argument.
Status ValidateObjectPrefix(std::string_view prefix);

/// OK where `object` has the bytes [offset, offset + length).
Status ValidateObjectRange(const ObjectInfo& object, int64_t offset, int64_t length);

}  // namespace arka
