// Writes groups of frames, one behind the other, into segments that it activates as it needs them.
//
// A segment comes to life in this order: a spare or fresh file gets its header, is synced, gets its
// name, and the directory is synced; only then are records written to it. The first is activated
// with the first group, so a start alone changes no segment. For the log thread.
#pragma once

#include <memory>
#include <string>

#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/wal/frame_buffer.h"
#include "arka/wal/segment.h"
#include "arka/wal/segment_pool.h"

namespace arka::wal {

class SegmentWriter {
 public:
  struct Options {
    std::string directory;
    std::string node;
    int64_t epoch = 0;
    int64_t segment_bytes = 0;
    ChainPoint predecessor;    // where the log ended before
    int64_t first_number = 1;  // of the next segment
  };

  SegmentWriter(Fs& fs, Clock& clock, SegmentPool& pool, Options options);

  /// The active segment, none before the first Activate.
  const std::shared_ptr<Segment>& segment() const { return segment_; }
  /// Where the next group goes.
  const ChainPoint& position() const { return position_; }
  /// Bytes that a group may still take in the active segment; 0 where there is none.
  int64_t room() const;

  /// Begins a new segment, large enough for a group of `min_bytes`, whose first write is
  /// `first_lsn`. On kBackpressure (disk full) nothing changed; call again. Other errors are final.
  Status Activate(Lsn first_lsn, int64_t min_bytes);

  /// Writes `frames`, which continue position(). On kBackpressure call again with the same frames.
  Status Write(const FrameBuffer& frames);
  /// Makes durable what was written; then position() moves past it, to `last_lsn`.
  Status Sync(const FrameBuffer& frames, Lsn last_lsn);

  /// Writes, without a sync, a mark behind what was synced: evidence for replay that everything
  /// before it had reached the disk. The next group takes its place.
  Status WriteMark(bool seals);

 private:
  Result<SegmentPool::Spare> FileFor(int64_t size_bytes);
  Status WriteHeader(File& file, SegmentHeader& header);

  Fs& fs_;
  Clock& clock_;
  SegmentPool& pool_;
  Options options_;
  std::shared_ptr<Segment> segment_;
  ChainPoint position_;
  int64_t next_number_;
  FrameBuffer mark_;
};

}  // namespace arka::wal
