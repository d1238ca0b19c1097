#include "arka/sql/run_request.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace arka::sql {

using nlohmann::json;

// Where nlohmann-json finds the conversions of a type.
static void to_json(json& out, const WorkerColumn& column) {
  out = {{"id", column.field_id}, {"name", column.name}, {"type", column.type}};
}
static void from_json(const json& in, WorkerColumn& column) {
  in.at("id").get_to(column.field_id);
  in.at("name").get_to(column.name);
  in.at("type").get_to(column.type);
}
static void to_json(json& out, const RowsRange& range) { out = {range.begin, range.end}; }
static void from_json(const json& in, RowsRange& range) {
  in.at(0).get_to(range.begin);
  in.at(1).get_to(range.end);
}
static void to_json(json& out, const WorkerTable& table) {
  out = {{"namespace", table.namespace_name},
         {"name", table.name},
         {"columns", table.columns},
         {"files", table.files},
         {"rows", table.rows}};
}
static void from_json(const json& in, WorkerTable& table) {
  in.at("namespace").get_to(table.namespace_name);
  in.at("name").get_to(table.name);
  in.at("columns").get_to(table.columns);
  in.at("files").get_to(table.files);
  in.at("rows").get_to(table.rows);
}
static void to_json(json& out, const RunRequest& request) {
  out = {{"sql", request.sql}, {"tables", request.tables}};
}
static void from_json(const json& in, RunRequest& request) {
  in.at("sql").get_to(request.sql);
  in.at("tables").get_to(request.tables);
}
static void to_json(json& out, const TableReference& table) {
  out = {table.catalog, table.namespace_name, table.name};
}
static void from_json(const json& in, TableReference& table) {
  in.at(0).get_to(table.catalog);
  in.at(1).get_to(table.namespace_name);
  in.at(2).get_to(table.name);
}

namespace {

template <typename Value>
Result<Value> Parse(std::string_view text) {
  try {
    return json::parse(text).get<Value>();
  } catch (const json::exception& exception) {
    return Error(ErrorCode::kInternal, "a query worker's channel: ", exception.what());
  }
}

// Names and messages may hold bytes that are not UTF-8: they are replaced.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string ToJson(const RunRequest& request) { return Dump(request); }
Result<RunRequest> ParseRunRequest(std::string_view text) { return Parse<RunRequest>(text); }

std::string ToJson(const std::vector<TableReference>& tables) { return Dump(tables); }
Result<std::vector<TableReference>> ParseTableReferences(std::string_view text) {
  return Parse<std::vector<TableReference>>(text);
}

std::string ErrorToJson(const Status& status) {
  return Dump({{"code", static_cast<int>(CodeOf(status))}, {"message", status.message()}});
}

Status ParseError(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const json error, Parse<json>(text));
  const int code = error.value("code", -1);
  if (code < 0 || static_cast<size_t>(code) >= kErrorCodeCount) {
    return Error(ErrorCode::kInternal, "a query worker's channel: an error without a code");
  }
  return Error(static_cast<ErrorCode>(code), error.value("message", ""));
}

}  // namespace arka::sql
