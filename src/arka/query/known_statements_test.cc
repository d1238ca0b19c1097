#include "arka/query/known_statements.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace arka::query {
namespace {

const std::vector<sql::TableReference> kOrders = {{"", "sales", "orders"}};

std::vector<sql::WorkerTable> TablesWith(const std::string& column) {
  return {{"sales", "orders", {{1, column, "BIGINT"}}, {}, {}}};
}

KnownStatements::Schemas SchemasWith(const std::string& column) {
  return {arrow::schema({arrow::field(column, arrow::int64())}), arrow::schema({})};
}

TEST(KnownStatementsTest, TheTablesOfAStatementAreKnownOnceLearned) {
  KnownStatements statements;
  EXPECT_EQ(statements.TablesOf("SELECT 1"), std::nullopt);
  statements.LearnTables("SELECT 1", {});
  statements.LearnTables("SELECT * FROM sales.orders", kOrders);
  EXPECT_EQ(statements.TablesOf("SELECT 1"), std::vector<sql::TableReference>{});
  EXPECT_EQ(statements.TablesOf("SELECT * FROM sales.orders"), kOrders);
}

TEST(KnownStatementsTest, SchemasHoldForJustTheColumnsThatTheyWereLearnedWith) {
  KnownStatements statements;
  const std::string sql = "SELECT * FROM sales.orders";
  statements.LearnSchemas(sql, TablesWith("id"), SchemasWith("id"));
  EXPECT_FALSE(statements.SchemasOf(sql, TablesWith("id")).has_value()) << "its tables are unknown";
  statements.LearnTables(sql, kOrders);
  EXPECT_FALSE(statements.SchemasOf(sql, TablesWith("id")).has_value());
  statements.LearnSchemas(sql, TablesWith("id"), SchemasWith("id"));
  ASSERT_TRUE(statements.SchemasOf(sql, TablesWith("id")).has_value());
  EXPECT_EQ(statements.SchemasOf(sql, TablesWith("id"))->result->field(0)->name(), "id");
  EXPECT_FALSE(statements.SchemasOf(sql, TablesWith("number")).has_value());
  statements.LearnSchemas(sql, TablesWith("number"), SchemasWith("number"));
  EXPECT_EQ(statements.SchemasOf(sql, TablesWith("number"))->result->field(0)->name(), "number");
}

TEST(KnownStatementsTest, TheLeastRecentlyUsedIsForgottenAndLongTextsAreNotKept) {
  KnownStatements statements(/*max_statements=*/2, /*max_statement_bytes=*/10);
  statements.LearnTables("a", kOrders);
  statements.LearnTables("b", kOrders);
  EXPECT_TRUE(statements.TablesOf("a").has_value());
  statements.LearnTables("c", kOrders);
  EXPECT_EQ(statements.size(), 2);
  EXPECT_TRUE(statements.TablesOf("a").has_value());
  EXPECT_FALSE(statements.TablesOf("b").has_value());
  EXPECT_TRUE(statements.TablesOf("c").has_value());
  statements.LearnTables("longer than ten bytes", kOrders);
  EXPECT_FALSE(statements.TablesOf("longer than ten bytes").has_value());
}

}  // namespace
}  // namespace arka::query
