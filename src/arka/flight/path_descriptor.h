// A FlightDescriptor's path, out of its protobuf message.
#pragma once

#include <string>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"

namespace arka::flight {

/// kInvalidRequest where `message` is not a FlightDescriptor of type PATH with at least one
/// element.
Result<std::vector<std::string>> ParsePathDescriptor(const arrow::Buffer& message);

}  // namespace arka::flight
