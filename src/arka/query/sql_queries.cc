#include "arka/query/sql_queries.h"

#include <algorithm>
#include <optional>

#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/lake/arrow_schema.h"
#include "arka/lake/data_file_shape.h"
#include "arka/query/sql_types.h"
#include "arka/query/table_naming.h"
#include "arka/query/table_scan.h"

namespace arka::query {
namespace {

using sql::FrameKind;
using std::chrono::steady_clock;

constexpr size_t kMaxStatementBytes = 256 << 10;
constexpr size_t kMaxTables = 64;
constexpr size_t kMaxKnownFiles = 200'000;

Status CheckSize(const std::string& sql) {
  if (sql.size() <= kMaxStatementBytes) return Status::OK();
  return Error(ErrorCode::kTooLarge, "a statement may have ", kMaxStatementBytes,
               " bytes, and this one has ", sql.size());
}

Result<std::vector<sql::WorkerColumn>> ColumnsOf(const iceberg::TableIdentifier& table,
                                                 const arrow::Schema& schema) {
  std::vector<sql::WorkerColumn> columns;
  for (const auto& field : schema.fields()) {
    auto type = SqlTypeOf(*field->type());
    if (!type.ok()) {
      return WithContext(type.status(), table.ToString() + ", column '" + field->name() + "'");
    }
    columns.push_back({*lake::FieldIdOf(*field), field->name(), *std::move(type)});
  }
  return columns;
}

Result<std::shared_ptr<arrow::Buffer>> Serialized(const arrow::RecordBatch& row) {
  ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeStreamWriter(out, row.schema()));
  ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(row));
  ARROW_RETURN_NOT_OK(writer->Close());
  return out->Finish();
}

SqlOptions WithCatalog(SqlOptions options, const std::string& catalog) {
  options.workers.worker.catalog = catalog;
  return options;
}

Result<std::shared_ptr<arrow::Schema>> ReadSchemaFrom(arrow::io::InputStream& stream) {
  arrow::ipc::DictionaryMemo dictionaries;
  return arrow::ipc::ReadSchema(&stream, &dictionaries);
}

}  // namespace

SqlQueries::SqlQueries(const ReadSource& source, SqlOptions options)
    : source_(source),
      options_(WithCatalog(std::move(options), source.catalog_name)),
      fresh_rows_(source_, options_.fresh_rows_memory_bytes),
      workers_(options_.workers),
      threads_("arka-sql", 2 * options_.workers.max_workers) {}

// A name without a namespace is known to the worker in the server's default one, wherever it lies.
Result<SqlQueries::NamedTable> SqlQueries::Resolve(const sql::TableReference& reference,
                                                   const SqlStatement& statement) const {
  const std::string& known = options_.workers.worker.default_namespace;
  const TableNaming naming{source_.catalog_name, statement.default_namespace.empty()
                                                     ? known
                                                     : statement.default_namespace};
  NamedTable table;
  ARROW_ASSIGN_OR_RAISE(table.identifier, naming.Resolve(reference));
  table.seen.namespace_name = reference.namespace_name.empty() ? known : reference.namespace_name;
  table.seen.name = reference.name;
  return table;
}

Result<std::vector<sql::TableReference>> SqlQueries::Parse(const SqlStatement& statement,
                                                           Deadline deadline) {
  if (auto known = statements_.TablesOf(statement.sql)) return *std::move(known);
  ARROW_RETURN_NOT_OK(CheckSize(statement.sql));
  ARROW_ASSIGN_OR_RAISE(auto worker, workers_.Acquire());
  ARROW_RETURN_NOT_OK(SendFrame(worker, FrameKind::kParse, statement.sql));
  ARROW_ASSIGN_OR_RAISE(const sql::Frame parsed,
                        ReceiveFrame(worker, FrameKind::kParsed, FrameKind::kParsed, deadline));
  worker.set_reusable(true);
  ARROW_ASSIGN_OR_RAISE(auto references, sql::ParseTableReferences(parsed.text));
  statements_.LearnTables(statement.sql, references);
  return references;
}

Result<std::vector<SqlQueries::NamedTable>> SqlQueries::TablesOf(const SqlStatement& statement,
                                                                 Deadline deadline) {
  ARROW_ASSIGN_OR_RAISE(const auto references, Parse(statement, deadline));
  std::vector<NamedTable> tables;
  for (const auto& reference : references) {
    ARROW_ASSIGN_OR_RAISE(NamedTable table, Resolve(reference, statement));
    const auto same = std::find_if(tables.begin(), tables.end(), [&](const NamedTable& other) {
      return other.seen.namespace_name == table.seen.namespace_name &&
             other.seen.name == table.seen.name;
    });
    if (same != tables.end() && same->identifier == table.identifier) continue;
    if (same != tables.end()) {
      return Error(ErrorCode::kInvalidRequest, "'", table.seen.name, "' is ",
                   same->identifier.ToString(), " here, and ", table.identifier.ToString(),
                   " too: name both with their namespaces");
    }
    if (statement.may_read) ARROW_RETURN_NOT_OK(statement.may_read(table.identifier));
    tables.push_back(std::move(table));
  }
  if (tables.size() > kMaxTables) {
    return Error(ErrorCode::kTooLarge, "a statement may read ", kMaxTables,
                 " tables, and this one reads ", tables.size());
  }
  return tables;
}

Result<SqlDescription> SqlQueries::Describe(const SqlStatement& statement) {
  const Deadline deadline = steady_clock::now() + options_.timeout;
  SqlDescription description;
  ARROW_ASSIGN_OR_RAISE(auto tables, TablesOf(statement, deadline));
  sql::RunRequest request{.sql = statement.sql};
  for (auto& [identifier, seen] : tables) {
    ARROW_ASSIGN_OR_RAISE(const auto schema, SchemaOf(identifier, statement.as_of));
    ARROW_ASSIGN_OR_RAISE(seen.columns, ColumnsOf(identifier, *schema));
    request.tables.push_back(std::move(seen));
    description.tables.push_back(identifier);
  }
  if (auto known = statements_.SchemasOf(statement.sql, request.tables)) {
    description.schema = std::move(known->result);
    description.parameters = std::move(known->parameters);
    return description;
  }
  ARROW_ASSIGN_OR_RAISE(auto worker, workers_.Acquire());
  ARROW_RETURN_NOT_OK(SendFrame(worker, FrameKind::kDescribe, ToJson(request)));
  ARROW_ASSIGN_OR_RAISE(const sql::Frame described, ReceiveFrame(worker, FrameKind::kDescribed,
                                                                 FrameKind::kDescribed, deadline));
  arrow::io::BufferReader schemas(described.body);
  ARROW_ASSIGN_OR_RAISE(description.schema, ReadSchemaFrom(schemas));
  ARROW_ASSIGN_OR_RAISE(description.parameters, ReadSchemaFrom(schemas));
  worker.set_reusable(true);
  statements_.LearnSchemas(statement.sql, std::move(request.tables),
                           {description.schema, description.parameters});
  return description;
}

Result<std::unique_ptr<SqlResult>> SqlQueries::Execute(const SqlStatement& statement) {
  const Deadline deadline = steady_clock::now() + options_.timeout;
  ARROW_ASSIGN_OR_RAISE(auto tables, TablesOf(statement, deadline));
  sql::RunRequest request{.sql = statement.sql};
  std::vector<RowsPart> rows;
  std::vector<int> files;
  auto local_files = std::make_unique<LocalFiles>(options_.data_file_cache);
  for (NamedTable& table : tables) {
    ARROW_ASSIGN_OR_RAISE(auto parts, ReadTable(&table, statement.as_of, *local_files, deadline));
    request.tables.push_back(std::move(table.seen));
    for (auto& part : parts) {
      files.push_back(part.file->number());
      rows.push_back(std::move(part));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto worker, workers_.Acquire());
  std::vector<std::shared_ptr<arrow::Buffer>> parameters;
  if (statement.parameters != nullptr) {
    ARROW_ASSIGN_OR_RAISE(parameters.emplace_back(), Serialized(*statement.parameters));
  }
  ARROW_RETURN_NOT_OK(SendFrame(worker, FrameKind::kRun, ToJson(request), parameters, files));
  ARROW_ASSIGN_OR_RAISE(const sql::Frame first,
                        ReceiveFrame(worker, FrameKind::kSchema, FrameKind::kSchema, deadline));
  arrow::io::BufferReader stream(first.body);
  ARROW_ASSIGN_OR_RAISE(auto schema, ReadSchemaFrom(stream));
  return std::make_unique<SqlResult>(std::move(worker), std::move(schema), deadline,
                                     std::move(rows), std::move(local_files));
}

Result<std::shared_ptr<arrow::Schema>> SqlQueries::SchemaOf(const iceberg::TableIdentifier& table,
                                                            const AsOf& as_of) const {
  if (as_of.is_now()) {
    ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, LoadTable(source_, table));
    return lake::ArrowSchemaOf(*loaded.metadata->current_schema());
  }
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, TakeSnapshot(source_, table, as_of));
  return snapshot->schema;
}

// Workers read the data files that they can; the rows of all others, and those that are fresh, are
// read here.
Result<std::vector<RowsPart>> SqlQueries::ReadTable(NamedTable* table, const AsOf& as_of,
                                                    LocalFiles& local_files, Deadline deadline) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, TakeSnapshot(source_, table->identifier, as_of));
  ARROW_ASSIGN_OR_RAISE(table->seen.columns, ColumnsOf(table->identifier, *snapshot->schema));
  std::vector<iceberg::DataFile> rest;
  const size_t schema = std::hash<std::string>()(snapshot->schema->fingerprint() +
                                                 snapshot->schema->metadata_fingerprint());
  ARROW_ASSIGN_OR_RAISE(const auto local, local_files.Find(snapshot->files, deadline));
  for (size_t i = 0; i < local.size(); ++i) {
    const auto& file = snapshot->files[i];
    bool by_worker = false;
    if (local[i]) {
      ARROW_ASSIGN_OR_RAISE(by_worker, IsReadByWorkers(*snapshot, schema, file, *local[i]));
    }
    if (by_worker) {
      table->seen.files.push_back(local[i]->path);
    } else {
      rest.push_back(file);
    }
  }
  // What is kept of fresh rows may be more than an older state has.
  std::vector<RowsPart> parts;
  if (as_of.is_now()) ARROW_RETURN_NOT_OK(fresh_rows_.Read(snapshot).Value(&parts));
  const bool fresh = !as_of.is_now() && snapshot->has_fresh_rows();
  if (fresh || !rest.empty()) {
    ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), ReadHere(*snapshot, std::move(rest), fresh));
  }
  for (const auto& part : parts) table->seen.rows.push_back({part.begin, part.end});
  return parts;
}

Result<RowsPart> SqlQueries::ReadHere(const TableSnapshot& snapshot,
                                      std::vector<iceberg::DataFile> files, bool fresh) {
  auto only = std::make_shared<TableSnapshot>(snapshot);
  only->files = std::move(files);
  ARROW_ASSIGN_OR_RAISE(auto rows, RowsFile::Make(*snapshot.schema, fresh_rows_.budget()));
  const int64_t begin = rows->size_bytes();
  TableScan scan(source_, only, {.fresh = fresh, .last_file = only->files.size()});
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, scan.Next());
    if (batch == nullptr) return RowsPart{rows, begin, rows->size_bytes()};
    ARROW_RETURN_NOT_OK(rows->Append(*batch));
  }
}

// Data files do not change, so that each is looked at once.
Result<bool> SqlQueries::IsReadByWorkers(const TableSnapshot& snapshot, size_t schema,
                                         const iceberg::DataFile& file, const LocalFile& local) {
  {
    std::lock_guard lock(mutex_);
    const auto known = read_by_workers_.find(file.file_path);
    if (known != read_by_workers_.end() && known->second == schema) return true;
  }
  ARROW_ASSIGN_OR_RAISE(const bool found,
                        local.is_copy
                            ? lake::IsCopyFoundByRootIds(local.path, file, *snapshot.schema)
                            : lake::IsFoundByRootIds(source_.warehouse, file, *snapshot.schema));
  if (!found) return false;
  std::lock_guard lock(mutex_);
  if (read_by_workers_.size() >= kMaxKnownFiles) read_by_workers_.clear();
  read_by_workers_[file.file_path] = schema;
  return true;
}

}  // namespace arka::query
