// The C++ client, led by the conformance runner: clients/conformance/README.md says how.
#include "arka_client/client.h"
#include "every_type.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <arrow/api.h>
#include <nlohmann/json.hpp>

namespace arka::client {
namespace {

using arrow::Result;
using arrow::Status;
using nlohmann::json;

std::shared_ptr<arrow::Schema> Numbered() {
  static const auto schema =
      arrow::schema({arrow::field("number", arrow::int64(), /*nullable=*/false),
                     arrow::field("text", arrow::utf8())});
  return schema;
}

std::string TextOf(int64_t number, size_t bytes) {
  std::string text = std::to_string(number);
  if (text.size() < bytes) text.insert(0, bytes - text.size(), '0');
  return text;
}

Result<std::shared_ptr<arrow::RecordBatch>> NumberedBatch(int64_t first, int64_t rows,
                                                          size_t text_bytes) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int64_t number = first; number < first + rows; ++number) {
    ARROW_RETURN_NOT_OK(numbers.Append(number));
    ARROW_RETURN_NOT_OK(texts.Append(TextOf(number, text_bytes)));
  }
  ARROW_ASSIGN_OR_RAISE(auto number, numbers.Finish());
  ARROW_ASSIGN_OR_RAISE(auto text, texts.Finish());
  return arrow::RecordBatch::Make(Numbered(), rows, {number, text});
}

Result<json> ValueOf(const arrow::Array& column, int64_t row) {
  ARROW_ASSIGN_OR_RAISE(const auto scalar, column.GetScalar(row));
  if (!scalar->is_valid) return json(nullptr);
  if (arrow::is_integer(scalar->type->id())) {
    ARROW_ASSIGN_OR_RAISE(const auto number, scalar->CastTo(arrow::int64()));
    return json(static_cast<const arrow::Int64Scalar&>(*number).value);
  }
  return json(scalar->ToString());
}

Timeout TimeoutIn(const json& request) {
  const auto found = request.find("timeout_ms");
  if (found == request.end() || found->is_null()) return {};
  return std::chrono::milliseconds(found->get<int64_t>());
}

Tier LevelIn(const json& request) { return ParseTier(request["level"].get<std::string>()).value(); }

std::string TextIn(const json& request, const char* key) {
  const auto found = request.find(key);
  return found == request.end() || found->is_null() ? "" : found->get<std::string>();
}

std::string FileIn(const json& options, const char* key) {
  std::ifstream file(TextIn(options, key));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class Driver {
 public:
  Result<json> Do(const json& request) {
    const std::string op = request["op"];
    if (op == "connect") return Connect(request);
    if (op == "open") return Open(request);
    if (op == "write") return Write(request);
    if (op == "wait") return Wait(request);
    if (op == "flush") return Flush(request);
    if (op == "append_rows") return AppendRows(request);
    if (op == "write_types") return WriteTypes();
    if (op == "query") return Query(request);
    if (op == "status") return GetStatus();
    if (op == "durability") return Durability(request);
    if (op == "acks") return Acks();
    if (op == "memory") return json{{"bytes", stream_->kept_bytes()}};
    if (op == "close") return Close(request);
    return json::object();  // quit
  }

 private:
  Result<json> Connect(const json& request) {
    const json given = request.value("options", json::object());
    ClientOptions options;
    options.username = TextIn(given, "username");
    options.password = TextIn(given, "password");
    if (given.contains("token")) options.token = [token = TextIn(given, "token")] { return token; };
    options.tls_root_certs = FileIn(given, "tls_root");
    options.client_cert = FileIn(given, "client_cert");
    options.client_key = FileIn(given, "client_key");
    if (given.contains("deadline_ms")) {
      options.deadline = std::chrono::milliseconds(given["deadline_ms"].get<int64_t>());
    }
    if (given.contains("budget_bytes")) options.budget_bytes = given["budget_bytes"];
    ARROW_ASSIGN_OR_RAISE(client_, Client::Connect(request["url"], options));
    return json::object();
  }

  Result<json> Open(const json& request) {
    StreamOptions options;
    options.schema = Numbered();
    if (TextIn(request, "columns") == "types") {
      ARROW_ASSIGN_OR_RAISE(const auto types, EveryType());
      options.schema = types->schema();
    }
    options.producer = TextIn(request, "producer");
    options.session = TextIn(request, "session");
    options.on_ack = [this](const Ack& ack) {
      const std::lock_guard lock(mutex_);
      ++acks_[ack.level];
    };
    writes_.clear();
    table_ = request["table"];
    ARROW_ASSIGN_OR_RAISE(stream_, client_->Open(table_, std::move(options)));
    return json{{"producer", stream_->producer()}, {"session", stream_->session()}};
  }

  Result<json> Write(const json& request) {
    const int64_t rows = request["rows"], batches = request["batches"];
    int64_t first = request["first"];
    for (int64_t i = 0; i < batches; ++i, first += rows) {
      ARROW_ASSIGN_OR_RAISE(const auto batch,
                            NumberedBatch(first, rows, request.value("text_bytes", 0)));
      ARROW_RETURN_NOT_OK(Keep(stream_->Write(batch)));
    }
    return json{{"accepted", batches}};
  }

  // The first and the last write are asked for.
  Status Keep(Result<WriteHandle> write) {
    ARROW_RETURN_NOT_OK(write.status());
    if (writes_.size() == 2) writes_.pop_back();
    writes_.push_back(*std::move(write));
    return Status::OK();
  }

  Result<json> Wait(const json& request) {
    ARROW_RETURN_NOT_OK(stream_->WaitForDurability(LevelIn(request), TimeoutIn(request)));
    json lsns = json::array();
    for (const WriteHandle& write : writes_) lsns.push_back(write.lsn()->value);
    return json{{"lsns", lsns}, {"count", stream_->written()}};
  }

  Result<json> Flush(const json& request) {
    ARROW_RETURN_NOT_OK(appender_ ? appender_->Flush(LevelIn(request), TimeoutIn(request))
                                  : stream_->Flush(LevelIn(request), TimeoutIn(request)));
    return json::object();
  }

  Result<json> AppendRows(const json& request) {
    if (!appender_) {
      AppenderOptions options;
      options.stream.schema = Numbered();
      ARROW_ASSIGN_OR_RAISE(appender_,
                            client_->OpenAppender(request.value("table", table_), options));
    }
    const int64_t first = request["first"], rows = request["rows"];
    const size_t text_bytes = request.value("text_bytes", 0);
    for (int64_t number = first; number < first + rows; ++number) {
      ARROW_RETURN_NOT_OK(appender_->Append({number, TextOf(number, text_bytes)}));
    }
    return json{{"accepted", rows}};
  }

  Result<json> WriteTypes() {
    ARROW_ASSIGN_OR_RAISE(const auto batch, EveryType());
    ARROW_RETURN_NOT_OK(Keep(stream_->Write(batch)));
    return json{{"columns", batch->schema()->field_names()}, {"rows", batch->num_rows()}};
  }

  Result<json> Query(const json& request) {
    ARROW_ASSIGN_OR_RAISE(const auto answer, client_->Query(request["sql"]));
    json rows = json::array();
    arrow::TableBatchReader reader(answer);
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, reader.Next());
      if (!batch) return json{{"rows", rows}};
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        json values = json::array();
        for (const auto& column : batch->columns()) {
          ARROW_ASSIGN_OR_RAISE(json value, ValueOf(*column, row));
          values.push_back(std::move(value));
        }
        rows.push_back(std::move(values));
      }
    }
  }

  Result<json> GetStatus() {
    ARROW_ASSIGN_OR_RAISE(const ServerStatus status, client_->GetStatus());
    return json{{"status", json::parse(status.json)}};
  }

  Result<json> Durability(const json& request) {
    std::optional<Lsn> after;
    if (request.contains("after") && !request["after"].is_null()) after = Lsn{request["after"]};
    ARROW_ASSIGN_OR_RAISE(const auto status,
                          client_->GetDurabilityStatus(after, stream_->session()));
    json events = json::array();
    for (const Ack& event : status.events) {
      events.push_back({event.lsn.value, TierName(event.level)});
    }
    return json{{"events", events}};
  }

  Result<json> Acks() {
    const std::lock_guard lock(mutex_);
    json counts;
    for (const Tier level : kAllTiers) counts[std::string(TierName(level))] = acks_[level];
    return counts;
  }

  Result<json> Close(const json& request) {
    Status closed;
    if (appender_) closed = appender_->Close(Tier::kLocalDisk, TimeoutIn(request));
    if (stream_) closed &= stream_->Close(Tier::kLocalDisk, TimeoutIn(request));
    ARROW_RETURN_NOT_OK(closed);
    return json::object();
  }

  std::mutex mutex_;
  std::map<Tier, int64_t> acks_;  // guarded by mutex_
  std::string table_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Appender> appender_;
  std::vector<WriteHandle> writes_;
};

int Main() {
  Driver driver;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json request = json::parse(line);
    const Result<json> done = driver.Do(request);
    const Status& failed = done.status();
    const json answer = done.ok() ? json{{"ok", *done}}
                                  : json{{"error",
                                          {{"code", CodeName(CodeOf(failed))},
                                           {"message", failed.message()},
                                           {"retryable", IsRetryable(failed)}}}};
    std::cout << answer.dump() << std::endl;
    if (request["op"] == "quit") break;
  }
  return 0;
}

}  // namespace
}  // namespace arka::client

int main() { return arka::client::Main(); }
