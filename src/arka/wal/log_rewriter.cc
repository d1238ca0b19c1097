#include "arka/wal/log_rewriter.h"

#include <algorithm>
#include <utility>

#include "arka/wal/record.h"

namespace arka::wal {

namespace {

constexpr int64_t kGroupBytes = 4 << 20;
constexpr size_t kGroupRecords = 4096;

}  // namespace

Result<std::unique_ptr<LogRewriter>> LogRewriter::Make(Fs& fs, Clock& clock, Options options) {
  ARROW_ASSIGN_OR_RAISE(
      auto pool,
      SegmentPool::Make(
          fs, clock, {.directory = options.directory, .segment_bytes = options.segment_bytes}, {}));
  return std::unique_ptr<LogRewriter>(
      new LogRewriter(fs, clock, std::move(options), std::move(pool)));
}

LogRewriter::LogRewriter(Fs& fs, Clock& clock, Options options, std::unique_ptr<SegmentPool> pool)
    : fs_(fs),
      clock_(clock),
      options_(std::move(options)),
      pool_(std::move(pool)),
      epoch_(options_.first_epoch - 1),
      end_{.last_lsn = options_.begins_after} {}

Status LogRewriter::Add(WriteRecord record, const Definition& definition) {
  ARROW_RETURN_NOT_OK(known_.Add(definition));
  const Lsn last = pending_.empty() ? end_.last_lsn : pending_.back().lsn;
  if (!writer_ || record.lsn != last.next()) {
    ARROW_RETURN_NOT_OK(WriteGroup());
    BeginRun();
  }
  const int64_t bytes = WriteFrameBytes(record) + DefinitionFrameBytes(definition);
  const bool room = writer_->segment() != nullptr &&
                    kFrameHeaderBytes + pending_bytes_ + bytes <= writer_->room();
  const bool full = pending_bytes_ + bytes > kGroupBytes || pending_.size() >= kGroupRecords;
  if (!room || full) ARROW_RETURN_NOT_OK(WriteGroup());
  if (pending_.empty() &&
      (writer_->segment() == nullptr || kFrameHeaderBytes + bytes > writer_->room())) {
    ARROW_RETURN_NOT_OK(writer_->Activate(record.lsn, kFrameHeaderBytes + bytes));
    defined_.clear();
  }
  pending_bytes_ += bytes;
  pending_.push_back(std::move(record));
  return Status::OK();
}

void LogRewriter::BeginRun() {
  ++epoch_;
  writer_.emplace(fs_, clock_, *pool_,
                  SegmentWriter::Options{.directory = options_.directory,
                                         .node = options_.node,
                                         .epoch = epoch_,
                                         .segment_bytes = options_.segment_bytes,
                                         .predecessor = end_,
                                         .first_number = end_.segment == 0 ? options_.first_number
                                                                           : end_.segment + 1});
}

Status LogRewriter::WriteGroup() {
  if (pending_.empty()) return Status::OK();
  const ChainPoint at = writer_->position();
  frames_.Reset(at.crc);
  frames_.AddGroup({.first_lsn = pending_.front().lsn,
                    .last_lsn = pending_.back().lsn,
                    .offset = at.offset,
                    .writes = static_cast<uint32_t>(pending_.size())},
                   writer_->segment()->header().crc);
  for (const WriteRecord& record : pending_) {
    if (std::find(defined_.begin(), defined_.end(), record.definition) == defined_.end()) {
      defined_.push_back(record.definition);
      frames_.AddDefinition(*known_.Find(record.definition));
    }
    frames_.AddWrite(record);
  }
  ARROW_RETURN_NOT_OK(writer_->Write(frames_));
  ARROW_RETURN_NOT_OK(writer_->Sync(frames_, pending_.back().lsn));
  end_ = writer_->position();
  pending_.clear();
  pending_bytes_ = 0;
  return Status::OK();
}

Status LogRewriter::Finish(LogState state) {
  ARROW_RETURN_NOT_OK(WriteGroup());
  if (writer_) ARROW_RETURN_NOT_OK(writer_->WriteMark(/*seals=*/false));
  state.epoch = std::max(state.epoch, epoch_);
  const bool any = end_.segment != 0;
  // Without a segment the next start begins with number 1 again.
  state.first_segment = any ? options_.first_number : 1;
  state.clean = any;
  const Lsn known = state.tail.last_lsn;
  state.tail = any ? end_ : ChainPoint{.last_lsn = known};
  ControlFile control(fs_, options_.directory);
  ARROW_RETURN_NOT_OK(control.Update([&](LogState& next) { next = state; }));
  return fs_.SyncDir(options_.directory);
}

}  // namespace arka::wal
