#include "arka/sql_worker/database.h"

#include <algorithm>
#include <utility>

#include "arka/sql/quoting.h"

namespace arka::sql_worker {

using sql::Literal;
using sql::Quoted;

namespace {

template <typename Items, typename ToText>
std::string Join(const Items& items, ToText to_text) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ", ";
    out += to_text(item);
  }
  return out;
}

std::string FilesOf(const sql::WorkerTable& table) {
  return "[" + Join(table.files, Literal) + "]";
}

// The columns as read_parquet finds them: by field id, whatever their names in the files.
std::string ReadParquet(const sql::WorkerTable& table) {
  return "SELECT " +
         Join(table.columns, [](const sql::WorkerColumn& c) { return Quoted(c.name); }) +
         " FROM read_parquet(" + FilesOf(table) + ", schema = MAP {" +
         Join(table.columns,
              [](const sql::WorkerColumn& c) {
                return std::to_string(c.field_id) + ": {name: " + Literal(c.name) +
                       ", type: " + Literal(c.type) + ", default_value: NULL}";
              }) +
         "})";
}

std::string ReadRows(const sql::WorkerTable& table, size_t index) {
  return "SELECT " +
         Join(table.columns,
              [](const sql::WorkerColumn& c) {
                return "CAST(" + Quoted(c.name) + " AS " + c.type + ") AS " + Quoted(c.name);
              }) +
         " FROM " + std::string(kRowsFunction) + "(" + std::to_string(index) + ")";
}

std::string NoRows(const sql::WorkerTable& table) {
  return "SELECT " +
         Join(table.columns,
              [](const sql::WorkerColumn& c) {
                return "CAST(NULL AS " + c.type + ") AS " + Quoted(c.name);
              }) +
         " WHERE false";
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database);
  OwnedConfig config;
  duckdb_create_config(config.out());
  const std::pair<const char*, std::string> settings[] = {
      {"threads", std::to_string(options.threads)},
      {"memory_limit", std::to_string(options.memory_limit_bytes) + "B"},
      {"temp_directory", ""},
      {"autoload_known_extensions", "false"},
      {"autoinstall_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"allow_persistent_secrets", "false"},
      // What it keeps of files would count against the limit for the whole process.
      {"enable_external_file_cache", "false"},
  };
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config.get(), name, value.c_str()) != DuckDBSuccess) {
      return Error(ErrorCode::kInternal, "DuckDB does not take ", name, " = ", value);
    }
  }
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, database->database_.out(), config.get(), &message) !=
      DuckDBSuccess) {
    const std::string text = message == nullptr ? "" : message;
    duckdb_free(message);
    return Error(ErrorCode::kInternal, "DuckDB does not start: ", text);
  }
  if (duckdb_connect(database->database_.get(), database->connection_.out()) != DuckDBSuccess ||
      duckdb_connect(database->database_.get(), database->conversions_.out()) != DuckDBSuccess) {
    return Error(ErrorCode::kInternal, "DuckDB gives no connection");
  }
  database->rows_.connection = database->conversions_.get();
  ARROW_RETURN_NOT_OK(database->Execute("SET TimeZone = 'UTC'"));
  database->catalog_ = Quoted(options.catalog);
  const std::string home = database->catalog_ + "." + Quoted(options.default_namespace);
  ARROW_RETURN_NOT_OK(database->Execute("ATTACH ':memory:' AS " + database->catalog_));
  ARROW_RETURN_NOT_OK(database->Execute("CREATE SCHEMA IF NOT EXISTS " + home));
  ARROW_RETURN_NOT_OK(database->Execute("USE " + home));
  ARROW_RETURN_NOT_OK(RegisterRowsFunction(database->connection_.get(), database->rows_));
  return database;
}

Database::~Database() = default;

Status Database::Execute(const std::string& sql) {
  OwnedResult result;
  if (duckdb_query(connection_.get(), sql.c_str(), result.out()) == DuckDBSuccess) {
    return Status::OK();
  }
  const Status failed = DuckDbError(duckdb_result_error(result.out()));
  return WithContext(failed, "DuckDB, " + sql.substr(0, 200));
}

Result<std::string> Database::SyntaxTree(const std::string& sql) {
  OwnedStatement statement;
  OwnedResult result;
  if (duckdb_prepare(connection_.get(), "SELECT json_serialize_sql(CAST($1 AS VARCHAR))",
                     statement.out()) != DuckDBSuccess ||
      duckdb_bind_varchar_length(statement.get(), 1, sql.data(), sql.size()) != DuckDBSuccess ||
      duckdb_execute_prepared(statement.get(), result.out()) != DuckDBSuccess) {
    return DuckDbError(duckdb_result_error(result.out()));
  }
  const OwnedChunk chunk(duckdb_fetch_chunk(*result.out()));
  if (chunk.get() == nullptr) return Error(ErrorCode::kInternal, "DuckDB gave no syntax tree");
  auto* const texts = static_cast<duckdb_string_t*>(
      duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)));
  return std::string(duckdb_string_t_data(texts), duckdb_string_t_length(*texts));
}

Status Database::Lock(const std::vector<sql::WorkerTable>& tables) {
  std::unordered_set<std::string> files;
  for (const auto& table : tables) files.insert(table.files.begin(), table.files.end());
  ARROW_RETURN_NOT_OK(Execute("SET allowed_paths = [" + Join(files, Literal) + "]"));
  ARROW_RETURN_NOT_OK(Execute("SET enable_external_access = false"));
  ARROW_RETURN_NOT_OK(Execute("SET lock_configuration = true"));
  files_ = std::move(files);
  return Status::OK();
}

bool Database::MayRead(const std::vector<sql::WorkerTable>& tables) const {
  return files_ && std::all_of(tables.begin(), tables.end(), [&](const sql::WorkerTable& table) {
           return std::all_of(table.files.begin(), table.files.end(),
                              [&](const auto& file) { return files_->contains(file); });
         });
}

Status Database::SetTables(const std::vector<sql::WorkerTable>& tables,
                           std::vector<MappedRows> rows) {
  for (const auto& view : views_) ARROW_RETURN_NOT_OK(Execute("DROP VIEW " + view));
  views_.clear();
  rows_.tables = std::move(rows);
  size_t next_rows = 0;
  for (const auto& table : tables) {
    // With the catalog, of which the namespace may have the name.
    const std::string schema = catalog_ + "." + Quoted(table.namespace_name);
    ARROW_RETURN_NOT_OK(Execute("CREATE SCHEMA IF NOT EXISTS " + schema));
    std::string query;
    if (!table.files.empty()) query = ReadParquet(table);
    if (!table.rows.empty()) {
      query += (query.empty() ? "" : " UNION ALL ") + ReadRows(table, next_rows++);
    }
    if (query.empty()) query = NoRows(table);
    const std::string view = schema + "." + Quoted(table.name);
    ARROW_RETURN_NOT_OK(Execute("CREATE VIEW " + view + " AS " + query));
    views_.push_back(view);
  }
  return Status::OK();
}

Result<OwnedStatement> Database::Prepare(const std::string& sql) {
  OwnedStatement statement;
  if (duckdb_prepare(connection_.get(), sql.c_str(), statement.out()) != DuckDBSuccess) {
    return DuckDbError(duckdb_prepare_error(statement.get()));
  }
  if (duckdb_prepared_statement_type(statement.get()) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return Error(ErrorCode::kInvalidRequest, "only SELECT statements are answered");
  }
  return statement;
}

}  // namespace arka::sql_worker
