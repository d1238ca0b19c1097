// Makes log objects of what is durable, reading the segments beside the log thread.
//
// Reads exact byte ranges in order. A caller that goes on from the last LSN of the object before
// continues at that very byte; others begin at an indexed place. An object never spans segments.
// Every frame's CRC is checked on the way, so rot is found before it is uploaded. Thread-safe.
#pragma once

#include <mutex>
#include <shared_mutex>

#include "arka/wal/definition_table.h"
#include "arka/wal/live_segments.h"
#include "arka/wal/log.h"

namespace arka::wal {

class ObjectSource {
 public:
  ObjectSource(const LiveSegments& live, const DefinitionTable& definitions);

  /// As Log::ReadObject.
  Result<LogObject> Read(Lsn after, int64_t max_bytes);

 private:
  Result<LogObject> ReadFrom(const Segment& segment, const ChainPoint& start, Lsn after,
                             int64_t max_bytes);

  const LiveSegments& live_;
  const DefinitionTable& definitions_;
  std::mutex mutex_;
  ChainPoint next_;  // where the last object ended; guarded by mutex_
};

}  // namespace arka::wal
