#include "arka/flight/ack_output.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "arka/acks/engine_lookups.h"
#include "arka/base/check.h"
#include "arka/protocol/ack_batch.h"
#include "arka/protocol/flight_data.h"

namespace arka::flight {
namespace {

constexpr int64_t kMaxAckRows = 4096;          // of one ack batch
constexpr size_t kMaxQueuedBytes = 256 << 10;  // of acks; the rest stays in the cursor

std::vector<std::shared_ptr<arrow::Buffer>> SchemaMessage() {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(*protocol::AckSchema());
  ARKA_CHECK(arrow::ipc::GetSchemaPayload(*protocol::AckSchema(),
                                          arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload)
                 .ok());
  return protocol::EncodeFlightData(payload);
}

std::vector<std::shared_ptr<arrow::Buffer>> BatchMessage(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  ARKA_CHECK(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload)
          .ok());
  return protocol::EncodeFlightData(payload);
}

Tier HighestAwaited(const protocol::WriteHeaders& headers) {
  Tier highest = headers.ack_until;
  for (Tier tier : kAllTiers) {
    if (headers.acks[IndexOf(tier)]) highest = std::max(highest, tier);
  }
  return highest;
}

}  // namespace

AckOutput::AckOutput(transport::ServerCall& call, const protocol::WriteHeaders& headers)
    : call_(call),
      highest_awaited_(HighestAwaited(headers)),
      acks_(headers.acks, highest_awaited_) {
  static const auto schema_message = SchemaMessage();
  call_.Write(schema_message);
}

void AckOutput::Add(const ingest::Admission& admission) {
  if (admission.committed_long_ago) {
    acks_.AddCommittedLongAgo(admission.lsn);
  } else {
    acks_.Add(admission.lsn, admission.is_retry);
  }
}

bool AckOutput::Flush(const ingest::Engine& engine, const ingest::Progress& progress,
                      const ingest::Table* table) {
  if (table == nullptr) return false;
  const acks::ReachedTiers reached = acks::ReachedOf(progress);
  const acks::TimeLookup times = acks::TimesOf(engine);
  const acks::CommitLookup commits = acks::CommitsOf(*table);
  bool sent = false;
  while (call_.queued_bytes() < kMaxQueuedBytes) {
    const auto runs = acks_.Take(reached, times, commits, kMaxAckRows);
    if (runs.empty()) break;
    sent = true;
    call_.Write(BatchMessage(*protocol::MakeAckBatch(runs, std::nullopt, 0)));
  }
  return sent;
}

void AckOutput::SendWatermarks(const ingest::Progress& progress, bool though_unread) {
  if (sent_watermarks_ == progress.watermarks) return;
  if (!though_unread && call_.queued_bytes() >= kMaxQueuedBytes) return;
  sent_watermarks_ = progress.watermarks;
  const int64_t at_us = *std::max_element(progress.moved_at_us.begin(), progress.moved_at_us.end());
  call_.Write(BatchMessage(*protocol::MakeAckBatch({}, progress.watermarks, at_us)));
}

void AckOutput::Await(acks::AckScheduler& scheduler, acks::AckScheduler::SleeperId id,
                      Tier finish_after, const ingest::Table* table) const {
  const Tier highest = std::max(highest_awaited_, finish_after);
  for (Tier tier : {Tier::kLocalDisk, Tier::kObjectStorage, Tier::kCommitted}) {
    if (tier > highest) break;
    const Lsn lsn = acks_.FirstPending(tier);
    if (lsn != kNoLsn) scheduler.Await(id, tier, lsn, table);
  }
}

}  // namespace arka::flight
