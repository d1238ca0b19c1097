#include "arka/http/ndjson_rows.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/json/api.h>
#include <arrow/table.h>
#include <nlohmann/json.hpp>

namespace arka::http {
namespace {

using arrow::json::UnexpectedFieldBehavior;

constexpr size_t kMaxSearchedLineBytes = 64 << 10;  // longer ones are not searched for the column

// Arrow's JSON reader takes these as numbers only.
bool IsReadAsText(const arrow::DataType& type) {
  return arrow::is_date(type.id()) || arrow::is_time(type.id());
}

std::shared_ptr<arrow::Schema> ReadSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    // Nulls in required columns are found later, with the row's number.
    fields.push_back(
        arrow::field(field->name(), IsReadAsText(*field->type()) ? arrow::utf8() : field->type()));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::Table>> Read(std::string_view text, const arrow::Schema& schema,
                                           UnexpectedFieldBehavior unexpected) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.use_threads = false;
  read.block_size = static_cast<int32_t>(text.size() + 1);
  auto parse = arrow::json::ParseOptions::Defaults();
  parse.explicit_schema = ReadSchema(schema);
  parse.unexpected_field_behavior = unexpected;
  const auto bytes = std::make_shared<arrow::Buffer>(text);
  ARROW_ASSIGN_OR_RAISE(
      auto reader, arrow::json::TableReader::Make(arrow::default_memory_pool(),
                                                  std::make_shared<arrow::io::BufferReader>(bytes),
                                                  read, parse));
  ARROW_ASSIGN_OR_RAISE(auto rows, reader->Read());
  for (int i = 0; i < rows->num_columns(); ++i) {
    const auto field = schema.GetFieldByName(rows->field(i)->name());
    if (field == nullptr || !IsReadAsText(*field->type())) continue;
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::compute::Cast(rows->column(i), field->type()));
    ARROW_ASSIGN_OR_RAISE(rows, rows->SetColumn(i, field, column.chunked_array()));
  }
  return rows;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool Fails(std::string_view text, const arrow::Schema& schema) {
  return !IsBlank(text) && !Read(text, schema, UnexpectedFieldBehavior::Error).ok();
}

/// The first line that does not parse: each half is tried, so that this costs about what parsing
/// all of it costs.
size_t FirstBadLine(const std::vector<std::string_view>& lines, const arrow::Schema& schema) {
  size_t first = 0, count = lines.size();
  while (count > 1) {
    const size_t half = count / 2;
    const std::string_view begin = lines[first], end = lines[first + half - 1];
    const auto size = static_cast<size_t>(end.data() + end.size() - begin.data());
    if (Fails({begin.data(), size}, schema)) {
      count = half;
    } else {
      first += half;
      count -= half;
    }
  }
  return first;
}

/// What is wrong with a line, with the name of the column where one is at fault.
std::string FaultOf(std::string_view line, const arrow::Schema& schema, const Status& error) {
  if (line.size() > kMaxSearchedLineBytes) return error.message();
  const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!row.is_object()) return "not a JSON object: " + error.message();
  for (const auto& [name, value] : row.items()) {
    if (schema.GetFieldIndex(name) < 0) return "the table has no column '" + name + "'";
  }
  for (const auto& field : schema.fields()) {
    const auto read = Read(line, *arrow::schema({field}), UnexpectedFieldBehavior::Ignore);
    if (!read.ok()) {
      return "column '" + field->name() + "' (" + field->type()->ToString() +
             "): " + read.status().message();
    }
  }
  return error.message();
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> ParseNdjson(const std::shared_ptr<arrow::Buffer>& body,
                                                  const std::shared_ptr<arrow::Schema>& schema) {
  const std::string_view text(*body);
  auto rows = Read(text, *schema, UnexpectedFieldBehavior::Error);
  if (rows.ok()) return rows;
  const auto lines = LinesOf(text);
  const size_t bad = FirstBadLine(lines, *schema);
  return Error(ErrorCode::kInvalidRequest, "NDJSON: line ", bad + 1, ": ",
               FaultOf(lines[bad], *schema, rows.status()), ". Nothing was written");
}

}  // namespace arka::http
