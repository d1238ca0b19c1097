#include "arka/protocol/descriptor.h"

namespace arka::protocol {

Result<PathTarget> ParsePath(const std::vector<std::string>& path, const TableName& default_table,
                             std::string_view default_namespace) {
  if (path.empty()) {
    return Error(ErrorCode::kInvalidRequest,
                 "descriptor: the path is empty; expected 'streaming_write' (with a table), a "
                 "table, or 'status'");
  }
  if (path[0] == kStreamingWrite) {
    if (path.size() == 1) return WriteTarget{default_table};
    ARROW_ASSIGN_OR_RAISE(auto table,
                          ParseTableName({path.begin() + 1, path.end()}, default_namespace));
    return WriteTarget{std::move(table)};
  }
  if (path.size() == 1 && path[0] == kStatusPath) return StatusTarget{};
  ARROW_ASSIGN_OR_RAISE(auto table, ParseTableName(path, default_namespace));
  return TableTarget{std::move(table)};
}

}  // namespace arka::protocol
