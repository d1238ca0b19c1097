#include "arka/flight/statement_put_call.h"

#include <utility>

#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "arka/flight/flight.pb.h"
#include "arka/flight/status_mapping.h"
#include "arka/flight/update_result.h"
#include "arka/flight_sql/flight_sql.pb.h"
#include "arka/flight_sql/insert_statement.h"
#include "arka/ingest/stream_decoder.h"

namespace arka::flight {

namespace sql = ::arrow::flight::protocol::sql;

namespace {

constexpr int64_t kMaxParameterBytes = 16 << 20;
constexpr int64_t kMaxParameterRows = 10'000;

constexpr std::string_view kUpdate = "CommandStatementUpdate";
constexpr std::string_view kPreparedUpdate = "CommandPreparedStatementUpdate";
constexpr std::string_view kPreparedQuery = "CommandPreparedStatementQuery";

}  // namespace

bool IsStatementPut(const flight_sql::AnyMessage& command) {
  return command.name == kUpdate || command.name == kPreparedUpdate ||
         command.name == kPreparedQuery;
}

void StatementPutCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (finished_) return;
  const Status taken = Take(message);
  if (!taken.ok()) Finish(WithContext(taken, "parameters"));
}

Status StatementPutCall::Take(const std::shared_ptr<arrow::Buffer>& message) {
  ARROW_ASSIGN_OR_RAISE(const protocol::FlightData data, protocol::ParseFlightData(message));
  if (data.data_header == nullptr) return Status::OK();
  if (schema_ == nullptr) return ingest::DecodeSchema(data.data_header).Value(&schema_);
  return TakeBatch(data);
}

Status StatementPutCall::TakeBatch(const protocol::FlightData& data) {
  bytes_ += data.data_header->size() + (data.data_body == nullptr ? 0 : data.data_body->size());
  if (bytes_ > kMaxParameterBytes) {
    return Error(ErrorCode::kTooLarge, "they have more than ", kMaxParameterBytes, " bytes");
  }
  const auto wrong = [](const Status& status) {
    return Error(ErrorCode::kInvalidRequest, "a message is no record batch: ", status.message());
  };
  auto body = data.data_body != nullptr ? data.data_body : std::make_shared<arrow::Buffer>("");
  auto message = arrow::ipc::Message::Open(data.data_header, std::move(body));
  if (!message.ok()) return wrong(message.status());
  if ((*message)->type() != arrow::ipc::MessageType::RECORD_BATCH) {
    return Error(ErrorCode::kUnimplemented, "they cannot be dictionary-encoded");
  }
  auto batch = arrow::ipc::ReadRecordBatch(**message, schema_, nullptr,
                                           arrow::ipc::IpcReadOptions::Defaults());
  if (!batch.ok()) return wrong(batch.status());
  const Status valid = (*batch)->ValidateFull();
  if (!valid.ok()) return wrong(valid);
  batches_.push_back(*std::move(batch));
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> StatementPutCall::Parameters() const {
  if (schema_ == nullptr || schema_->num_fields() == 0 || batches_.empty()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches(schema_, batches_));
  if (table->num_rows() == 0) return nullptr;
  if (table->num_rows() > kMaxParameterRows) {
    return Error(ErrorCode::kTooLarge, "parameters: ", table->num_rows(), " rows, over ",
                 kMaxParameterRows, "; many rows are written faster by adbc_ingest or DoPut");
  }
  return table->CombineChunksToBatch();
}

void StatementPutCall::OnHalfClose() {
  if (finished_) return;
  const Status begun = Begin();
  if (!begun.ok()) Finish(begun);
}

Status StatementPutCall::Begin() {
  if (command_.name == kUpdate) {
    ARROW_ASSIGN_OR_RAISE(const auto asked, flight_sql::ParseMessage<sql::CommandStatementUpdate>(
                                                command_.name, command_.value));
    if (asked.has_transaction_id()) {
      return Error(ErrorCode::kUnimplemented, "there are no transactions");
    }
    return Execute(asked.query(), nullptr);
  }
  // The two have the same fields.
  ARROW_ASSIGN_OR_RAISE(
      const auto asked,
      flight_sql::ParseMessage<sql::CommandPreparedStatementQuery>(command_.name, command_.value));
  const std::string& handle = asked.prepared_statement_handle();
  if (command_.name == kPreparedQuery) return Bind(handle);
  ARROW_ASSIGN_OR_RAISE(auto statement,
                        session_.statements.Find(session_.caller->principal(), handle));
  ARROW_ASSIGN_OR_RAISE(auto parameters, Parameters());
  if (parameters == nullptr) parameters = statement.parameters;
  return Execute(std::move(statement.sql), std::move(parameters));
}

Status StatementPutCall::Bind(const std::string& handle) {
  ARROW_ASSIGN_OR_RAISE(auto parameters, Parameters());
  ARROW_RETURN_NOT_OK(
      session_.statements.Bind(session_.caller->principal(), handle, std::move(parameters)));
  sql::DoPutPreparedStatementResult bound;
  bound.set_prepared_statement_handle(handle);
  ::arrow::flight::protocol::PutResult result;
  result.set_app_metadata(bound.SerializeAsString());
  call_.Write({arrow::Buffer::FromString(result.SerializeAsString())});
  Finish(Status::OK());
  return Status::OK();
}

Status StatementPutCall::Execute(std::string text, std::shared_ptr<arrow::RecordBatch> parameters) {
  if (!flight_sql::IsInsert(text)) {
    return Error(ErrorCode::kInvalidRequest, "'", flight_sql::FirstWord(text).substr(0, 40),
                 "' is not run as an update: INSERT INTO is, and a query is run as a query. Tables "
                 "are made, altered and dropped by the actions create_table, alter_table and "
                 "drop_table");
  }
  ARROW_ASSIGN_OR_RAISE(query::SqlQueries * queries, session_.reads.sql());
  queries->Run([&loop = call_.loop(), weak = std::weak_ptr(self_), session = session_, queries,
                text = std::move(text), parameters = std::move(parameters)] {
    if (weak.expired()) return;
    loop.Post([weak, rows = flight_sql::ExecuteInsert(session.insert_context(*queries), text,
                                                      parameters)] {
      const auto alive = weak.lock();
      if (alive == nullptr) return;
      if (rows.ok()) (*alive)->call_.Write({UpdateResultMessage(*rows)});
      (*alive)->Finish(rows.status());
    });
  });
  return Status::OK();
}

void StatementPutCall::Finish(const Status& status) {
  if (std::exchange(finished_, true)) return;
  call_.Finish(ToCallStatus(status));
}

}  // namespace arka::flight
