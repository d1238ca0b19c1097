#include "arka/sql_worker/database.h"

#include <fstream>

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/file.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "arka/sql_worker/result_stream.h"
#include "arka/testing/matchers.h"
#include "arka/testing/temp_directory.h"

namespace arka::sql_worker {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<arrow::Field> Column(int id, const std::string& name,
                                     std::shared_ptr<arrow::DataType> type) {
  return arrow::field(name, std::move(type), true,
                      arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id)}));
}

class DatabaseTest : public ::testing::Test {
 protected:
  std::string WriteParquet(const std::string& name,
                           const std::shared_ptr<arrow::RecordBatch>& rows) {
    const std::string path = directory_.path() + "/" + name;
    const auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    const auto table = arrow::Table::FromRecordBatches({rows}).ValueOrDie();
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    EXPECT_THAT(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 1 << 20,
                                           parquet::default_writer_properties(), arrow_properties),
                IsOk());
    EXPECT_THAT(out->Close(), IsOk());
    return path;
  }

  /// The answer as text, or the error.
  std::string Ask(const std::string& sql) {
    const auto run = [&]() -> Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(const auto statement, database_->Prepare(sql));
      ARROW_ASSIGN_OR_RAISE(auto rows, ResultStream::Start(statement));
      std::string out;
      while (true) {
        ARROW_ASSIGN_OR_RAISE(const auto batch, rows.Next());
        if (batch == nullptr) return out;
        for (int64_t row = 0; row < batch->num_rows(); ++row) {
          for (int i = 0; i < batch->num_columns(); ++i) {
            ARROW_ASSIGN_OR_RAISE(const auto value, batch->column(i)->GetScalar(row));
            out += (i == 0 ? "" : " ") + value->ToString();
          }
          out += ";";
        }
      }
    };
    const auto answer = run();
    return answer.ok() ? *answer : answer.status().message();
  }

  TempDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open({}).ValueOrDie();
};

TEST_F(DatabaseTest, ANamespaceMayHaveTheNameOfTheCatalog) {
  database_ = Database::Open({.catalog = "sales"}).ValueOrDie();
  sql::WorkerTable table;
  table.namespace_name = "sales";
  table.name = "orders";
  table.columns = {{1, "id", "BIGINT"}};
  for (int i = 0; i < 2; ++i) ASSERT_THAT(database_->SetTables({table}, {}), IsOk());
  EXPECT_EQ(Ask("SELECT count(id) FROM sales.sales.orders"), "0;");
  EXPECT_THAT(Ask("SELECT count(id) FROM sales.orders"), HasSubstr("use a fully qualified path"));
}

std::shared_ptr<arrow::RecordBatch> Numbers(const std::shared_ptr<arrow::Field>& column,
                                            const std::vector<int32_t>& values) {
  arrow::Int32Builder builder;
  EXPECT_THAT(builder.AppendValues(values), IsOk());
  return arrow::RecordBatch::Make(arrow::schema({column}), static_cast<int64_t>(values.size()),
                                  {builder.Finish().ValueOrDie()});
}

TEST_F(DatabaseTest, ColumnsOfFilesAreFoundByIdAndPromotedAndNullWhereTheyAreMissing) {
  const std::string old_file =
      WriteParquet("old.parquet", Numbers(Column(1, "old_name", arrow::int32()), {1, 2}));
  const std::string odd_file =
      WriteParquet("it's.parquet", Numbers(Column(1, "name \"x\"", arrow::int32()), {3}));
  const sql::WorkerTable table{"sales",
                               "orders",
                               {{1, "name \"x\"", "BIGINT"}, {2, "added", "VARCHAR"}},
                               {old_file, odd_file}};
  ASSERT_THAT(database_->Lock({table}), IsOk());
  ASSERT_THAT(database_->SetTables({table}, {}), IsOk());
  EXPECT_EQ(Ask("SELECT * FROM sales.orders ORDER BY 1"), "1 null;2 null;3 null;");
  EXPECT_EQ(Ask("SELECT typeof(\"name \"\"x\"\"\") FROM sales.orders WHERE added IS NULL LIMIT 1"),
            "BIGINT;");
}

TEST_F(DatabaseTest, RowsAndFilesAreOneTable) {
  const auto column = Column(1, "id", arrow::int32());
  const std::string file = WriteParquet("a.parquet", Numbers(column, {1, 2}));
  const sql::WorkerTable table{"arka", "t", {{1, "id", "INTEGER"}}, {file}, {{}}};
  ASSERT_THAT(database_->Lock({table}), IsOk());
  const auto fresh = Numbers(column, {3, 4, 5});
  ASSERT_THAT(database_->SetTables({table}, {{fresh->schema(), {fresh, fresh}, 6}}), IsOk());
  EXPECT_EQ(Ask("SELECT count(*), sum(id) FROM t"), "8 27;");
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE id >= 4"), "4;");
  EXPECT_EQ(Ask("SELECT 1 FROM t WHERE id = 2"), "1;");
  ASSERT_THAT(database_->SetTables({}, {}), IsOk());
  EXPECT_THAT(Ask("SELECT * FROM t"), HasSubstr("t does not exist"));
}

TEST_F(DatabaseTest, OnceLockedNothingButTheTablesFilesIsReadAndNothingIsWritten) {
  const std::string mine =
      WriteParquet("mine.parquet", Numbers(Column(1, "id", arrow::int32()), {1}));
  const std::string other =
      WriteParquet("other.parquet", Numbers(Column(1, "id", arrow::int32()), {2}));
  const sql::WorkerTable table{"arka", "t", {{1, "id", "INTEGER"}}, {mine}};
  EXPECT_FALSE(database_->MayRead({table}));
  ASSERT_THAT(database_->Lock({table}), IsOk());
  EXPECT_TRUE(database_->MayRead({table}));
  EXPECT_TRUE(database_->MayRead({}));
  EXPECT_FALSE(database_->MayRead({table, {"arka", "u", {{1, "id", "INTEGER"}}, {other}}}));
  ASSERT_THAT(database_->SetTables({table}, {}), IsOk());
  EXPECT_EQ(Ask("SELECT id FROM t"), "1;");
  // Whatever the check of statements would let through by mistake:
  for (const std::string& sql :
       {"SELECT * FROM read_parquet('" + other + "')",
        "SELECT * FROM read_parquet('" + directory_.path() + "/*.parquet')",
        "SELECT * FROM '" + other + "'", std::string("SELECT * FROM read_text('/etc/passwd')"),
        std::string("SELECT * FROM read_blob('/proc/self/environ')"),
        std::string("SELECT * FROM read_csv('/etc/passwd')"),
        std::string("SELECT * FROM sniff_csv('/etc/passwd')"),
        std::string("SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')"),
        std::string("SELECT * FROM read_parquet('s3://bucket/x.parquet')"),
        std::string("FROM glob('/etc/*')")}) {
    EXPECT_THAT(Ask(sql),
                ::testing::AnyOf(HasSubstr("Permission Error"), HasSubstr("disabled"),
                                 HasSubstr("does not exist"), HasSubstr("Missing Extension")))
        << sql;
  }
  const std::string written = directory_.path() + "/written";
  for (const std::string& sql :
       {std::string("SET enable_external_access = true"),
        std::string("RESET enable_external_access"), std::string("SET threads = 64"),
        std::string("SET memory_limit = '100GB'"),
        std::string("SET allowed_paths = ['/etc/passwd']"), "COPY (SELECT 1) TO '" + written + "'",
        "ATTACH '" + written + "'", std::string("LOAD httpfs"), std::string("INSTALL httpfs"),
        std::string("CREATE TABLE x AS SELECT 1"),
        std::string("CREATE SECRET s (TYPE s3, KEY_ID 'a')")}) {
    EXPECT_THAT(Ask(sql),
                ::testing::AnyOf(HasSubstr("only SELECT statements are answered"),
                                 HasSubstr("Permission Error"), HasSubstr("does not exist")))
        << sql;
    OwnedResult result;
    const bool ran =
        duckdb_query(database_->connection(), sql.c_str(), result.out()) == DuckDBSuccess;
    // Tables and secrets in memory are its own affair.
    EXPECT_EQ(ran, sql.starts_with("CREATE TABLE")) << sql;
  }
  EXPECT_FALSE(std::ifstream(written).good());
}

TEST_F(DatabaseTest, EveryTypeOfATableComesThroughRowsAndFilesAlike) {
  const auto inner =
      arrow::struct_({Column(21, "x", arrow::int64()), Column(22, "y", arrow::utf8())});
  const arrow::FieldVector columns = {
      Column(1, "b", arrow::boolean()),
      Column(2, "i", arrow::int32()),
      Column(3, "l", arrow::int64()),
      Column(4, "f", arrow::float32()),
      Column(5, "d", arrow::float64()),
      Column(6, "dec", arrow::decimal128(18, 4)),
      Column(7, "big", arrow::decimal128(38, 10)),
      Column(8, "day", arrow::date32()),
      Column(9, "tod", arrow::time64(arrow::TimeUnit::MICRO)),
      Column(10, "ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
      Column(11, "tz", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
      Column(12, "ns", arrow::timestamp(arrow::TimeUnit::NANO)),
      Column(13, "tzns", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
      Column(14, "s", arrow::utf8()),
      Column(15, "u", arrow::extension::uuid()),
      Column(16, "fix", arrow::fixed_size_binary(3)),
      Column(17, "bin", arrow::binary()),
      Column(20, "st", inner),
      Column(23, "ls", arrow::list(Column(24, "element", arrow::int32()))),
      Column(25, "m",
             std::make_shared<arrow::MapType>(
                 arrow::field("key", arrow::utf8(), false,
                              arrow::key_value_metadata({"PARQUET:field_id"}, {"26"})),
                 Column(27, "value", arrow::int64())))};
  const std::vector<std::string> types = {"BOOLEAN",
                                          "INTEGER",
                                          "BIGINT",
                                          "FLOAT",
                                          "DOUBLE",
                                          "DECIMAL(18, 4)",
                                          "DECIMAL(38, 10)",
                                          "DATE",
                                          "TIME",
                                          "TIMESTAMP",
                                          "TIMESTAMP WITH TIME ZONE",
                                          "TIMESTAMP_NS",
                                          "TIMESTAMP WITH TIME ZONE",
                                          "VARCHAR",
                                          "UUID",
                                          "BLOB",
                                          "BLOB",
                                          "STRUCT(\"x\" BIGINT, \"y\" VARCHAR)",
                                          "INTEGER[]",
                                          "MAP(VARCHAR, BIGINT)"};
  // Two rows, one of them null.
  arrow::ArrayVector arrays;
  for (const auto& column : columns) {
    auto storage = column->type();
    const bool is_uuid = storage->id() == arrow::Type::EXTENSION;
    if (is_uuid) storage = arrow::fixed_size_binary(16);
    const auto builder = arrow::MakeBuilder(storage).ValueOrDie();
    ASSERT_THAT(builder->AppendEmptyValue(), IsOk());
    ASSERT_THAT(builder->AppendNull(), IsOk());
    auto array = builder->Finish().ValueOrDie();
    if (is_uuid) array = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), array);
    arrays.push_back(std::move(array));
  }
  const auto rows = arrow::RecordBatch::Make(arrow::schema(columns), 2, arrays);
  sql::WorkerTable files{"arka", "files", {}, {WriteParquet("all.parquet", rows)}};
  for (size_t i = 0; i < columns.size(); ++i) {
    files.columns.push_back(
        {std::stoi(columns[i]->metadata()->Get("PARQUET:field_id").ValueOrDie()),
         columns[i]->name(), types[i]});
  }
  sql::WorkerTable both = files;
  both.name = "everything";
  both.rows = {{}};
  sql::WorkerTable fresh = both;
  fresh.name = "fresh";
  fresh.files.clear();
  ASSERT_THAT(database_->Lock({files, both, fresh}), IsOk());
  const MappedRows mapped{rows->schema(), {rows}, 2};
  ASSERT_THAT(database_->SetTables({files, both, fresh}, {mapped, mapped}), IsOk());
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i]->name();
    const std::string from_files =
        Ask("SELECT " + name + "::VARCHAR, typeof(" + name + ") FROM files");
    EXPECT_THAT(from_files, HasSubstr("null")) << name;
    EXPECT_EQ(Ask("SELECT " + name + "::VARCHAR, typeof(" + name + ") FROM fresh"), from_files)
        << name;
    EXPECT_EQ(
        Ask("SELECT count(*), count(" + name + "), count(DISTINCT " + name + ") FROM everything"),
        "4 2 1;")
        << name;
  }
}

}  // namespace
}  // namespace arka::sql_worker
