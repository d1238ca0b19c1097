#include "arka/flight/alter_table_action.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arka/flight/table_change_action.h"
#include "arka/iceberg/schema_change.h"
#include "arka/lake/column_name.h"

namespace arka::flight {
namespace {

constexpr size_t kMaxChanges = 1000;

using Texts = std::map<std::string, std::string>;

// What a change consists of, besides its own name.
struct KnownChange {
  std::vector<std::string> keys;
  std::vector<std::string> optional_keys;
  Result<iceberg::SchemaChange> (*make)(const Texts& texts);
};

Result<iceberg::Type> TypeOf(const Texts& texts) {
  auto type = iceberg::ParsePrimitiveType(texts.at("type"));
  if (type.ok()) return type;
  return Error(ErrorCode::kInvalidRequest, "type '", texts.at("type").substr(0, 64),
               "' is none that a column can be given: ", type.status().message());
}

const std::map<std::string, KnownChange, std::less<>>& KnownChanges() {
  using Made = Result<iceberg::SchemaChange>;
  static const std::map<std::string, KnownChange, std::less<>> known = {
      {"add_column",
       {{"name", "type"},
        {"doc"},
        [](const Texts& texts) -> Made {
          ARROW_RETURN_NOT_OK(lake::CheckColumnName(texts.at("name"), /*top_level=*/true));
          ARROW_ASSIGN_OR_RAISE(iceberg::Type type, TypeOf(texts));
          const auto doc = texts.find("doc");
          return iceberg::AddColumn{texts.at("name"), std::move(type),
                                    doc == texts.end() ? "" : doc->second};
        }}},
      {"drop_column",
       {{"name"},
        {},
        [](const Texts& texts) -> Made { return iceberg::DropColumn{texts.at("name")}; }}},
      {"rename_column",
       {{"name", "to"},
        {},
        [](const Texts& texts) -> Made {
          ARROW_RETURN_NOT_OK(lake::CheckColumnName(texts.at("to"), /*top_level=*/true));
          return iceberg::RenameColumn{texts.at("name"), texts.at("to")};
        }}},
      {"promote_column",
       {{"name", "type"},
        {},
        [](const Texts& texts) -> Made {
          ARROW_ASSIGN_OR_RAISE(iceberg::Type type, TypeOf(texts));
          return iceberg::PromoteColumn{texts.at("name"), std::move(type)};
        }}},
      {"make_optional",
       {{"name"},
        {},
        [](const Texts& texts) -> Made { return iceberg::MakeColumnOptional{texts.at("name")}; }}},
  };
  return known;
}

Result<iceberg::SchemaChange> ChangeOf(Texts texts) {
  const auto named = texts.find("change");
  const auto known =
      named == texts.end() ? KnownChanges().end() : KnownChanges().find(named->second);
  if (known == KnownChanges().end()) {
    return Error(ErrorCode::kInvalidRequest, "'change' is missing, or none of add_column, ",
                 "drop_column, rename_column, promote_column, make_optional");
  }
  texts.erase("change");
  for (const std::string& key : known->second.keys) {
    if (!texts.contains(key)) {
      return Error(ErrorCode::kInvalidRequest, known->first, ": '", key, "' is missing");
    }
  }
  for (const auto& [key, text] : texts) {
    if (std::ranges::count(known->second.keys, key) == 0 &&
        std::ranges::count(known->second.optional_keys, key) == 0) {
      return Error(ErrorCode::kInvalidRequest, known->first, ": unknown key '", key.substr(0, 40),
                   "'");
    }
  }
  return known->second.make(texts);
}

Result<std::vector<iceberg::SchemaChange>> ChangesOf(const ActionBody& body) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, body.Objects("changes", kMaxChanges));
  std::vector<iceberg::SchemaChange> changes;
  for (const Texts& texts : objects) {
    auto change = ChangeOf(texts);
    if (!change.ok()) {
      return WithContext(change.status(), "action alter_table: change at position " +
                                              std::to_string(changes.size()));
    }
    changes.push_back(*std::move(change));
  }
  return changes;
}

nlohmann::ordered_json AnswerOf(const iceberg::Table& table) {
  const iceberg::Schema& schema = *table.metadata->current_schema();
  auto columns = nlohmann::ordered_json::array();
  for (const auto& field : schema.fields) {
    columns.push_back(
        {{"name", field.name}, {"type", field.type.ToString()}, {"required", field.required}});
  }
  return {{"table", table.identifier.ToString()},
          {"schema_id", schema.schema_id},
          {"columns", std::move(columns)}};
}

}  // namespace

Result<std::unique_ptr<Action>> StartAlterTable(const ActionContext& context,
                                                std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body,
                        ActionBody::Parse("alter_table", text, {"table", "changes"}));
  ARROW_ASSIGN_OR_RAISE(auto table, TableOf(context, body));
  ARROW_ASSIGN_OR_RAISE(auto schema_changes, ChangesOf(body));
  return StartTableChange(context,
                          [table = std::move(table), schema_changes = std::move(schema_changes)](
                              ingest::TableChanges& changes) -> Result<nlohmann::ordered_json> {
                            ARROW_ASSIGN_OR_RAISE(const auto altered,
                                                  changes.Alter(table, schema_changes));
                            return AnswerOf(altered);
                          });
}

}  // namespace arka::flight
