#include "arka/http/queries.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <nlohmann/json.hpp>

#include "arka/http/error_answer.h"
#include "arka/http/result_format.h"
#include "arka/http/write_request.h"

namespace arka::http {
namespace {

using nlohmann::json;
using query::SqlQueries;
using query::SqlResult;

constexpr size_t kMaxQueuedBytes = 4 << 20;  // the rest waits for the client

Result<std::shared_ptr<arrow::Scalar>> ToScalar(const json& value) {
  if (value.is_null()) return arrow::MakeNullScalar(arrow::utf8());
  if (value.is_boolean()) return arrow::MakeScalar(value.get<bool>());
  if (value.is_number_integer()) return arrow::MakeScalar(value.get<int64_t>());
  if (value.is_number()) return arrow::MakeScalar(value.get<double>());
  if (value.is_string()) return arrow::MakeScalar(value.get<std::string>());
  return Error(ErrorCode::kInvalidRequest,
               "'parameters' may hold null, booleans, numbers and strings");
}

Result<std::shared_ptr<arrow::RecordBatch>> ToRow(const json& parameters) {
  if (!parameters.is_array()) {
    return Error(ErrorCode::kInvalidRequest, "'parameters' is no array");
  }
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const auto& value : parameters) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, ToScalar(value));
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::MakeArrayFromScalar(*scalar, 1));
    fields.push_back(arrow::field(std::to_string(fields.size() + 1), scalar->type));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), 1, std::move(columns));
}

// A body of text is the statement; one of JSON has it as "sql", with "parameters".
Result<query::SqlStatement> ParseStatement(const transport::HttpRequest& request) {
  query::SqlStatement statement;
  const std::string type = MediaType(request, "content-type");
  if (type == "text/plain" || type == "application/sql") {
    statement.sql = request.body_text();
    return statement;
  }
  const json body = json::parse(request.body_text(), nullptr, /*allow_exceptions=*/false);
  const auto sql = body.is_object() ? body.find("sql") : body.end();
  if (!body.is_object() || sql == body.end() || !sql->is_string()) {
    return Error(
        ErrorCode::kInvalidRequest,
        "the body must be a JSON object such as {\"sql\": \"SELECT 1\", \"parameters\": []}"
        ", or with content-type text/plain the statement itself");
  }
  statement.sql = sql->get<std::string>();
  for (const auto& [name, value] : body.items()) {
    if (name == "sql") continue;
    if (name != "parameters") {
      return Error(ErrorCode::kInvalidRequest, "the body has '", name.substr(0, 80),
                   "'; expected 'sql' and 'parameters'");
    }
    ARROW_ASSIGN_OR_RAISE(statement.parameters, ToRow(value));
  }
  return statement;
}

// One answer: its rows are read on the threads for queries, a piece at a time.
struct Answer {
  std::shared_ptr<SqlResult> rows;
  std::unique_ptr<ResultFormat> format;

  /// Null: there are no more.
  Result<std::shared_ptr<arrow::Buffer>> Next() {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows->NextBatch());
    if (batch == nullptr) return nullptr;
    return format->Rows(*batch);
  }
};

class ResultStream : public transport::BodyStream {
 public:
  /// `first` are the pieces that are there already.
  ResultStream(SqlQueries& queries, std::shared_ptr<Answer> answer,
               std::vector<std::shared_ptr<arrow::Buffer>> first)
      : queries_(queries), answer_(std::move(answer)), first_(std::move(first)) {}
  ~ResultStream() override { answer_->rows->Cancel(); }

  void Start(transport::BodySink& sink) override {
    sink_ = &sink;
    for (auto& piece : first_) sink_->Write(std::move(piece));
    ReadNext();
  }
  void OnWritable() override {
    if (std::exchange(waits_, false)) ReadNext();
  }
  void OnClosed() override {
    sink_ = nullptr;
    answer_->rows->Cancel();
  }

 private:
  void ReadNext() {
    queries_.Run([&loop = sink_->loop(), weak = std::weak_ptr(self_), answer = answer_] {
      auto piece = std::make_shared<Result<std::shared_ptr<arrow::Buffer>>>(answer->Next());
      loop.Post([weak, piece] {
        const auto alive = weak.lock();
        if (alive != nullptr && (*alive)->sink_ != nullptr) (*alive)->OnRead(*piece);
      });
    });
  }

  void OnRead(const Result<std::shared_ptr<arrow::Buffer>>& piece) {
    // The status is out: what is left to say is that the body is not whole.
    if (!piece.ok()) return std::exchange(sink_, nullptr)->Abort();
    if (*piece == nullptr) {
      sink_->Write(answer_->format->End());
      return std::exchange(sink_, nullptr)->Finish();
    }
    sink_->Write(*piece);
    waits_ = sink_->queued_bytes() > kMaxQueuedBytes;
    if (!waits_) ReadNext();
  }

  SqlQueries& queries_;
  const std::shared_ptr<Answer> answer_;
  std::vector<std::shared_ptr<arrow::Buffer>> first_;
  const std::shared_ptr<ResultStream*> self_ = std::make_shared<ResultStream*>(this);
  transport::BodySink* sink_ = nullptr;
  bool waits_ = false;  // for the client to take what is queued
};

// With the first rows: what fails before them has a status of its own.
Result<transport::HttpResponse> Execute(SqlQueries& queries, query::SqlStatement statement,
                                        std::unique_ptr<ResultFormat> format) {
  statement.sql = format->Statement(statement.sql);
  auto answer = std::make_shared<Answer>();
  ARROW_ASSIGN_OR_RAISE(answer->rows, queries.Execute(statement));
  answer->format = std::move(format);
  std::vector<std::shared_ptr<arrow::Buffer>> first(1);
  ARROW_ASSIGN_OR_RAISE(first[0], answer->format->Begin(*answer->rows->schema()));
  ARROW_ASSIGN_OR_RAISE(auto rows, answer->Next());
  transport::HttpResponse response;
  response.content_type = answer->format->media_type();
  response.headers = {{"cache-control", "no-store"}};
  if (rows != nullptr) first.push_back(std::move(rows));
  response.stream = std::make_shared<ResultStream>(queries, std::move(answer), std::move(first));
  return response;
}

}  // namespace

void Queries::Handle(const transport::HttpRequest& request, transport::HttpResponder respond) {
  if (request.method != "POST") {
    auto refusal = ErrorAnswer(405, "UNIMPLEMENTED", "queries are sent with POST");
    refusal.headers.emplace_back("allow", "POST");
    return respond(std::move(refusal));
  }
  auto format = ResultFormat::Of(request);
  if (format == nullptr) {
    return respond(ErrorAnswer(406, "INVALID_ARGUMENT",
                               "header accept: answers are application/json, application/x-ndjson, "
                               "text/csv or application/vnd.apache.arrow.stream"));
  }
  auto statement = ParseStatement(request);
  if (!statement.ok()) return respond(ErrorAnswer(statement.status()));
  statement->may_read = [caller = request.caller](const iceberg::TableIdentifier& table) {
    return caller->Require(auth::Right::kRead, table.ToString());
  };
  const auto queries = reads_.sql();
  if (!queries.ok()) return respond(ErrorAnswer(queries.status()));
  (*queries)->Run([queries = *queries, statement = *std::move(statement),
                   format = std::make_shared<std::unique_ptr<ResultFormat>>(std::move(format)),
                   respond = std::move(respond), client = request.client] {
    if (client.expired()) return;
    auto response = Execute(*queries, statement, std::move(*format));
    respond(response.ok() ? *std::move(response) : ErrorAnswer(response.status()));
  });
}

}  // namespace arka::http
