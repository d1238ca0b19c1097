#include "arka/http/csv_rows.h"

#include <charconv>
#include <string>
#include <string_view>

#include <arrow/csv/api.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>

namespace arka::http {
namespace {

constexpr std::string_view kColumn = "In CSV column #";

Result<std::shared_ptr<arrow::Table>> Read(const std::shared_ptr<arrow::Buffer>& body,
                                           const arrow::csv::ConvertOptions& convert) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.block_size = static_cast<int32_t>(body->size() + 1);  // so that rows are counted through
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  ARROW_ASSIGN_OR_RAISE(
      auto reader, arrow::csv::TableReader::Make(arrow::io::default_io_context(),
                                                 std::make_shared<arrow::io::BufferReader>(body),
                                                 read, parse, convert));
  return reader->Read();
}

// Arrow counts columns; people know their names.
std::string NamedColumn(const std::string& message, const std::shared_ptr<arrow::Buffer>& body) {
  if (!message.starts_with(kColumn)) return message;
  size_t index = 0;
  const char* begin = message.data() + kColumn.size();
  const auto [end, error] = std::from_chars(begin, message.data() + message.size(), index);
  const std::string_view text(*body);
  const auto header = std::make_shared<arrow::Buffer>(
      body->data(), static_cast<int64_t>(std::min(text.size(), text.find('\n') + 1)));
  const auto names = Read(header, arrow::csv::ConvertOptions::Defaults());
  if (error != std::errc() || !names.ok() ||
      index >= static_cast<size_t>((*names)->num_columns())) {
    return message;
  }
  return "column '" + (*names)->field(static_cast<int>(index))->name() + "'" +
         std::string(end, message.data() + message.size());
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> ParseCsv(const std::shared_ptr<arrow::Buffer>& body,
                                               const std::shared_ptr<arrow::Schema>& schema) {
  auto convert = arrow::csv::ConvertOptions::Defaults();
  for (const auto& field : schema->fields()) convert.column_types[field->name()] = field->type();
  convert.null_values = {""};
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  auto rows = Read(body, convert);
  if (rows.ok()) return rows;
  return Error(ErrorCode::kInvalidRequest, "CSV: ", NamedColumn(rows.status().message(), body),
               "; the header line is row 1. Nothing was written");
}

}  // namespace arka::http
