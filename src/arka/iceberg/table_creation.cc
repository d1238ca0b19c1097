#include "arka/iceberg/table_creation.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/util/utf8.h>

#include "arka/iceberg/name_mapping.h"

namespace arka::iceberg {
namespace {

constexpr size_t kMaxNameBytes = 255;

std::vector<std::string_view> SplitLevels(std::string_view namespace_name) {
  std::vector<std::string_view> levels;
  while (true) {
    const size_t dot = namespace_name.find('.');
    levels.push_back(namespace_name.substr(0, dot));
    if (dot == std::string_view::npos) return levels;
    namespace_name.remove_prefix(dot + 1);
  }
}

Status ValidateName(std::string_view what, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidRequest, "iceberg: a ", what, " ", why);
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > kMaxNameBytes) return refuse("is longer than 255 bytes");
  if (name == "." || name == "..") return refuse("is '.' or '..'");
  const auto bad = [](char c) {
    return c == '/' || c == '\\' || static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
  };
  if (std::any_of(name.begin(), name.end(), bad)) {
    return refuse("has a slash or a control character in it");
  }
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(name)) return refuse("is not valid UTF-8");
  return Status::OK();
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

std::string PlainPart(std::string_view part, Random& random) {
  std::string plain(part);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return !IsPlain(c); }, '_');
  if (plain == part) return plain;
  return plain.substr(0, 200) + "-" + MakeUuid(random).substr(0, 8);
}

}  // namespace

Status ValidateIdentifier(const TableIdentifier& identifier) {
  if (identifier.namespace_name.size() > kMaxNameBytes) {
    return Error(ErrorCode::kInvalidRequest, "iceberg: a namespace is longer than 255 bytes");
  }
  for (const std::string_view level : SplitLevels(identifier.namespace_name)) {
    ARROW_RETURN_NOT_OK(ValidateName("namespace level", level));
  }
  return ValidateName("table name", identifier.name);
}

std::string DefaultTableKey(const TableIdentifier& identifier, Random& random) {
  std::string key;
  for (const std::string_view level : SplitLevels(identifier.namespace_name)) {
    key += PlainPart(level, random) + "/";
  }
  return key + PlainPart(identifier.name, random);
}

Result<TableMetadata> NewTableMetadata(const TableCreation& creation, const std::string& location,
                                       const std::string& table_uuid, WallTime now) {
  TableMetadata metadata;
  metadata.table_uuid = table_uuid;
  metadata.location = location;
  metadata.last_updated_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  Schema schema = AssignFreshIds(creation.schema, metadata.last_column_id);
  schema.schema_id = 0;
  ARROW_RETURN_NOT_OK(ValidateSchema(schema, metadata.format_version));
  metadata.properties = creation.properties;
  metadata.properties.emplace(kNameMappingProperty, NameMappingJson(schema));
  metadata.schemas.push_back(std::move(schema));
  metadata.partition_specs.emplace_back();
  metadata.sort_orders.emplace_back();
  return metadata;
}

}  // namespace arka::iceberg
