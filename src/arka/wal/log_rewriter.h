// Writes records that have their LSNs already into a new log, as a server would have written them.
//
// For repair. LSNs must rise; where they leave a gap the next segment begins, in an epoch of its
// own, as after a start, so that the format's rules hold for what comes out. For one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arka/io/clock.h"
#include "arka/wal/control_file.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/frame_buffer.h"
#include "arka/wal/segment_pool.h"
#include "arka/wal/segment_writer.h"

namespace arka::wal {

class LogRewriter {
 public:
  struct Options {
    std::string directory;  // exists, and is empty
    std::string node{};
    int64_t segment_bytes = 0;
    int64_t first_number = 1;
    int64_t first_epoch = 1;
    Lsn begins_after = kNoLsn;  // writes up to here were never part of it, or released
  };

  static Result<std::unique_ptr<LogRewriter>> Make(Fs& fs, Clock& clock, Options options);

  /// `definition` is that of `record`; bodies are kept until their group is written.
  Status Add(WriteRecord record, const Definition& definition);

  /// Writes what is pending and, last, the control file: `state` with the new log's epoch, first
  /// segment and end. After it the directory is a whole log, durable.
  Status Finish(LogState state);

 private:
  LogRewriter(Fs& fs, Clock& clock, Options options, std::unique_ptr<SegmentPool> pool);

  Status WriteGroup();
  void BeginRun();

  Fs& fs_;
  Clock& clock_;
  const Options options_;
  const std::unique_ptr<SegmentPool> pool_;
  int64_t epoch_;
  ChainPoint end_;  // of what is written; segment 0: nothing
  std::optional<SegmentWriter> writer_;
  FrameBuffer frames_;
  std::vector<WriteRecord> pending_;
  int64_t pending_bytes_ = 0;
  DefinitionTable known_;
  std::vector<DefinitionId> defined_;  // in the active segment
};

}  // namespace arka::wal
