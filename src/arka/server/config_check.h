// What no single key can tell: values that contradict each other.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "arka/server/config.h"

namespace arka {

/// Names where a key got its value: "arka.yaml:7", "--set", "the default".
using ConfigOrigin = std::function<std::string(std::string_view key_name)>;

/// OK, or kInvalidRequest for the first contradiction, naming the keys and where they stand.
Status CheckConfig(const Config& config, const ConfigOrigin& origin_of);

}  // namespace arka
