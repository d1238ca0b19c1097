#include "arka/sql_worker/worker.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/byte_size.h>

#include "arka/sql/run_request.h"
#include "arka/sql/statement_check.h"
#include "arka/sql_worker/mapped_rows.h"
#include "arka/sql_worker/parameters.h"
#include "arka/sql_worker/result_stream.h"

namespace arka::sql_worker {
namespace {

using sql::FrameKind;

constexpr std::chrono::hours kForever{1'000'000};
/// Clients in Go and Rust take messages of at most 4 MB unless they are told otherwise.
constexpr int64_t kMessageBytes = 2 << 20;

// The buffers of a record batch's body as the IPC format has them: each padded to 8 bytes.
std::vector<std::shared_ptr<arrow::Buffer>> BodyOf(const arrow::ipc::IpcPayload& payload) {
  static const uint8_t kZeros[8] = {};
  std::vector<std::shared_ptr<arrow::Buffer>> parts;
  for (const auto& buffer : payload.body_buffers) {
    if (buffer == nullptr || buffer->size() == 0) continue;
    parts.push_back(buffer);
    const int64_t padding = (8 - buffer->size() % 8) % 8;
    if (padding > 0) parts.push_back(std::make_shared<arrow::Buffer>(kZeros, padding));
  }
  return parts;
}

// One for each table that has any.
Result<std::vector<MappedRows>> RowsOf(const sql::RunRequest& request,
                                       const std::vector<FileDescriptor>& files) {
  std::vector<MappedRows> tables;
  size_t next_file = 0;
  for (const auto& table : request.tables) {
    if (table.rows.empty()) continue;
    MappedRows& rows = tables.emplace_back();
    for (const auto& range : table.rows) {
      if (next_file == files.size()) {
        return Error(ErrorCode::kInternal, "fewer files came than are named");
      }
      ARROW_RETURN_NOT_OK(MapRows(files[next_file++], range, rows));
    }
  }
  return tables;
}

Status Bind(const OwnedStatement& statement, const std::shared_ptr<arrow::Buffer>& parameters) {
  if (parameters->size() == 0) {
    return BindParameters(statement,
                          *arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        arrow::ipc::RecordBatchStreamReader::Open(
                            std::make_shared<arrow::io::BufferReader>(parameters)));
  ARROW_ASSIGN_OR_RAISE(const auto row, reader->Next());
  if (row == nullptr) return Error(ErrorCode::kInvalidRequest, "the parameters have no row");
  return BindParameters(statement, *row);
}

}  // namespace

Status Worker::Run() {
  ARROW_RETURN_NOT_OK(OpenDatabases());
  while (true) {
    auto frame = channel_.Receive(kForever);
    if (!frame.ok()) {
      return CodeOf(frame.status()) == ErrorCode::kUnavailable ? Status::OK() : frame.status();
    }
    const Status answered = Answer(*std::move(frame));
    if (!answered.ok()) {
      ARROW_RETURN_NOT_OK(channel_.Send(FrameKind::kError, sql::ErrorToJson(answered)));
    }
    ARROW_RETURN_NOT_OK(OpenDatabases());
  }
}

Status Worker::OpenDatabases() {
  if (without_files_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(without_files_, Database::Open(options_));
    ARROW_RETURN_NOT_OK(without_files_->Lock({}));
  }
  if (unlocked_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(unlocked_, Database::Open(options_));
  }
  return Status::OK();
}

Result<Database*> Worker::DatabaseFor(const std::vector<sql::WorkerTable>& tables) {
  if (without_files_->MayRead(tables)) return without_files_.get();
  if (with_files_ == nullptr || !with_files_->MayRead(tables)) {
    with_files_ = std::move(unlocked_);
    ARROW_RETURN_NOT_OK(with_files_->Lock(tables));
  }
  return with_files_.get();
}

Status Worker::Answer(sql::Frame frame) {
  switch (frame.kind) {
    case FrameKind::kParse:
      return Parse(frame.text);
    case FrameKind::kDescribe:
      return Describe(std::move(frame));
    case FrameKind::kRun:
      return Execute(std::move(frame));
    default:
      return Error(ErrorCode::kInternal, "a query worker was sent what it does not know");
  }
}

Status Worker::Parse(const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const std::string tree, without_files_->SyntaxTree(sql));
  ARROW_ASSIGN_OR_RAISE(const auto tables, sql::CheckStatement(tree));
  return channel_.Send(FrameKind::kParsed, sql::ToJson(tables));
}

Status Worker::Describe(sql::Frame frame) {
  ARROW_ASSIGN_OR_RAISE(auto request, sql::ParseRunRequest(frame.text));
  ARROW_RETURN_NOT_OK(without_files_->SetTables(request.tables, {}));
  ARROW_ASSIGN_OR_RAISE(const auto statement, without_files_->Prepare(request.sql));
  const duckdb_connection connection = without_files_->connection();
  ARROW_ASSIGN_OR_RAISE(const auto result, ResultSchemaOf(connection, statement));
  ARROW_ASSIGN_OR_RAISE(const auto parameters, ParameterSchemaOf(connection, statement));
  ARROW_ASSIGN_OR_RAISE(const auto first, arrow::ipc::SerializeSchema(*result));
  ARROW_ASSIGN_OR_RAISE(const auto second, arrow::ipc::SerializeSchema(*parameters));
  return channel_.Send(FrameKind::kDescribed, "", {first, second});
}

Status Worker::Execute(sql::Frame frame) {
  ARROW_ASSIGN_OR_RAISE(auto request, sql::ParseRunRequest(frame.text));
  ARROW_ASSIGN_OR_RAISE(Database* const database, DatabaseFor(request.tables));
  ARROW_ASSIGN_OR_RAISE(auto rows, RowsOf(request, frame.files));
  ARROW_RETURN_NOT_OK(database->SetTables(request.tables, std::move(rows)));
  const auto run = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto statement, database->Prepare(request.sql));
    ARROW_RETURN_NOT_OK(Bind(statement, frame.body));
    return SendRows(*database, statement);
  };
  const Status ran = run();
  // What was mapped for it goes with the tables.
  ARROW_RETURN_NOT_OK(database->SetTables({}, {}));
  return ran;
}

// The schema goes out before anything runs: whoever waits can turn to something else meanwhile.
// What parameters make of it is known only then.
Status Worker::SendRows(Database& database, const OwnedStatement& statement) {
  std::shared_ptr<arrow::Schema> announced;
  if (duckdb_nparams(statement.get()) == 0) {
    ARROW_ASSIGN_OR_RAISE(announced, ResultSchemaOf(database.connection(), statement));
    ARROW_RETURN_NOT_OK(SendSchema(*announced));
  }
  ARROW_ASSIGN_OR_RAISE(auto rows, ResultStream::Start(statement));
  if (announced == nullptr) {
    ARROW_RETURN_NOT_OK(SendSchema(*rows.schema()));
  } else if (!rows.schema()->Equals(*announced)) {
    return Error(ErrorCode::kInternal, "the result's columns are not those that were announced: ",
                 rows.schema()->ToString(), " instead of ", announced->ToString());
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows.Next());
    if (batch == nullptr) return channel_.Send(FrameKind::kDone, "");
    const int64_t bytes = std::max<int64_t>(arrow::util::TotalBufferSize(*batch), 1);
    const int64_t rows = std::max<int64_t>(batch->num_rows() * kMessageBytes / bytes, 1);
    for (int64_t first = 0; first < batch->num_rows(); first += rows) {
      ARROW_RETURN_NOT_OK(SendBatch(*batch->Slice(first, rows)));
    }
  }
}

Status Worker::SendSchema(const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(schema));
  return channel_.Send(FrameKind::kSchema, "", {message});
}

Status Worker::SendBatch(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  ARROW_RETURN_NOT_OK(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload));
  const std::string_view metadata(reinterpret_cast<const char*>(payload.metadata->data()),
                                  static_cast<size_t>(payload.metadata->size()));
  return channel_.Send(FrameKind::kRows, metadata, BodyOf(payload));
}

}  // namespace arka::sql_worker
