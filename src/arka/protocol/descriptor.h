// What a FlightDescriptor's path asks for (docs/spec/wire.md, "Descriptors").
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "arka/base/error.h"
#include "arka/protocol/table_name.h"

namespace arka::protocol {

/// First element of a path that writes.
inline constexpr std::string_view kStreamingWrite = "streaming_write";
/// The path that answers the server's status.
inline constexpr std::string_view kStatusPath = "status";

struct WriteTarget {
  TableName table;
};
struct TableTarget {
  TableName table;
};
struct StatusTarget {};

using PathTarget = std::variant<WriteTarget, TableTarget, StatusTarget>;

/// `default_table` is where a bare `streaming_write` goes; names without a namespace lie in
/// `default_namespace`. kInvalidRequest, saying what a path may be, for anything else.
Result<PathTarget> ParsePath(const std::vector<std::string>& path, const TableName& default_table,
                             std::string_view default_namespace);

}  // namespace arka::protocol
