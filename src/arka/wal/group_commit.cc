#include "arka/wal/group_commit.h"

#include <algorithm>
#include <utility>

#include "arka/base/check.h"

namespace arka::wal {

GroupCommit::GroupCommit(AppendQueue& queue, LsnReservation& reservation, SegmentWriter& writer,
                         LiveSegments& live, const DefinitionTable& definitions,
                         int64_t max_group_bytes)
    : queue_(queue),
      reservation_(reservation),
      writer_(writer),
      live_(live),
      definitions_(definitions),
      max_group_bytes_(max_group_bytes) {}

Result<GroupCommit::Progress> GroupCommit::Step(LogListener& listener) {
  Status status = queue_.error();
  if (status.ok() && written_ == taken_.size()) {
    taken_.clear();
    written_ = 0;
    queue_.Take(taken_);
  }
  if (status.ok() && taken_.empty()) return Progress::kIdle;
  if (status.ok()) status = WriteGroup();
  if (CodeOf(status) == ErrorCode::kBackpressure && !status.ok()) {
    if (!std::exchange(told_no_room_, true)) listener.OnNoRoom(status);
    return Progress::kNoRoom;
  }
  if (status.ok()) {
    Finish(listener);
    status = reservation_.ExtendIfLow();
    if (CodeOf(status) == ErrorCode::kBackpressure) status = Status::OK();  // Push tries again
  }
  if (!status.ok()) return Fail(status, listener);
  return Progress::kWrote;
}

Status GroupCommit::MarkEnd(LogListener& listener) {
  if (std::exchange(end_marked_, true)) return Status::OK();
  const Status status = writer_.WriteMark(/*seals=*/false);
  return status.ok() ? status : Fail(status, listener);
}

Status GroupCommit::Fail(const Status& error, LogListener& listener) {
  queue_.Fail(error);
  listener.OnPoisoned(queue_.error());
  return error;
}

Status GroupCommit::WriteGroup() {
  if (group_records_ == 0) {
    Plan plan = PlanGroup();
    if (plan.records == 0) {
      const WriteRecord& next = taken_[written_];
      const int64_t alone = kFrameHeaderBytes + WriteFrameBytes(next) +
                            DefinitionFrameBytes(*definitions_.Find(next.definition));
      ARROW_RETURN_NOT_OK(writer_.Activate(next.lsn, alone));
      live_.Add(writer_.segment());
      defined_.clear();
      plan = PlanGroup();
    }
    ARROW_RETURN_NOT_OK(EncodeGroup(plan));
  }
  ARROW_RETURN_NOT_OK(writer_.Write(frames_));
  const Status synced = writer_.Sync(frames_, taken_[written_ + group_records_ - 1].lsn);
  if (synced.ok() || CodeOf(synced) != ErrorCode::kBackpressure) return synced;
  // After a failed sync nothing is certain, a full disk or not: never tried again.
  return MakeStatus(ErrorCode::kIoFailed, synced.message());
}

// A group ends before the segment does, and before it passes max_group_bytes, but for its first
// record, which it takes in any case that there is room for.
GroupCommit::Plan GroupCommit::PlanGroup() const {
  const int64_t room = writer_.room();
  Plan plan{.bytes = kFrameHeaderBytes};
  std::unordered_set<uint32_t> added;
  uint32_t last = 0;
  bool any = false;
  for (size_t index = written_; index < taken_.size(); ++index) {
    const WriteRecord& record = taken_[index];
    const uint32_t id = record.definition.value;
    int64_t bytes = WriteFrameBytes(record);
    const bool define = !(any && id == last) && !defined_.contains(id) && !added.contains(id);
    if (define) bytes += DefinitionFrameBytes(*definitions_.Find(record.definition));
    if (plan.bytes + bytes > room) break;
    if (any && plan.bytes + bytes > max_group_bytes_) break;
    if (define) added.insert(id);
    plan.bytes += bytes;
    ++plan.records;
    last = id;
    any = true;
  }
  return plan;
}

Status GroupCommit::EncodeGroup(const Plan& plan) {
  ARKA_CHECK(plan.records > 0);
  frames_.Reset(writer_.position().crc);
  group_bytes_ = 0;
  const auto first = taken_.begin() + static_cast<int64_t>(written_);
  const auto last = first + static_cast<int64_t>(plan.records) - 1;
  frames_.AddGroup({.first_lsn = first->lsn,
                    .last_lsn = last->lsn,
                    .offset = writer_.position().offset,
                    .writes = static_cast<uint32_t>(plan.records)},
                   writer_.segment()->header().crc);
  for (auto record = first; record <= last; ++record) {
    if (defined_.insert(record->definition.value).second) {
      frames_.AddDefinition(*definitions_.Find(record->definition));
    }
    frames_.AddWrite(*record);
    group_bytes_ += WriteFrameBytes(*record);
  }
  ARKA_CHECK(frames_.size_bytes() == plan.bytes);
  group_records_ = plan.records;
  return Status::OK();
}

void GroupCommit::Finish(LogListener& listener) {
  const auto first = taken_.begin() + static_cast<int64_t>(written_);
  const auto end = first + static_cast<int64_t>(group_records_);
  const Lsn durable = (end - 1)->lsn;
  written_ += group_records_;
  group_records_ = 0;
  end_marked_ = false;
  told_no_room_ = false;
  queue_.SetDurable(durable, group_bytes_);
  listener.OnDurable(durable);
  queue_.WakeWaiters(durable);
  for (auto record = first; record != end; ++record) *record = WriteRecord{};  // lets bodies go
}

}  // namespace arka::wal
