// Where a listener of a session's acks is, as the `id` of a server-sent event: per level, the LSN
// up to which everything has been told. Text: four numbers joined by dots, "1017.1017.1012.1005".
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "arka/base/lsn.h"

namespace arka::http {

using AckPosition = std::array<Lsn, 4>;  // by Tier

std::string ToId(const AckPosition& position);
std::optional<AckPosition> ParseId(std::string_view id);

}  // namespace arka::http
