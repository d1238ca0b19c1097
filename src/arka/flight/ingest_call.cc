#include "arka/flight/ingest_call.h"

#include <utility>

#include "arka/flight/status_mapping.h"
#include "arka/flight/update_result.h"
#include "arka/flight_sql/any_message.h"
#include "arka/flight_sql/flight_sql.pb.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/table_name.h"

namespace arka::flight {

using Ingest = ::arrow::flight::protocol::sql::CommandStatementIngest;

namespace {

Result<ingest::IngestMode> ModeOf(const Ingest& command) {
  using Options = Ingest::TableDefinitionOptions;
  const Options& options = command.table_definition_options();
  ingest::IngestMode mode;
  switch (options.if_not_exist()) {
    case Options::TABLE_NOT_EXIST_OPTION_CREATE:
      mode.create_missing = true;
      break;
    case Options::TABLE_NOT_EXIST_OPTION_FAIL:
      mode.create_missing = false;
      break;
    default:
      return Error(ErrorCode::kInvalidRequest,
                   "CommandStatementIngest: if_not_exist is neither CREATE nor FAIL");
  }
  switch (options.if_exists()) {
    case Options::TABLE_EXISTS_OPTION_FAIL:
      mode.existing = ingest::IngestMode::Existing::kFail;
      break;
    case Options::TABLE_EXISTS_OPTION_APPEND:
      mode.existing = ingest::IngestMode::Existing::kAppend;
      break;
    case Options::TABLE_EXISTS_OPTION_REPLACE:
      mode.existing = ingest::IngestMode::Existing::kReplace;
      break;
    default:
      return Error(ErrorCode::kInvalidRequest,
                   "CommandStatementIngest: if_exists is none of FAIL, APPEND, REPLACE");
  }
  return mode;
}

}  // namespace

Result<IngestTarget> ParseIngest(const std::string& command, const query::TableNaming& naming) {
  ARROW_ASSIGN_OR_RAISE(const Ingest ingest,
                        flight_sql::ParseMessage<Ingest>("CommandStatementIngest", command));
  if (ingest.temporary()) {
    return Error(ErrorCode::kUnimplemented, "there are no temporary tables");
  }
  if (ingest.has_transaction_id()) {
    return Error(ErrorCode::kUnimplemented, "there are no transactions");
  }
  if (!ingest.options().empty()) {
    return Error(ErrorCode::kUnimplemented, "CommandStatementIngest: there is no option '",
                 ingest.options().begin()->first.substr(0, 100), "'");
  }
  if (!ingest.catalog().empty()) ARROW_RETURN_NOT_OK(naming.CheckCatalog(ingest.catalog()));
  std::vector<std::string> parts = {ingest.table()};
  if (!ingest.schema().empty()) parts.insert(parts.begin(), ingest.schema());
  ARROW_ASSIGN_OR_RAISE(auto table, protocol::ParseTableName(parts, naming.default_namespace));
  ARROW_ASSIGN_OR_RAISE(const auto mode, ModeOf(ingest));
  return IngestTarget{std::move(table), mode};
}

void IngestCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (finished_) return;
  if (sink_ != nullptr) return sink_->Add(std::move(message));
  // Until the table is there, little is taken.
  const Status begun = schema_ == nullptr ? Begin(message) : Status::OK();
  if (!begun.ok()) return Finish(begun);
  messages_.push_back(std::move(message));
}

void IngestCall::OnHalfClose() {
  half_closed_ = true;
  if (finished_) return;
  if (sink_ != nullptr) return sink_->Finish();
  if (schema_ == nullptr) {
    Finish(Error(ErrorCode::kInvalidRequest, "CommandStatementIngest came without a schema"));
  }
}

void IngestCall::OnCancelled(const transport::CallStatus& why) {
  if (drop_ != nullptr) drop_->GiveUp();
}

Status IngestCall::Begin(const std::shared_ptr<arrow::Buffer>& message) {
  ARROW_ASSIGN_OR_RAISE(const protocol::FlightData data, protocol::ParseFlightData(message));
  if (data.data_header == nullptr) return Status::OK();  // the descriptor alone
  ARROW_ASSIGN_OR_RAISE(schema_, ingest::DecodeSchema(data.data_header));
  call_.PauseReading();
  Prepare();
  return Status::OK();
}

void IngestCall::Prepare() {
  context_.engine.ChangeTables([&loop = context_.loop, weak = std::weak_ptr(self_),
                                table = identifier(), mode = target_.mode,
                                schema = schema_](ingest::TableChanges& changes) {
    loop.Post([weak, step = changes.PrepareIngest(table, *schema, mode)] {
      if (const auto alive = weak.lock()) (*alive)->OnPrepared(step);
    });
  });
}

void IngestCall::OnPrepared(const Result<ingest::IngestStep>& step) {
  if (!step.ok()) return Finish(step.status());
  if (*step == ingest::IngestStep::kDropFirst) {
    drop_ = std::make_unique<TableDrop>(
        context_, identifier(), [this](const Result<std::string>& uuid) {
          // One that somebody else has dropped meanwhile is gone as well.
          if (!uuid.ok() && CodeOf(uuid.status()) != ErrorCode::kNotFound)
            return Finish(uuid.status());
          Prepare();
        });
    return drop_->Begin();
  }
  sink_ = make_sink_(target_.table, [this](const Result<int64_t>& rows) { OnWritten(rows); });
  call_.ResumeReading();
  for (auto& message : std::exchange(messages_, {})) {
    if (!finished_) sink_->Add(std::move(message));
  }
  if (half_closed_ && !finished_) sink_->Finish();
}

void IngestCall::OnWritten(const Result<int64_t>& rows) {
  if (rows.ok()) call_.Write({UpdateResultMessage(*rows)});
  Finish(rows.status());
}

void IngestCall::Finish(const Status& status) {
  if (std::exchange(finished_, true)) return;
  call_.Finish(ToCallStatus(status));
}

}  // namespace arka::flight
