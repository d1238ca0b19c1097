#include "fake_server.h"

#include <algorithm>
#include <utility>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "arka/protocol/ack_batch.h"
#include "arka/protocol/batch_metadata.h"

namespace arka::client {

namespace flight = arrow::flight;
using arrow::Status;

std::unique_ptr<FakeServer> FakeServer::Start() {
  auto server = std::make_unique<FakeServer>();
  const auto location = flight::Location::ForGrpcTcp("127.0.0.1", 0);
  const Status started = server->Init(flight::FlightServerOptions(location.ValueOrDie()));
  return started.ok() ? std::move(server) : nullptr;
}

FakeServer::~FakeServer() {
  const auto soon = std::chrono::system_clock::now() + std::chrono::seconds(1);
  (void)Shutdown(&soon);
}

std::string FakeServer::url() const { return "grpc://127.0.0.1:" + std::to_string(port()); }

std::vector<FakeServer::Write> FakeServer::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

int64_t FakeServer::rows() const {
  int64_t rows = 0;
  for (const Write& write : writes()) rows += write.batch->num_rows();
  return rows;
}

std::vector<std::string> FakeServer::actions() const {
  const std::lock_guard lock(mutex_);
  return actions_;
}

std::string FakeServer::header(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = headers_.find(name);
  return found == headers_.end() ? "" : found->second;
}

std::vector<std::string> FakeServer::path() const {
  const std::lock_guard lock(mutex_);
  return path_;
}

int64_t FakeServer::LsnOf(int64_t seq, std::shared_ptr<arrow::RecordBatch> batch) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = lsns_.try_emplace(seq, 1000 + static_cast<int64_t>(lsns_.size()));
  if (is_new) writes_.push_back({seq, std::move(batch)});
  return place->second;
}

Status FakeServer::DoExchange(const flight::ServerCallContext& context,
                              std::unique_ptr<flight::FlightMessageReader> reader,
                              std::unique_ptr<flight::FlightMessageWriter> writer) {
  ++connections;
  {
    const std::lock_guard lock(mutex_);
    path_ = reader->descriptor().path;
    headers_.clear();
    for (const auto& [name, value] : context.incoming_headers()) headers_.emplace(name, value);
  }
  ARROW_RETURN_NOT_OK(writer->Begin(protocol::AckSchema()));
  for (int batches = 1;; ++batches) {
    ARROW_ASSIGN_OR_RAISE(const auto chunk, reader->Next());
    if (!chunk.data) return Status::OK();
    ARROW_RETURN_NOT_OK(refusal);
    ARROW_ASSIGN_OR_RAISE(const int64_t seq,
                          protocol::ParseBatchSeq(std::string_view(*chunk.app_metadata)));
    const Lsn lsn{LsnOf(seq, chunk.data)};
    const bool cut = batches == cut_after_batches && --cuts >= 0;
    if (!silent && (!cut || cut_behind_acks)) {
      std::vector<protocol::AckRun> runs;
      protocol::Watermarks marks{lsn, lsn};
      for (const Tier level : kAllTiers) {
        if (level <= acks_until.load()) runs.push_back({lsn, lsn, level, 1, 0});
      }
      if (acks_until == Tier::kCommitted) marks.s3_lsn = marks.committed_lsn = lsn;
      ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*protocol::MakeAckBatch(runs, marks, 1)));
    }
    if (cut) return flight::MakeFlightError(flight::FlightStatusCode::Unavailable, "cut");
  }
}

Status FakeServer::DoAction(const flight::ServerCallContext&, const flight::Action& action,
                            std::unique_ptr<flight::ResultStream>* result) {
  const std::lock_guard lock(mutex_);
  actions_.push_back(action.type);
  if (action.type == "last_seq" && --broken_answers >= 0) {
    return flight::MakeFlightError(flight::FlightStatusCode::Internal, "reset");
  }
  nlohmann::json answer = {{"lsn", nullptr}, {"last_seq", last_seq.load()}, {"epoch", 4294967297}};
  if (action.type == "last_seq" && !lsns_.empty()) answer["last_seq"] = lsns_.rbegin()->first;
  std::vector<flight::Result> results = {{arrow::Buffer::FromString(answer.dump())}};
  *result = std::make_unique<flight::SimpleResultStream>(std::move(results));
  return Status::OK();
}

}  // namespace arka::client
