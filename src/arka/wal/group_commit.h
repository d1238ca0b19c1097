// The log thread's work: takes what appenders queued, writes it as groups, syncs, reports.
//
// Step is one group; the loop around it is dull. A group that could not be written because the disk
// is full stays in hand and is written by a later Step. For the log thread.
#pragma once

#include <unordered_set>
#include <vector>

#include "arka/wal/append_queue.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/frame_buffer.h"
#include "arka/wal/live_segments.h"
#include "arka/wal/segment_writer.h"

namespace arka::wal {

class GroupCommit {
 public:
  enum class Progress {
    kIdle,    // there was nothing to write
    kWrote,   // a group is durable
    kNoRoom,  // the disk is full; the group is still in hand
  };

  GroupCommit(AppendQueue& queue, LsnReservation& reservation, SegmentWriter& writer,
              LiveSegments& live, const DefinitionTable& definitions, int64_t max_group_bytes);

  /// Makes one group durable and tells `listener`. An error is final: the queue has failed with it,
  /// and the listener has heard.
  Result<Progress> Step(LogListener& listener);

  /// Marks the end of the log where that was not done since the last group, for a moment in which
  /// nothing waits for the disk. Errors as Step's.
  Status MarkEnd(LogListener& listener);
  bool end_marked() const { return end_marked_; }

  /// Whether records were taken that are not durable yet.
  bool has_work() const { return written_ < taken_.size(); }

 private:
  /// As many of the next records as fit one group, and the bytes of all its frames.
  struct Plan {
    size_t records = 0;
    int64_t bytes = 0;
  };

  Status WriteGroup();
  Plan PlanGroup() const;
  Status EncodeGroup(const Plan& plan);
  void Finish(LogListener& listener);
  Status Fail(const Status& error, LogListener& listener);

  AppendQueue& queue_;
  LsnReservation& reservation_;
  SegmentWriter& writer_;
  LiveSegments& live_;
  const DefinitionTable& definitions_;
  const int64_t max_group_bytes_;

  std::vector<WriteRecord> taken_;
  size_t written_ = 0;  // of taken_, durable
  // The group in hand: records written_ .. written_ + group_records_ of taken_.
  size_t group_records_ = 0;
  int64_t group_bytes_ = 0;  // of its write frames
  FrameBuffer frames_;
  bool end_marked_ = true;
  bool told_no_room_ = false;
  std::unordered_set<uint32_t> defined_;  // in the active segment
};

}  // namespace arka::wal
