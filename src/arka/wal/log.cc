#include "arka/wal/log.h"

#include <algorithm>
#include <filesystem>
#include <shared_mutex>
#include <thread>
#include <utility>

#include <pthread.h>

#include "arka/base/check.h"
#include "arka/wal/append_queue.h"
#include "arka/wal/control_file.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/group_commit.h"
#include "arka/wal/live_segments.h"
#include "arka/wal/object_source.h"
#include "arka/wal/record.h"
#include "arka/wal/recovery.h"
#include "arka/wal/segment_pool.h"
#include "arka/wal/segment_writer.h"

namespace arka::wal {

namespace {

/// While the disk is full, how long until the group in hand is tried again.
constexpr std::chrono::milliseconds kRetryPause{50};
/// How long without a write until the log's end is marked: no ack waits for the mark.
constexpr std::chrono::milliseconds kIdle{5};
/// A long sleep, not for ever: clocks need not take the end of time as a deadline.
constexpr std::chrono::hours kLong{1};

class NobodyListens : public LogListener {
 public:
  void OnDurable(Lsn) override {}
  void OnNoRoom(const Status&) override {}
  void OnPoisoned(const Status&) override {}
};

/// Puts the parts together; each does its own work.
class SegmentedLog : public Log {
 public:
  SegmentedLog(Fs& fs, Clock& clock, LogOptions options, Recovered recovered)
      : options_(std::move(options)),
        control_(std::move(recovered.control)),
        epoch_(control_->state().epoch),
        definitions_(std::move(recovered.definitions)),
        pool_(std::move(recovered.pool)),
        reservation_(*control_, options_.lsn_block),
        queue_(clock, reservation_, recovered.last_lsn),
        writer_(fs, clock, *pool_,
                {.directory = options_.directory,
                 .node = options_.node,
                 .epoch = epoch_,
                 .segment_bytes = options_.segment_bytes,
                 .predecessor = recovered.end,
                 .first_number = recovered.end.segment + 1}),
        commit_(queue_, reservation_, writer_, live_, *definitions_, options_.max_group_bytes),
        objects_(live_, *definitions_),
        end_(recovered.end) {
    for (std::shared_ptr<Segment>& segment : recovered.segments) live_.Add(std::move(segment));
  }

  ~SegmentedLog() override { StopThreads(); }

  void Start(LogListener& listener) override {
    ARKA_CHECK(!thread_.joinable());
    pool_->Start();
    thread_ = std::jthread([this, &listener](const std::stop_token& stop) { Run(stop, listener); });
  }

  Status Step(LogListener& listener) override;

  Status Define(const Definition& definition) override {
    return definitions_->Add(definition).status();
  }

  Result<Lsn> Append(WriteRecord record) override {
    ARROW_RETURN_NOT_OK(CheckLimits(record));
    if (!definitions_->Contains(record.definition)) {
      return Error(ErrorCode::kInvalidRequest, "wal: definition ", record.definition.value,
                   " was not given before its first write");
    }
    const int64_t frame_bytes = WriteFrameBytes(record);
    return queue_.Push(std::move(record), frame_bytes);
  }

  Lsn last_lsn() const override { return queue_.last_lsn(); }
  Lsn next_lsn() const override { return reservation_.next(); }
  int64_t epoch() const override { return epoch_; }
  Lsn disk_lsn() const override { return queue_.durable_lsn(); }
  int64_t pending_bytes() const override { return queue_.pending_bytes(); }
  int64_t retained_bytes() const override { return pool_->total_bytes(); }
  int64_t used_bytes() const override { return pool_->used_bytes(); }

  Result<LogObject> ReadObject(Lsn after, int64_t max_bytes) override {
    const std::shared_lock reading(releasing_);
    return objects_.Read(after, max_bytes);
  }

  Status Release(Lsn through) override;
  Status Flush() override;
  Status Close() override;

 private:
  void Run(const std::stop_token& stop, LogListener& listener);
  Status Drain(LogListener& listener);
  void StopThreads();

  const LogOptions options_;
  const std::unique_ptr<ControlFile> control_;
  const int64_t epoch_;
  const std::unique_ptr<DefinitionTable> definitions_;
  const std::unique_ptr<SegmentPool> pool_;
  LsnReservation reservation_;
  AppendQueue queue_;
  LiveSegments live_;
  // The log thread's, or the caller's of Flush and Close before Start.
  SegmentWriter writer_;
  GroupCommit commit_;

  ObjectSource objects_;
  // Held exclusively while segments are taken away: a file becomes a spare when no reader has it.
  std::shared_mutex releasing_;
  const ChainPoint end_;  // of the log as it was opened
  std::mutex closing_;
  bool closed_ = false;  // guarded by closing_
  Status close_status_;  // guarded by closing_
  std::jthread thread_;
};

void SegmentedLog::Run(const std::stop_token& stop, LogListener& listener) {
  pthread_setname_np(pthread_self(), "arka-log");
  bool idle = false;
  while (!stop.stop_requested()) {
    const Result<GroupCommit::Progress> progress = commit_.Step(listener);
    if (!progress.ok()) return;
    if (*progress == GroupCommit::Progress::kNoRoom) {
      if (queue_.closed()) return;
      queue_.WaitForRoom(kRetryPause);
    } else if (!commit_.has_work()) {
      const bool last = queue_.closed() && queue_.empty();
      if (idle || last) {
        if (!commit_.MarkEnd(listener).ok() || last) return;
      }
      const auto patience = commit_.end_marked() ? std::chrono::microseconds(kLong) : kIdle;
      idle = !queue_.WaitForWork(patience, options_.flush_interval, options_.max_group_bytes);
    }
  }
}

Status SegmentedLog::Step(LogListener& listener) {
  ARKA_CHECK(!thread_.joinable());
  ARROW_ASSIGN_OR_RAISE(const GroupCommit::Progress progress, commit_.Step(listener));
  if (progress != GroupCommit::Progress::kIdle) return Status::OK();
  ARROW_RETURN_NOT_OK(commit_.MarkEnd(listener));
  (void)pool_->Step();  // a spare that cannot be made is done without
  return Status::OK();
}

Status SegmentedLog::Drain(LogListener& listener) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const GroupCommit::Progress progress, commit_.Step(listener));
    if (progress == GroupCommit::Progress::kIdle) return commit_.MarkEnd(listener);
    if (progress == GroupCommit::Progress::kNoRoom) {
      return Error(ErrorCode::kBackpressure, "wal: the disk is full");
    }
  }
}

Status SegmentedLog::Release(Lsn through) {
  const int64_t first = live_.FirstKept(through);
  if (first > control_->state().first_segment) {
    // Durable first: from here on a start does without the segments below, in any state they are.
    ARROW_RETURN_NOT_OK(control_->Update(
        [&](LogState& state) { state.first_segment = std::max(state.first_segment, first); }));
  }
  std::vector<std::shared_ptr<Segment>> released;
  {
    const std::unique_lock alone(releasing_);
    released = live_.TakeBelow(first);
  }
  Status first_error;  // of a file that stays behind then, until the next start removes it
  for (const std::shared_ptr<Segment>& segment : released) {
    first_error &= pool_->Recycle(segment->path(), segment->size_bytes());
  }
  return first_error;
}

Status SegmentedLog::Flush() {
  if (thread_.joinable()) return queue_.WaitDurable();
  NobodyListens nobody;
  return Drain(nobody);
}

Status SegmentedLog::Close() {
  const std::lock_guard lock(closing_);
  if (std::exchange(closed_, true)) return close_status_;
  queue_.Close();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    NobodyListens nobody;
    (void)Drain(nobody);  // what it could not write shows below
  }
  pool_->Stop();
  close_status_ = queue_.error();
  if (close_status_.ok() && queue_.durable_lsn() != queue_.last_lsn()) {
    close_status_ = Error(ErrorCode::kBackpressure, "wal: the disk is full; LSN ",
                          queue_.durable_lsn().next(), " to ", queue_.last_lsn(), " are not on it");
  }
  if (!close_status_.ok()) return close_status_;
  const std::shared_ptr<Segment> newest = live_.newest();
  close_status_ = control_->Update([&](LogState& state) {
    state.clean = true;
    state.reserved_through = reservation_.next().previous();
    if (newest != nullptr) state.tail = newest->end();
  });
  return close_status_;
}

// Without Close: records not yet written are given up, as in a crash.
void SegmentedLog::StopThreads() {
  thread_.request_stop();
  queue_.Close();
  if (thread_.joinable()) thread_.join();
  queue_.Fail(Error(ErrorCode::kShuttingDown, "wal: the log is closed"));
  pool_->Stop();
}

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(Fs& fs, Clock& clock, LogOptions options,
                                       ReplayVisitor& visitor) {
  Result<Recovered> opened = Recover(fs, clock, options, visitor);
  if (CodeOf(opened.status()) == ErrorCode::kCorruption && !opened.ok()) {
    const std::string data_dir = std::filesystem::path(options.directory).parent_path().string();
    return MakeStatus(ErrorCode::kCorruption,
                      opened.status().message() +
                          "; nothing was changed. All of the damage is shown by: arka wal verify "
                          "--data-dir " +
                          data_dir +
                          "; what could be kept by: arka wal repair "
                          "--dry-run --data-dir " +
                          data_dir);
  }
  ARROW_ASSIGN_OR_RAISE(Recovered recovered, std::move(opened));
  return std::make_unique<SegmentedLog>(fs, clock, std::move(options), std::move(recovered));
}

}  // namespace arka::wal
