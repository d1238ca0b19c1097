#include "arka/flight/put_output.h"

#include <string>
#include <utility>

#include "arka/acks/engine_lookups.h"
#include "arka/flight/flight.pb.h"

namespace arka::flight {
namespace {

constexpr size_t kMaxQueuedBytes = 256 << 10;  // of results; the rest stays in the queue

Lsn Reached(Tier level, const ingest::Progress& progress, const ingest::Table& table) {
  if (level == Tier::kCommitted) return table.committed_through();
  return acks::ReachedOf(progress).lsn[IndexOf(level)];
}

std::shared_ptr<arrow::Buffer> ResultMessage(Lsn lsn, Tier level) {
  std::string metadata = R"({"lsn": )" + std::to_string(lsn.value) + R"(, "durability_level": ")";
  metadata += TierName(level);
  metadata += "\"}";
  ::arrow::flight::protocol::PutResult result;
  result.set_app_metadata(std::move(metadata));
  return arrow::Buffer::FromString(result.SerializeAsString());
}

}  // namespace

void PutOutput::Add(const ingest::Admission& admission) {
  if (admission.committed_long_ago) {
    queue_.AddCommittedLongAgo(admission.lsn);
  } else {
    queue_.Add(admission.lsn);
  }
}

bool PutOutput::Flush(const ingest::Engine& engine, const ingest::Progress& progress,
                      const ingest::Table* table) {
  if (table == nullptr) return false;
  const Lsn reached = Reached(level_, progress, *table);
  bool sent = false;
  while (call_.queued_bytes() < kMaxQueuedBytes) {
    const auto lsn = queue_.Take(reached);
    if (!lsn) break;
    sent = true;
    call_.Write({ResultMessage(*lsn, level_)});
  }
  return sent;
}

void PutOutput::Await(acks::AckScheduler& scheduler, acks::AckScheduler::SleeperId id,
                      Tier finish_after, const ingest::Table* table) const {
  if (level_ == Tier::kMemory || queue_.awaited() == kNoLsn) return;
  scheduler.Await(id, level_, queue_.awaited(), table);
}

}  // namespace arka::flight
