// The check of statements on DuckDB's own syntax trees.
#include "arka/sql/statement_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/sql_worker/database.h"
#include "arka/testing/matchers.h"

namespace arka::sql_worker {
namespace {

using sql::TableReference;
using ::testing::HasSubstr;

class StatementCheckTest : public ::testing::Test {
 protected:
  Result<std::vector<TableReference>> Check(const std::string& sql) {
    ARROW_ASSIGN_OR_RAISE(const std::string tree, database_->SyntaxTree(sql));
    return sql::CheckStatement(tree);
  }

  /// "a.b c" for the tables a.b and c.
  std::string Tables(const std::string& sql) {
    const auto tables = Check(sql);
    if (!tables.ok()) return tables.status().message();
    std::string out;
    for (const auto& table : *tables) {
      if (!out.empty()) out += ' ';
      if (!table.catalog.empty()) out += table.catalog + ".";
      if (!table.namespace_name.empty()) out += table.namespace_name + ".";
      out += table.name;
    }
    return out;
  }

  std::unique_ptr<Database> database_ = Database::Open({}).ValueOrDie();
};

TEST_F(StatementCheckTest, AllTablesThatAreReadAreNamed) {
  EXPECT_EQ(Tables("SELECT 1"), "");
  EXPECT_EQ(Tables("FROM orders"), "orders");
  EXPECT_EQ(Tables("SELECT * FROM sales.orders o, lake.eu.users, sales.orders"),
            "sales.orders lake.eu.users");
  EXPECT_EQ(Tables("SELECT (SELECT max(x) FROM a) FROM b WHERE EXISTS (SELECT 1 FROM c) OR y IN "
                   "(FROM d) ORDER BY (SELECT 1 FROM e) LIMIT (SELECT 1 FROM f)"),
            "a b c d e f");
  EXPECT_EQ(Tables("SELECT 1 FROM a UNION ALL (SELECT 2 FROM b EXCEPT SELECT 3 FROM c)"), "a b c");
  EXPECT_EQ(Tables("SELECT * FROM a JOIN b USING (x) LEFT JOIN LATERAL (FROM c) ON true"), "a b c");
  EXPECT_EQ(Tables("DESCRIBE s.t"), "s.t");
  EXPECT_EQ(Tables("SELECT * FROM \"odd name\".\"x\"\"y\""), "odd name.x\"y");
  EXPECT_EQ(Tables("SELECT * FROM (PIVOT s.t ON x IN (1, 2) USING sum(y))"), "s.t");
}

TEST_F(StatementCheckTest, NamesOfCommonTableExpressionsAreNoTables) {
  EXPECT_EQ(Tables("WITH a AS (FROM b), c AS (FROM a) SELECT * FROM a, c"), "b");
  // It is not recursive: the inner one is the table.
  EXPECT_EQ(Tables("WITH orders AS (SELECT * FROM orders) SELECT * FROM orders"), "orders");
  // Nor can one be seen that comes later, or from outside.
  EXPECT_EQ(Tables("WITH a AS (FROM b), b AS (SELECT 1) SELECT * FROM a, b"), "b");
  EXPECT_EQ(Tables("SELECT * FROM (WITH a AS (SELECT 1) FROM a) t, a"), "a");
  EXPECT_EQ(Tables("WITH a AS (SELECT 1) SELECT (SELECT count(*) FROM a)"), "");
  EXPECT_EQ(Tables("WITH a AS (SELECT 1) SELECT * FROM s.a"), "s.a");
  EXPECT_EQ(Tables("WITH Recent AS (FROM a) SELECT * FROM rECENT"), "a");
  EXPECT_EQ(Tables("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) "
                   "SELECT * FROM n"),
            "");
}

TEST_F(StatementCheckTest, OnlyOneSelectIsLetThrough) {
  for (const char* sql : {"INSERT INTO a VALUES (1)",
                          "CREATE TABLE a AS SELECT 1",
                          "DROP TABLE a",
                          "SET threads = 1",
                          "PRAGMA version",
                          "CALL pragma_version()",
                          "COPY (SELECT 1) TO '/tmp/x'",
                          "ATTACH '/tmp/x'",
                          "LOAD httpfs",
                          "INSTALL httpfs",
                          "EXPORT DATABASE '/tmp/x'",
                          "EXPLAIN SELECT 1",
                          "EXPLAIN ANALYZE SELECT 1",
                          "BEGIN",
                          "CHECKPOINT",
                          "VACUUM",
                          "USE main",
                          "PREPARE p AS SELECT 1",
                          "CREATE MACRO m() AS 1",
                          "CREATE SECRET s (TYPE s3)",
                          "SET VARIABLE a = 1",
                          "DETACH lake",
                          "WITH a AS (SELECT 1) INSERT INTO b FROM a",
                          "UPDATE a SET b = 1"}) {
    EXPECT_EQ(CodeOf(Check(sql).status()), ErrorCode::kInvalidRequest) << sql;
    EXPECT_THAT(Tables(sql), HasSubstr("only one SELECT statement")) << sql;
  }
  EXPECT_THAT(Tables("SELECT 1; DROP TABLE a"), HasSubstr("only one SELECT"));
  EXPECT_THAT(Tables("SELECT 1; SELECT 2"), HasSubstr("not 2"));
  EXPECT_THAT(Tables("SELECT 1 FROM"), HasSubstr("syntax error"));
  EXPECT_THAT(Tables("SHOW TABLES"), HasSubstr("SHOW is not allowed"));
}

TEST_F(StatementCheckTest, FunctionsThatReachOutOfTheStatementAreRefused) {
  for (const char* function :
       {"read_csv('/etc/passwd')", "read_text('/etc/passwd')", "read_parquet('/x')", "glob('/*')",
        "duckdb_settings()", "duckdb_secrets()", "query('SELECT 1')", "query_table('a')",
        "pragma_database_list()", "arka_rows(0)", "sniff_csv('/etc/passwd')",
        "which_secret('a', 'b')", "parquet_metadata('/x')", "json_execute_serialized_sql('x')",
        "test_all_types()"}) {
    EXPECT_THAT(Tables("SELECT * FROM " + std::string(function)), HasSubstr("is not allowed"))
        << function;
    EXPECT_THAT(Tables("SELECT 1 WHERE EXISTS (FROM " + std::string(function) + ")"),
                HasSubstr("is not allowed"))
        << function;
  }
  EXPECT_THAT(Tables("SELECT getenv('HOME')"), HasSubstr("getenv is not allowed"));
  EXPECT_THAT(Tables("SELECT GetEnv('HOME')"), HasSubstr("is not allowed"));
  EXPECT_THAT(Tables("SELECT upper(current_setting('temp_directory'))"),
              HasSubstr("current_setting is not allowed"));
  EXPECT_EQ(Tables("SELECT sum(i) FROM range(3) t(i), unnest([1, 2])"), "");
  // A file's name is a table's, which no catalog has.
  EXPECT_EQ(Tables("FROM '/etc/passwd'"), "/etc/passwd");
}

TEST_F(StatementCheckTest, DeeplyNestedStatementsAreRefusedUnlessTheyOnlyLookSo) {
  std::string sql = "SELECT ";
  for (int i = 0; i < 5'000; ++i) sql += "(";
  sql += "1";
  for (int i = 0; i < 5'000; ++i) sql += ")";
  EXPECT_EQ(Tables(sql), "");
  std::string nested = "SELECT 1";
  for (int i = 0; i < 400; ++i) nested = "SELECT * FROM (" + nested + ")";
  EXPECT_THAT(Tables(nested), HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace arka::sql_worker
