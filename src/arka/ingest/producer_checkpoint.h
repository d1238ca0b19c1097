// A checkpoint: what was known of all producers, and which LSNs were lost, when one LSN was the
// last. With it the log above that LSN says everything, and the log below may be let go.
//
// The format is docs/spec/log.md, "Checkpoints". Pure; CheckpointStore keeps the bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/ingest/lsn_ranges.h"
#include "arka/ingest/producer_table.h"
#include "arka/io/fs.h"

namespace arka::ingest {

struct ProducerCheckpoint {
  Lsn lsn = kNoLsn;  // everything up to here is in it, nothing above
  std::vector<ProducerState> producers;
  std::vector<LsnRange> lost;      // also above `lsn`, where they were given up
  RunningTime running{0};          // how long the server had been running
  Lsn forgotten_through = kNoLsn;  // as ProducerTable::forgotten_through

  bool operator==(const ProducerCheckpoint&) const = default;
};

std::shared_ptr<arrow::Buffer> EncodeCheckpoint(const ProducerCheckpoint& checkpoint,
                                                const std::string& node);

/// The checkpoint at the beginning of `bytes`, whatever follows it; kCorruption where there is
/// none.
Result<ProducerCheckpoint> DecodeCheckpoint(ByteSpan bytes);

}  // namespace arka::ingest
