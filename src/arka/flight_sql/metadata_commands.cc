#include "arka/flight_sql/metadata_commands.h"

#include <functional>
#include <map>

#include <arrow/api.h>

#include "arka/flight_sql/catalog_listing.h"
#include "arka/flight_sql/flight_sql.pb.h"
#include "arka/flight_sql/metadata_schemas.h"
#include "arka/flight_sql/sql_info.h"
#include "arka/flight_sql/type_info.h"

namespace arka::flight_sql {

namespace messages = ::arrow::flight::protocol::sql;

namespace {

using Answer = Result<std::shared_ptr<arrow::RecordBatch>>;
using AnswerCommand = Answer (*)(const MetadataContext& context, const AnyMessage& command);

template <typename Message>
std::optional<std::string> CatalogOf(const Message& message) {
  if (!message.has_catalog()) return std::nullopt;
  return message.catalog();
}

template <typename Message>
std::optional<std::string> SchemaPatternOf(const Message& message) {
  if (!message.has_db_schema_filter_pattern()) return std::nullopt;
  return message.db_schema_filter_pattern();
}

Answer DbSchemas(const MetadataContext& context, const AnyMessage& command) {
  ARROW_ASSIGN_OR_RAISE(const auto asked,
                        ParseMessage<messages::CommandGetDbSchemas>(command.name, command.value));
  return ListDbSchemas(context.source, context.default_schema,
                       {.catalog = CatalogOf(asked),
                        .schema_pattern = SchemaPatternOf(asked),
                        .may_see = context.may_see});
}

Answer Tables(const MetadataContext& context, const AnyMessage& command) {
  ARROW_ASSIGN_OR_RAISE(const auto asked,
                        ParseMessage<messages::CommandGetTables>(command.name, command.value));
  ListingFilter filter{.catalog = CatalogOf(asked),
                       .schema_pattern = SchemaPatternOf(asked),
                       .may_see = context.may_see};
  if (asked.has_table_name_filter_pattern())
    filter.table_pattern = asked.table_name_filter_pattern();
  filter.table_types.assign(asked.table_types().begin(), asked.table_types().end());
  return ListTables(context.source, filter, asked.include_schema());
}

Answer Info(const MetadataContext& context, const AnyMessage& command) {
  ARROW_ASSIGN_OR_RAISE(const auto asked,
                        ParseMessage<messages::CommandGetSqlInfo>(command.name, command.value));
  return SqlInfo({asked.info().begin(), asked.info().end()}, context.version);
}

Answer TypeInfo(const MetadataContext& context, const AnyMessage& command) {
  ARROW_ASSIGN_OR_RAISE(const auto asked, ParseMessage<messages::CommandGetXdbcTypeInfo>(
                                              command.name, command.value));
  return XdbcTypeInfo(asked.has_data_type() ? std::optional(asked.data_type()) : std::nullopt);
}

Answer Empty(const std::shared_ptr<arrow::Schema>& schema) {
  return arrow::RecordBatch::MakeEmpty(schema);
}
Answer NoForeignKeys(const MetadataContext&, const AnyMessage&) {
  return Empty(ForeignKeysSchema());
}

const std::map<std::string, AnswerCommand, std::less<>>& Commands() {
  static const std::map<std::string, AnswerCommand, std::less<>> commands = {
      {"CommandGetCatalogs", [](const MetadataContext& context,
                                const AnyMessage&) { return ListCatalogs(context.source); }},
      {"CommandGetDbSchemas", DbSchemas},
      {"CommandGetTables", Tables},
      {"CommandGetTableTypes",
       [](const MetadataContext&, const AnyMessage&) { return ListTableTypes(); }},
      {"CommandGetSqlInfo", Info},
      {"CommandGetXdbcTypeInfo", TypeInfo},
      {"CommandGetPrimaryKeys",
       [](const MetadataContext&, const AnyMessage&) { return Empty(PrimaryKeysSchema()); }},
      {"CommandGetExportedKeys", NoForeignKeys},
      {"CommandGetImportedKeys", NoForeignKeys},
      {"CommandGetCrossReference", NoForeignKeys},
  };
  return commands;
}

}  // namespace

bool IsMetadataCommand(const AnyMessage& command) { return Commands().contains(command.name); }

Result<std::shared_ptr<arrow::RecordBatch>> AnswerMetadata(const MetadataContext& context,
                                                           const AnyMessage& command) {
  const auto known = Commands().find(command.name);
  if (known == Commands().end()) {
    return Error(ErrorCode::kUnimplemented, "Flight SQL's ", command.name.substr(0, 100),
                 " is not answered by this version");
  }
  return known->second(context, command);
}

}  // namespace arka::flight_sql
