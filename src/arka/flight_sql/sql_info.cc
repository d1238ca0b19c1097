#include "arka/flight_sql/sql_info.h"

#include <map>
#include <variant>

#include <arrow/api.h>
#include <arrow/util/config.h>

#include "arka/flight_sql/metadata_schemas.h"

namespace arka::flight_sql {
namespace {

// In the order of the union's children.
using Value = std::variant<std::string, bool, int64_t, int32_t, std::vector<std::string>>;

// The names and their meanings are those of enum SqlInfo in the specification.
std::map<uint32_t, Value> Infos(const std::string& version) {
  constexpr int32_t kNoTransactions = 0;
  constexpr int32_t kUnknownCase = 0, kInsensitive = 1;
  constexpr int32_t kNullsAtEnd = 3;
  constexpr int32_t kGroupByUnrelatedAndBeyond = 0b11;
  constexpr int32_t kMinimumCoreExtended = 0b111, kEntryLevel = 0b1;
  constexpr int32_t kFullOuterJoins = 2, kAllSubqueries = 0b1111, kAllUnions = 0b11;
  constexpr int32_t kForwardOnly = 0b10, kReadOnly = 0b10;
  constexpr uint32_t kFirstLimit = 541, kLastLimit = 561,
                     kRowSizeIncludesBlobs = 556;  // 0: none, or not known
  std::map<uint32_t, Value> infos = {
      {0, "Arka"},                        // FLIGHT_SQL_SERVER_NAME
      {1, version},                       // FLIGHT_SQL_SERVER_VERSION
      {2, ARROW_VERSION_STRING},          // FLIGHT_SQL_SERVER_ARROW_VERSION
      {3, false},                         // FLIGHT_SQL_SERVER_READ_ONLY
      {4, true},                          // FLIGHT_SQL_SERVER_SQL
      {5, false},                         // FLIGHT_SQL_SERVER_SUBSTRAIT
      {8, kNoTransactions},               // FLIGHT_SQL_SERVER_TRANSACTION
      {9, true},                          // FLIGHT_SQL_SERVER_CANCEL
      {10, true},                         // FLIGHT_SQL_SERVER_BULK_INGESTION
      {11, false},                        // FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED
      {100, int32_t{0}},                  // FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT
      {101, int32_t{0}},                  // FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT
      {500, false},                       // SQL_DDL_CATALOG
      {501, false},                       // SQL_DDL_SCHEMA
      {502, false},                       // SQL_DDL_TABLE
      {503, int64_t{kInsensitive}},       // SQL_IDENTIFIER_CASE
      {504, "\""},                        // SQL_IDENTIFIER_QUOTE_CHAR
      {505, int64_t{kUnknownCase}},       // SQL_QUOTED_IDENTIFIER_CASE
      {506, true},                        // SQL_ALL_TABLES_ARE_SELECTABLE
      {507, int64_t{kNullsAtEnd}},        // SQL_NULL_ORDERING
      {508, std::vector<std::string>{}},  // SQL_KEYWORDS
      {509, std::vector<std::string>{"abs", "ceil", "exp", "floor", "ln", "log", "mod", "pow",
                                     "round", "sign", "sqrt"}},  // SQL_NUMERIC_FUNCTIONS
      {510, std::vector<std::string>{"concat", "length", "lower", "ltrim", "replace", "rtrim",
                                     "substring", "trim", "upper"}},  // SQL_STRING_FUNCTIONS
      {511, std::vector<std::string>{"coalesce", "nullif"}},          // SQL_SYSTEM_FUNCTIONS
      {512, std::vector<std::string>{"date_diff", "date_part", "date_trunc", "extract",
                                     "now"}},  // SQL_DATETIME_FUNCTIONS
      {513, "\\"},                             // SQL_SEARCH_STRING_ESCAPE
      {514, ""},                               // SQL_EXTRA_NAME_CHARACTERS
      {515, true},                             // SQL_SUPPORTS_COLUMN_ALIASING
      {516, true},                             // SQL_NULL_PLUS_NULL_IS_NULL
      {518, true},                             // SQL_SUPPORTS_TABLE_CORRELATION_NAMES
      {519, false},                            // SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES
      {520, true},                             // SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY
      {521, true},                             // SQL_SUPPORTS_ORDER_BY_UNRELATED
      {522, kGroupByUnrelatedAndBeyond},       // SQL_SUPPORTED_GROUP_BY
      {523, true},                             // SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE
      {524, true},                             // SQL_SUPPORTS_NON_NULLABLE_COLUMNS
      {525, kMinimumCoreExtended},             // SQL_SUPPORTED_GRAMMAR
      {526, kEntryLevel},                      // SQL_ANSI92_SUPPORTED_LEVEL
      {527, false},                            // SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY
      {528, kFullOuterJoins},                  // SQL_OUTER_JOINS_SUPPORT_LEVEL
      {529, "schema"},                         // SQL_SCHEMA_TERM
      {530, ""},                               // SQL_PROCEDURE_TERM
      {531, "catalog"},                        // SQL_CATALOG_TERM
      {532, true},                             // SQL_CATALOG_AT_START
      {533, int32_t{0}},                       // SQL_SCHEMAS_SUPPORTED_ACTIONS
      {534, int32_t{0}},                       // SQL_CATALOGS_SUPPORTED_ACTIONS
      {535, int32_t{0}},                       // SQL_SUPPORTED_POSITIONED_COMMANDS
      {536, false},                            // SQL_SELECT_FOR_UPDATE_SUPPORTED
      {537, false},                            // SQL_STORED_PROCEDURES_SUPPORTED
      {538, kAllSubqueries},                   // SQL_SUPPORTED_SUBQUERIES
      {539, true},                             // SQL_CORRELATED_SUBQUERIES_SUPPORTED
      {540, kAllUnions},                       // SQL_SUPPORTED_UNIONS
      {562, int64_t{0}},                       // SQL_DEFAULT_TRANSACTION_ISOLATION: none
      {563, false},                            // SQL_TRANSACTIONS_SUPPORTED
      {564, int32_t{1}},                       // SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS: none
      {565, false},                            // SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT
      {566, false},                            // SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED
      {567, kForwardOnly},                     // SQL_SUPPORTED_RESULT_SET_TYPES
      {568, int32_t{0}},                       // SQL_SUPPORTED_CONCURRENCIES_FOR_…_UNSPECIFIED
      {569, kReadOnly},                        // SQL_SUPPORTED_CONCURRENCIES_FOR_…_FORWARD_ONLY
      {570, int32_t{0}},                       // SQL_SUPPORTED_CONCURRENCIES_FOR_…_SENSITIVE
      {571, int32_t{0}},                       // SQL_SUPPORTED_CONCURRENCIES_FOR_…_INSENSITIVE
      {572, false},                            // SQL_BATCH_UPDATES_SUPPORTED
      {573, false},                            // SQL_SAVEPOINTS_SUPPORTED
      {574, false},                            // SQL_NAMED_PARAMETERS_SUPPORTED
      {575, false},                            // SQL_LOCATORS_UPDATE_COPY
      {576, false},                            // SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED
  };
  for (uint32_t limit = kFirstLimit; limit <= kLastLimit; ++limit) {
    if (limit != kRowSizeIncludesBlobs) infos[limit] = int64_t{0};
  }
  infos[kRowSizeIncludesBlobs] = false;
  return infos;
}

class InfoBuilder {
 public:
  Status Append(uint32_t name, const Value& value) {
    ARROW_RETURN_NOT_OK(names_.Append(name));
    ARROW_RETURN_NOT_OK(types_.Append(static_cast<int8_t>(value.index())));
    return std::visit([this](const auto& held) { return AppendValue(held); }, value);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish() {
    arrow::MapBuilder maps(
        arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>(),
        std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(),
                                             std::make_shared<arrow::Int32Builder>()));
    const auto schema = SqlInfoSchema();
    arrow::ArrayVector children(6);
    ARROW_ASSIGN_OR_RAISE(children[0], strings_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[1], bools_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[2], longs_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[3], ints_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[4], lists_.Finish());
    ARROW_ASSIGN_OR_RAISE(children[5], maps.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto names, names_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto types, types_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto offsets, offsets_.Finish());
    auto values = std::make_shared<arrow::DenseUnionArray>(
        schema->field(1)->type(), names->length(), std::move(children), types->data()->buffers[1],
        offsets->data()->buffers[1]);
    return arrow::RecordBatch::Make(schema, names->length(), {names, values});
  }

 private:
  template <typename Builder, typename T>
  Status AppendTo(Builder& builder, const T& value) {
    ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<int32_t>(builder.length())));
    return builder.Append(value);
  }
  Status AppendValue(const std::string& value) { return AppendTo(strings_, value); }
  Status AppendValue(bool value) { return AppendTo(bools_, value); }
  Status AppendValue(int64_t value) { return AppendTo(longs_, value); }
  Status AppendValue(int32_t value) { return AppendTo(ints_, value); }
  Status AppendValue(const std::vector<std::string>& values) {
    ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<int32_t>(lists_.length())));
    ARROW_RETURN_NOT_OK(lists_.Append());
    return static_cast<arrow::StringBuilder&>(*lists_.value_builder()).AppendValues(values);
  }

  arrow::UInt32Builder names_;
  arrow::Int8Builder types_;
  arrow::Int32Builder offsets_;
  arrow::StringBuilder strings_;
  arrow::BooleanBuilder bools_;
  arrow::Int64Builder longs_;
  arrow::Int32Builder ints_;
  arrow::ListBuilder lists_{arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>()};
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> SqlInfo(const std::vector<uint32_t>& wanted,
                                                    const std::string& version) {
  const auto infos = Infos(version);
  InfoBuilder builder;
  if (wanted.empty()) {
    for (const auto& [name, value] : infos) ARROW_RETURN_NOT_OK(builder.Append(name, value));
  }
  for (const uint32_t name : wanted) {
    const auto found = infos.find(name);
    if (found != infos.end()) ARROW_RETURN_NOT_OK(builder.Append(name, found->second));
  }
  return builder.Finish();
}

}  // namespace arka::flight_sql
