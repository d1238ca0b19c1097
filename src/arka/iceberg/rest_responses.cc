#include "arka/iceberg/rest_responses.h"

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_metadata_json.h"

namespace arka::iceberg {
namespace {

constexpr char kTable[] = "the catalog's table";
constexpr char kNamespaces[] = "the catalog's list of namespaces";
constexpr char kTables[] = "the catalog's list of tables";

Result<std::string> NextPageToken(JsonReader& reader) {
  ARROW_ASSIGN_OR_RAISE(auto token, reader.OptionalString("next-page-token"));
  return std::move(token).value_or("");
}

}  // namespace

Result<RestTable> ParseTableAnswer(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(body, kTable));
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, kTable));
  RestTable table;
  ARROW_ASSIGN_OR_RAISE(auto location, reader.OptionalString("metadata-location"));
  table.metadata_location = std::move(location).value_or("");
  const Json* metadata = reader.Find("metadata");
  if (metadata == nullptr) {
    return Error(ErrorCode::kCorruption, "iceberg: ", kTable, " has no metadata");
  }
  ARROW_ASSIGN_OR_RAISE(table.metadata, ParseTableMetadata(*metadata));
  return table;
}

Result<RestNamespaces> ParseNamespacesAnswer(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(body, kNamespaces));
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, kNamespaces));
  RestNamespaces page;
  ARROW_ASSIGN_OR_RAISE(const Json* namespaces, reader.Array("namespaces"));
  for (const Json& levels : *namespaces) {
    std::vector<std::string>& parsed = page.namespaces.emplace_back();
    for (const Json& level : levels) {
      if (!levels.is_array() || !level.is_string()) {
        return Error(ErrorCode::kCorruption, "iceberg: ", kNamespaces,
                     " has something in it that is no namespace");
      }
      parsed.push_back(level.get<std::string>());
    }
  }
  ARROW_ASSIGN_OR_RAISE(page.next_page_token, NextPageToken(reader));
  return page;
}

Result<RestTables> ParseTablesAnswer(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(body, kTables));
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, kTables));
  RestTables page;
  ARROW_ASSIGN_OR_RAISE(const Json* identifiers, reader.Array("identifiers"));
  for (const Json& identifier : *identifiers) {
    ARROW_ASSIGN_OR_RAISE(JsonReader members, JsonReader::Make(identifier, kTables));
    ARROW_ASSIGN_OR_RAISE(std::string name, members.String("name"));
    page.names.push_back(std::move(name));
  }
  ARROW_ASSIGN_OR_RAISE(page.next_page_token, NextPageToken(reader));
  return page;
}

}  // namespace arka::iceberg
