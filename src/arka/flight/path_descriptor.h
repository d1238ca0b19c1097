// A FlightDescriptor's path or command, out of its protobuf message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"

namespace arka::flight {

/// What is in a descriptor of type CMD; nothing where `message` is none.
std::optional<std::string> CommandOf(const arrow::Buffer& message);

/// kInvalidRequest where `message` is not a FlightDescriptor of type PATH with at least one
/// element.
Result<std::vector<std::string>> ParsePathDescriptor(const arrow::Buffer& message);

}  // namespace arka::flight
