#include "arka/protocol/server_status.h"

#include <arrow/builder.h>
#include <nlohmann/json.hpp>

namespace arka::protocol {

namespace {

nlohmann::ordered_json ToJson(const TableStatus& table) {
  return {
      {"name", table.name},
      {"uuid", table.uuid},
      {"committed_lsn", table.committed_lsn.value},
      {"pending_writes", table.pending_writes},
      {"pending_bytes", table.pending_bytes},
      {"last_commit_us", table.last_commit_us},
      {"problem", table.problem},
      {"problem_since_us", table.problem_since_us},
  };
}

}  // namespace

std::string ToJson(const ServerStatus& status) {
  auto tables = nlohmann::ordered_json::array();
  for (const TableStatus& table : status.tables) tables.push_back(ToJson(table));
  const nlohmann::ordered_json json = {
      {"disk_lsn", status.watermarks.disk_lsn.value},
      {"s3_lsn", status.watermarks.s3_lsn.value},
      {"committed_lsn", status.watermarks.committed_lsn.value},
      {"last_lsn", status.watermarks.last_lsn.value},
      {"lag_seconds", status.lag_seconds},
      {"version", status.version},
      {"node", status.node},
      {"ready", status.ready},
      {"problem", status.problem},
      {"write_memory_bytes", status.write_memory_bytes},
      {"write_memory_limit_bytes", status.write_memory_limit_bytes},
      {"log_bytes", status.log_bytes},
      {"log_limit_bytes", status.log_limit_bytes},
      {"undurable_bytes", status.undurable_bytes},
      {"process_memory_bytes", status.process_memory_bytes},
      {"process_memory_limit_bytes", status.process_memory_limit_bytes},
      {"waiting_writes", status.waiting_writes},
      {"waited_writes", status.waited_writes},
      {"refused_writes", status.refused_writes},
      {"backlog_bytes", status.backlog_bytes},
      {"backlog_first_lsn", status.backlog_first_lsn.value},
      {"backlog_last_lsn", status.backlog_last_lsn.value},
      {"tables", std::move(tables)},
  };
  // Errors come from outside too, and may be no UTF-8.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ServerStatus& status) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  const auto add = [&](const char* name, auto builder, const auto& value) -> Status {
    ARROW_RETURN_NOT_OK(builder.Append(value));
    ARROW_ASSIGN_OR_RAISE(auto column, builder.Finish());
    fields.push_back(arrow::field(name, column->type(), /*nullable=*/false));
    columns.push_back(std::move(column));
    return Status::OK();
  };
  const Watermarks& watermarks = status.watermarks;
  ARROW_RETURN_NOT_OK(add("disk_lsn", arrow::Int64Builder(), watermarks.disk_lsn.value));
  ARROW_RETURN_NOT_OK(add("s3_lsn", arrow::Int64Builder(), watermarks.s3_lsn.value));
  ARROW_RETURN_NOT_OK(add("committed_lsn", arrow::Int64Builder(), watermarks.committed_lsn.value));
  ARROW_RETURN_NOT_OK(add("last_lsn", arrow::Int64Builder(), watermarks.last_lsn.value));
  ARROW_RETURN_NOT_OK(add("lag_seconds", arrow::DoubleBuilder(), status.lag_seconds));
  ARROW_RETURN_NOT_OK(add("version", arrow::StringBuilder(), status.version));
  ARROW_RETURN_NOT_OK(add("node", arrow::StringBuilder(), status.node));
  ARROW_RETURN_NOT_OK(add("ready", arrow::BooleanBuilder(), status.ready));
  ARROW_RETURN_NOT_OK(add("problem", arrow::StringBuilder(), status.problem));
  const auto add_int = [&](const char* name, int64_t value) {
    return add(name, arrow::Int64Builder(), value);
  };
  ARROW_RETURN_NOT_OK(add_int("write_memory_bytes", status.write_memory_bytes));
  ARROW_RETURN_NOT_OK(add_int("write_memory_limit_bytes", status.write_memory_limit_bytes));
  ARROW_RETURN_NOT_OK(add_int("log_bytes", status.log_bytes));
  ARROW_RETURN_NOT_OK(add_int("log_limit_bytes", status.log_limit_bytes));
  ARROW_RETURN_NOT_OK(add_int("undurable_bytes", status.undurable_bytes));
  ARROW_RETURN_NOT_OK(add_int("process_memory_bytes", status.process_memory_bytes));
  ARROW_RETURN_NOT_OK(add_int("process_memory_limit_bytes", status.process_memory_limit_bytes));
  ARROW_RETURN_NOT_OK(add_int("waiting_writes", status.waiting_writes));
  ARROW_RETURN_NOT_OK(add_int("waited_writes", status.waited_writes));
  ARROW_RETURN_NOT_OK(add_int("refused_writes", status.refused_writes));
  ARROW_RETURN_NOT_OK(add_int("backlog_bytes", status.backlog_bytes));
  ARROW_RETURN_NOT_OK(add_int("backlog_first_lsn", status.backlog_first_lsn.value));
  ARROW_RETURN_NOT_OK(add_int("backlog_last_lsn", status.backlog_last_lsn.value));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), 1, std::move(columns));
}

}  // namespace arka::protocol
