// What Log::Open does before there is a log: read, judge, and only then touch the disk.
//
//  1. read the control file; a directory with segments and none is refused;
//  2. replay the segments (replay.h); any damage but a torn tail is refused;
//  3. compare with the control file: epochs and LSNs may not have gone back;
//  4. write the last group again, byte for byte, and sync: what the page cache showed after a
//  failed
//     sync or a kill may not be on the disk, and from here on it counts as durable;
//  5. remove what is unfinished or released, and begin the next epoch.
// Steps 1 to 3 change nothing.
#pragma once

#include <memory>
#include <vector>

#include "arka/wal/control_file.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/log.h"
#include "arka/wal/segment.h"
#include "arka/wal/segment_pool.h"

namespace arka::wal {

struct Recovered {
  std::unique_ptr<ControlFile> control;
  std::unique_ptr<DefinitionTable> definitions;
  std::unique_ptr<SegmentPool> pool;
  std::vector<std::shared_ptr<Segment>> segments;
  ChainPoint end;         // where the next segment's predecessor ends
  Lsn last_lsn = kNoLsn;  // the last LSN known to have been written
};

Result<Recovered> Recover(Fs& fs, Clock& clock, const LogOptions& options, ReplayVisitor& visitor);

}  // namespace arka::wal
