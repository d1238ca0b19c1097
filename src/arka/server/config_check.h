// What no single key can tell: values that contradict each other.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "arka/server/config.h"

namespace arka {

/// Names where a key got its value: "arka.yaml:7", "--set", "the default".
using ConfigOrigin = std::function<std::string(std::string_view key_name)>;

/// OK, or kInvalidRequest where the configured buffers do not fit into that much memory; the
/// message follows "server.memory_limit".
Status CheckMemoryLimit(const Config& config, int64_t limit_bytes);

/// OK, or kInvalidRequest for the first contradiction, naming the keys and where they stand.
Status CheckConfig(const Config& config, const ConfigOrigin& origin_of);

}  // namespace arka
