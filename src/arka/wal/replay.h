// What a start reads: every segment still needed, in order, each record checked.
//
// The steps, for the segments from the control file's first_segment on:
//  1. headers: numbers, names and predecessors must join up; the oldest is the first one needed;
//  2. each segment but the last must reach exactly the end that its successor's header names;
//  3. the last ends where its chain ends. Bytes behind are a torn tail, unless a later group, a
//     mark or the control file shows that they had been synced: then they are damage.
// Changes nothing on disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/wal/control_file.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/log.h"
#include "arka/wal/segment.h"

namespace arka::wal {

struct Replayed {
  std::vector<std::shared_ptr<Segment>> segments;
  ChainPoint end;         // of the log; segment 0 where there is none
  ChainPoint last_group;  // where the last group begins
  Lsn last_lsn = kNoLsn;  // of the last write found
  int64_t max_epoch = 0;
  std::vector<std::string> obsolete;  // names of segments below first_segment
};

/// Shows `visitor` the records in `directory` and fills `definitions`. `names`: what the directory
/// lists. kCorruption, naming segment
/// and offset, for damage that is not a torn tail; errors of reading as they are.
Result<Replayed> Replay(Fs& fs, const std::string& directory, const std::vector<std::string>& names,
                        const LogState& state, DefinitionTable& definitions,
                        ReplayVisitor& visitor);

}  // namespace arka::wal
