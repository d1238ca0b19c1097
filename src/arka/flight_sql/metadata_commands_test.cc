#include "arka/flight_sql/metadata_commands.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/flight_sql/flight_sql.pb.h"
#include "arka/flight_sql/name_pattern.h"
#include "arka/ingest/deployment_test.h"

namespace arka::flight_sql {
namespace {

namespace messages = ::arrow::flight::protocol::sql;
using ::testing::ElementsAre;

class MetadataCommandsTest : public ::testing::Test {
 protected:
  MetadataCommandsTest() : engine_(deployment_.StartEngine()) {
    for (const auto& [schema, table] : {std::pair("sales", "orders"), std::pair("sales", "users"),
                                        std::pair("eu.sales", "o_1")}) {
      ingest::IdStream stream;
      EXPECT_THAT(stream.Open(*engine_, {schema, table}), IsOk());
    }
  }

  template <typename Message = messages::CommandGetTables>
  std::shared_ptr<arrow::RecordBatch> Ask(const std::string& name, const Message& message = {}) {
    const query::ReadSource source{.engine = *engine_,
                                   .catalog = deployment_.catalog,
                                   .warehouse = deployment_.warehouse,
                                   .node = "node-1",
                                   .catalog_name = "pond"};
    const auto command = Unwrap(Wrap(name, message.SerializeAsString()));
    EXPECT_TRUE(command.has_value());
    auto answer = AnswerMetadata({source, "arka", "1.2.3", may_see_}, *command);
    EXPECT_THAT(answer.status(), IsOk());
    EXPECT_THAT((*answer)->ValidateFull(), IsOk());
    return *answer;
  }
  static std::vector<std::string> Texts(const arrow::RecordBatch& batch,
                                        const std::string& column) {
    std::vector<std::string> texts;
    const auto values = std::static_pointer_cast<arrow::StringArray>(batch.GetColumnByName(column));
    for (int64_t i = 0; i < values->length(); ++i) texts.push_back(values->GetString(i));
    return texts;
  }

  std::function<bool(const std::string&)> may_see_;
  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
};

TEST(MatchesPattern, IsThatOfLike) {
  for (const auto& [name, pattern] :
       std::vector<std::pair<std::string, std::string>>{{"orders", "orders"},
                                                        {"orders", "%"},
                                                        {"orders", "o%s"},
                                                        {"orders", "______"},
                                                        {"orders", "%d%r%"},
                                                        {"", ""},
                                                        {"", "%"},
                                                        {"a_b", "a\\_b"},
                                                        {"a%b", "%\\%b"}}) {
    EXPECT_TRUE(MatchesPattern(name, pattern)) << name << " " << pattern;
  }
  for (const auto& [name, pattern] :
       std::vector<std::pair<std::string, std::string>>{{"orders", "order"},
                                                        {"orders", ""},
                                                        {"orders", "_____"},
                                                        {"orders", "o%x"},
                                                        {"axb", "a\\_b"},
                                                        {"Orders", "orders"}}) {
    EXPECT_FALSE(MatchesPattern(name, pattern)) << name << " " << pattern;
  }
}

TEST(Unwrap, KnowsFlightSqlMessagesFromAnythingElse) {
  EXPECT_EQ(Unwrap(Wrap("CommandGetTables", "x"))->name, "CommandGetTables");
  EXPECT_EQ(Unwrap(Wrap("CommandGetTables", "x"))->value, "x");
  for (const std::string text : {"", "select 1",
                                 "\x0a\x03"
                                 "a/b",
                                 "\xff\xff"}) {
    EXPECT_FALSE(Unwrap(text).has_value()) << text;
  }
}

TEST_F(MetadataCommandsTest, ListsTheCatalogItsSchemasAndTheirTables) {
  EXPECT_THAT(Texts(*Ask("CommandGetCatalogs"), "catalog_name"), ElementsAre("pond"));
  EXPECT_THAT(Texts(*Ask("CommandGetTableTypes"), "table_type"), ElementsAre("TABLE"));
  messages::CommandGetDbSchemas schemas;
  EXPECT_THAT(Texts(*Ask("CommandGetDbSchemas", schemas), "db_schema_name"),
              ElementsAre("arka", "eu.sales", "sales"));
  schemas.set_db_schema_filter_pattern("%sales");
  EXPECT_THAT(Texts(*Ask("CommandGetDbSchemas", schemas), "db_schema_name"),
              ElementsAre("eu.sales", "sales"));
  schemas.set_catalog("lake");
  EXPECT_EQ(Ask("CommandGetDbSchemas", schemas)->num_rows(), 0);

  messages::CommandGetTables tables;
  const auto all = Ask("CommandGetTables", tables);
  EXPECT_THAT(Texts(*all, "db_schema_name"), ElementsAre("eu.sales", "sales", "sales"));
  EXPECT_THAT(Texts(*all, "table_name"), ElementsAre("o_1", "orders", "users"));
  EXPECT_EQ(all->num_columns(), 4);
  tables.set_table_name_filter_pattern("o\\_%");
  EXPECT_THAT(Texts(*Ask("CommandGetTables", tables), "table_name"), ElementsAre("o_1"));
  tables.add_table_types("VIEW");
  EXPECT_EQ(Ask("CommandGetTables", tables)->num_rows(), 0);
}

TEST_F(MetadataCommandsTest, TablesComeWithTheirSchemas) {
  messages::CommandGetTables tables;
  tables.set_include_schema(true);
  tables.set_table_name_filter_pattern("orders");
  const auto answer = Ask("CommandGetTables", tables);
  ASSERT_EQ(answer->num_rows(), 1);
  const auto bytes = static_cast<const arrow::BinaryArray&>(*answer->column(4)).GetString(0);
  arrow::ipc::DictionaryMemo memo;
  arrow::io::BufferReader reader(arrow::Buffer::FromString(bytes));
  const auto schema = arrow::ipc::ReadSchema(&reader, &memo).ValueOrDie();
  ASSERT_EQ(schema->num_fields(), 1);
  EXPECT_EQ(schema->field(0)->name(), "id");
  EXPECT_FALSE(schema->field(0)->nullable());
  EXPECT_EQ(schema->field(0)->metadata()->Get("ARROW:FLIGHT:SQL:TYPE_NAME").ValueOrDie(), "BIGINT");
}

TEST_F(MetadataCommandsTest, WhatMayNotBeReadIsNotListed) {
  may_see_ = [](const std::string& table) { return table == "sales.users"; };
  EXPECT_THAT(Texts(*Ask("CommandGetTables"), "table_name"), ElementsAre("users"));
  EXPECT_THAT(Texts(*Ask("CommandGetDbSchemas"), "db_schema_name"), ElementsAre("arka", "sales"));
}

TEST_F(MetadataCommandsTest, KeysAreNone) {
  EXPECT_EQ(Ask("CommandGetPrimaryKeys")->num_columns(), 6);
  for (const char* command :
       {"CommandGetExportedKeys", "CommandGetImportedKeys", "CommandGetCrossReference"}) {
    EXPECT_EQ(Ask(command)->num_columns(), 13);
    EXPECT_EQ(Ask(command)->num_rows(), 0);
  }
}

TEST_F(MetadataCommandsTest, SqlInfoAnswersWhatIsAskedForAndKnown) {
  messages::CommandGetSqlInfo info;
  EXPECT_GT(Ask("CommandGetSqlInfo", info)->num_rows(), 70);
  info.add_info(1);
  info.add_info(9'999);
  info.add_info(3);
  const auto answer = Ask("CommandGetSqlInfo", info);
  ASSERT_EQ(answer->num_rows(), 2);
  EXPECT_EQ(answer->column(1)->GetScalar(0).ValueOrDie()->ToString(),
            "union{string_value: string not null = 1.2.3}");
}

TEST_F(MetadataCommandsTest, TypesAreListedByTheirNumbers) {
  messages::CommandGetXdbcTypeInfo types;
  const auto all = Ask("CommandGetXdbcTypeInfo", types);
  const auto& numbers = static_cast<const arrow::Int32Array&>(*all->column(1));
  for (int64_t i = 1; i < numbers.length(); ++i) {
    EXPECT_LE(numbers.Value(i - 1), numbers.Value(i));
  }
  types.set_data_type(93);
  EXPECT_THAT(Texts(*Ask("CommandGetXdbcTypeInfo", types), "type_name"),
              ElementsAre("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"));
}

}  // namespace
}  // namespace arka::flight_sql
