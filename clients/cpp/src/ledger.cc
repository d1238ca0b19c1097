#include "ledger.h"

#include "status.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace arka::client {

using arrow::Status;

Ledger::Ledger(int64_t last_seq, Lsn lsn) : offset_(last_seq), lsn_before_(lsn) {}

std::shared_ptr<WriteRecord> Ledger::Add(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes,
                                         Time now) {
  auto record = std::make_shared<WriteRecord>();
  record->number = ++last_;
  record->seq = SeqOf(last_);
  kept_.push_back({std::move(batch), bytes, record});
  kept_bytes_ += bytes;
  written_at_.push_back(now);
  return record;
}

std::optional<Tier> Ledger::LevelOf(int64_t number) const {
  std::optional<Tier> highest;
  for (const Tier level : kAllTiers) {
    if (number <= reached(level)) highest = level;
  }
  return highest;
}

int64_t Ledger::NumberOf(Lsn lsn) const {
  const auto above = std::upper_bound(lsns_.begin(), lsns_.end(), lsn);
  if (above != lsns_.begin() && *std::prev(above) == lsn) {
    return base_ + (above - lsns_.begin()) - 1;
  }
  const int64_t committed = reached(Tier::kCommitted);
  if (lsn <= unnamed_lsn_ && unnamed_ > committed) return unnamed_;
  return lsn <= reached_lsn(Tier::kCommitted) ? committed : last_;
}

std::optional<Ledger::Time> Ledger::OldestBelow(Tier level) const {
  if (reached(level) == last_) return {};
  return written_at_[reached(level) + 1 - base_];
}

void Ledger::Begin() {
  const int64_t on_disk = reached(Tier::kLocalDisk);
  if (reached(Tier::kMemory) > on_disk) {
    unnamed_ = std::max(unnamed_, reached(Tier::kMemory));
    unnamed_lsn_ = std::max(unnamed_lsn_, reached_lsn(Tier::kMemory));
  }
  lsns_.resize(std::min<size_t>(lsns_.size(), on_disk + 1 - base_));
  reached_[IndexOf(Tier::kMemory)] = on_disk;
  reached_lsn_[IndexOf(Tier::kMemory)] = reached_lsn(Tier::kLocalDisk);
  first_ = on_disk + 1;
  sent_ = on_disk;
  first_new_ = sent_ever_ + 1;
  due_.fill(first_);
}

const KeptWrite& Ledger::Send() {
  ++sent_;
  sent_ever_ = std::max(sent_ever_, sent_);
  return kept_[sent_ - kept_.front().record->number];
}

Status Ledger::Take(const protocol::AckBatchContents& acks, std::vector<Ack>* told) {
  Status taken;
  for (const protocol::AckRun& row : acks.rows) {
    taken = TakeRow(row, told);
    if (!taken.ok()) break;
  }
  if (taken.ok()) {
    for (const protocol::Watermarks& marks : acks.watermarks) {
      TakeWatermark(Tier::kObjectStorage, marks.s3_lsn, told);
      TakeWatermark(Tier::kCommitted, std::min(marks.s3_lsn, marks.committed_lsn), told);
    }
  }
  Release();
  return taken;
}

Status Ledger::TakeRow(const protocol::AckRun& row, std::vector<Ack>* told) {
  const size_t level = IndexOf(row.tier);
  const int64_t number = due_[level];
  if (row.tier == Tier::kMemory) {
    if (number > sent_) {
      return Violation("LSN ", row.first, " is acknowledged, but nothing was sent for it");
    }
    // Of writes that it had before, the server may have forgotten which LSN was whose.
    const Lsn before = reached_lsn(Tier::kMemory);
    if (row.first < before || (row.first == before && number >= first_new_)) {
      return Violation("LSN ", row.first, " is acknowledged after LSN ", before);
    }
    lsns_.push_back(row.first);
    WriteRecord& record = *kept_[number - kept_.front().record->number].record;
    if (record.lsn.exchange(row.first.value) == row.first.value) told = nullptr;  // known before
  } else if (number >= due_[level - 1]) {
    return Violation("LSN ", row.first, " is acknowledged at ", TierName(row.tier), ", but not at ",
                     TierName(kAllTiers[level - 1]));
  } else if (LsnOf(number) != row.first) {
    return Violation("LSN ", row.first, " is acknowledged at ", TierName(row.tier), " where LSN ",
                     LsnOf(number), " was due");
  }
  due_[level] = number + 1;
  if (number > reached(row.tier)) Advance(row.tier, number, &row, told);
  return Status::OK();
}

// Writes of earlier connections get no acks on this one: the watermark speaks for them.
void Ledger::TakeWatermark(Tier level, Lsn through, std::vector<Ack>* told) {
  if (reached(level) >= first_ - 1) return;
  const auto end = lsns_.begin() + (first_ - base_);
  const auto above = std::upper_bound(lsns_.begin(), end, through);
  const int64_t number = base_ + (above - lsns_.begin()) - 1;
  if (number > reached(level)) Advance(level, number, nullptr, told);
}

void Ledger::Advance(Tier level, int64_t number, const protocol::AckRun* row,
                     std::vector<Ack>* told) {
  if (told) {
    for (int64_t passed = reached(level) + 1; passed <= number; ++passed) {
      Ack ack{LsnOf(passed), level, SeqOf(passed)};
      if (row && passed == number) {
        ack.timestamp_us = row->timestamp_us;
        ack.snapshot_id = row->snapshot_id;
      }
      told->push_back(ack);
    }
  }
  reached_[IndexOf(level)] = number;
  reached_lsn_[IndexOf(level)] = LsnOf(number);
}

void Ledger::Release() {
  while (!kept_.empty() && kept_.front().record->number <= reached(Tier::kLocalDisk)) {
    kept_bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
  // The present connection's acks are still held against the LSNs of its writes.
  const int64_t committed = reached(Tier::kCommitted);
  for (; base_ <= std::min(committed, due_[IndexOf(Tier::kCommitted)] - 1); ++base_) {
    lsns_.pop_front();
    written_at_.pop_front();
  }
}

Status Ledger::Resume(const ProducerState& server, const std::string& producer,
                      std::vector<Ack>* told) {
  const int64_t number = reached(Tier::kLocalDisk);
  const int64_t on_disk = SeqOf(number), sent = SeqOf(sent_ever_);
  const Lsn lsn = number > 0 ? reached_lsn(Tier::kLocalDisk) : lsn_before_;
  if (server.last_seq == 0 && on_disk > 0 && server.forgotten_through &&
      *server.forgotten_through >= lsn) {
    // The server made room for others. All through here is committed, and the rest begins at 1.
    for (const Tier level : {Tier::kObjectStorage, Tier::kCommitted}) {
      if (reached(level) < number) Advance(level, number, nullptr, told);
    }
    offset_ = -number;
    for (const KeptWrite& write : kept_) write.record->seq = SeqOf(write.record->number);
    return Status::OK();
  }
  if (server.last_seq < on_disk) {
    return Failure(Code::kDataLoss, "the server knows of the producer '", producer,
                   "' only up to seq ", server.last_seq, ", but had acknowledged ", on_disk,
                   " on LOCAL_DISK: the table was made anew, or this is another server");
  }
  if (server.last_seq > sent) {
    return Failure(Code::kFailedPrecondition, "another program writes as the producer '", producer,
                   "': the server has seq ", server.last_seq, ", this stream has sent ", sent);
  }
  return Status::OK();
}

}  // namespace arka::client
