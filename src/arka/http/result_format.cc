#include "arka/http/result_format.h"

#include <array>
#include <utility>

#include <arrow/array.h>
#include <arrow/csv/writer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/checked_cast.h>

#include "arka/http/write_request.h"

namespace arka::http {
namespace {

using Piece = Result<std::shared_ptr<arrow::Buffer>>;

std::shared_ptr<arrow::Buffer> Text(std::string text) {
  return arrow::Buffer::FromString(std::move(text));
}

class ArrowFormat : public ResultFormat {
 public:
  std::string_view media_type() const override { return kArrowStreamType; }
  Piece Begin(const arrow::Schema& schema) override { return arrow::ipc::SerializeSchema(schema); }
  Piece Rows(const arrow::RecordBatch& rows) override {
    return arrow::ipc::SerializeRecordBatch(rows, arrow::ipc::IpcWriteOptions::Defaults());
  }
  // Arrow's columnar format, "IPC Streaming Format": a continuation, and no metadata.
  std::shared_ptr<arrow::Buffer> End() override {
    return Text(std::string("\xff\xff\xff\xff\0\0\0\0", 8));
  }
};

class CsvFormat : public ResultFormat {
 public:
  std::string_view media_type() const override { return kCsvType; }
  Piece Begin(const arrow::Schema& schema) override {
    ARROW_ASSIGN_OR_RAISE(const auto none, arrow::RecordBatch::MakeEmpty(schema.WithMetadata({})));
    return Write(*none, true);
  }
  Piece Rows(const arrow::RecordBatch& rows) override { return Write(rows, false); }
  std::shared_ptr<arrow::Buffer> End() override { return Text(""); }

 private:
  static Piece Write(const arrow::RecordBatch& rows, bool header) {
    ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::BufferOutputStream::Create());
    auto options = arrow::csv::WriteOptions::Defaults();
    options.include_header = header;
    const Status written = arrow::csv::WriteCSV(rows, options, out.get());
    if (!written.ok()) {
      return Error(ErrorCode::kInvalidRequest,
                   "the result cannot be written as CSV: ", written.message(),
                   "; cast the column to text, or ask for JSON or Arrow");
    }
    return out->Finish();
  }
};

// DuckDB writes the objects, so that nested values and dates look as they do there.
class JsonFormat : public ResultFormat {
 public:
  explicit JsonFormat(bool lines) : lines_(lines) {}

  std::string_view media_type() const override { return lines_ ? kNdjsonType : kJsonType; }
  std::string Statement(const std::string& sql) const override {
    const size_t end = sql.find_last_not_of("; \t\r\n");
    return "SELECT CAST(to_json(arka_row) AS VARCHAR) FROM (\n" +
           sql.substr(0, end == std::string::npos ? 0 : end + 1) + "\n) AS arka_row";
  }
  Piece Begin(const arrow::Schema& schema) override { return Text(lines_ ? "" : "["); }
  Piece Rows(const arrow::RecordBatch& rows) override {
    const auto& objects = arrow::internal::checked_cast<const arrow::StringArray&>(*rows.column(0));
    std::string text;
    for (int64_t i = 0; i < objects.length(); ++i) {
      if (!lines_ && !std::exchange(first_, false)) text += ",\n";
      text += objects.GetView(i);
      if (lines_) text += '\n';
    }
    return Text(std::move(text));
  }
  std::shared_ptr<arrow::Buffer> End() override { return Text(lines_ ? "" : "]\n"); }

 private:
  const bool lines_;
  bool first_ = true;
};

std::unique_ptr<ResultFormat> FormatNamed(std::string_view type) {
  if (type == kArrowStreamType) return std::make_unique<ArrowFormat>();
  if (type == kCsvType) return std::make_unique<CsvFormat>();
  if (type == kNdjsonType || type == kJsonlType) return std::make_unique<JsonFormat>(true);
  for (std::string_view json : {kJsonType, std::string_view("*/*"),
                                std::string_view("application/*"), std::string_view("")}) {
    if (type == json) return std::make_unique<JsonFormat>(false);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<ResultFormat> ResultFormat::Of(const transport::HttpRequest& request) {
  std::string_view accepted = transport::Find(request.headers, "accept").value_or("");
  while (true) {
    const size_t comma = accepted.find(',');
    std::string_view type = accepted.substr(0, comma);
    type = type.substr(0, type.find(';'));
    while (type.starts_with(' ')) type.remove_prefix(1);
    while (type.ends_with(' ')) type.remove_suffix(1);
    if (auto format = FormatNamed(type)) return format;
    if (comma == std::string_view::npos) return nullptr;
    accepted.remove_prefix(comma + 1);
  }
}

}  // namespace arka::http
