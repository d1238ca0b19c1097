#include "arka/protocol/table_name.h"

#include <algorithm>

namespace arka::protocol {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool IsLevel(std::string_view level) {
  return !level.empty() && level.size() <= kMaxNamePartBytes && level[0] != '-' &&
         std::all_of(level.begin(), level.end(), IsNameByte);
}

// Quotes what a client sent for an error message: short, and only printable ASCII.
std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  for (char c : text.substr(0, kShown)) out += (c >= 0x20 && c < 0x7f) ? c : '?';
  out += text.size() > kShown ? "…'" : "'";
  return out;
}

}  // namespace

Result<TableName> ParseTableName(const std::vector<std::string>& parts,
                                 std::string_view default_namespace) {
  std::vector<std::string> levels;
  for (const std::string& part : parts) {
    size_t start = 0;
    while (true) {
      const size_t dot = part.find('.', start);
      std::string level =
          part.substr(start, dot == std::string::npos ? std::string::npos : dot - start);
      if (!IsLevel(level)) {
        return Error(ErrorCode::kInvalidRequest, "table name: ", Quoted(part),
                     " is not a name; each level is 1 to ", kMaxNamePartBytes,
                     " letters, digits, '_' or '-', levels are separated by '.'");
      }
      levels.push_back(std::move(level));
      if (levels.size() > kMaxNameParts) {
        return Error(ErrorCode::kInvalidRequest, "table name: more than ", kMaxNameParts,
                     " levels");
      }
      if (dot == std::string::npos) break;
      start = dot + 1;
    }
  }
  if (levels.empty()) return Error(ErrorCode::kInvalidRequest, "table name: the path is empty");

  TableName table;
  table.name = std::move(levels.back());
  levels.pop_back();
  for (const std::string& level : levels) {
    if (!table.namespace_name.empty()) table.namespace_name += '.';
    table.namespace_name += level;
  }
  if (table.namespace_name.empty()) table.namespace_name = std::string(default_namespace);
  return table;
}

}  // namespace arka::protocol
