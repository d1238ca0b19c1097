// Ack batches: what a writing stream is told, as Arrow record batches (docs/spec/wire.md, "Acks").
//
// Acks come in runs: writes first..last of one stream reached one tier at one time. The codec turns
// runs into rows column by column, without builders, since it runs for every wake-up of a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::protocol {

/// The writes first..last reached `tier` at `timestamp_us` (microseconds since the epoch, UTC).
struct AckRun {
  Lsn first;
  Lsn last;
  Tier tier = Tier::kMemory;
  int64_t timestamp_us = 0;
  int64_t snapshot_id = 0;  // of COMMITTED runs; 0: none

  int64_t rows() const { return last.value - first.value + 1; }
};

/// Every LSN at or below these, on this server, has reached the tier.
struct Watermarks {
  Lsn last_lsn = kNoLsn;
  Lsn disk_lsn = kNoLsn;
  Lsn s3_lsn = kNoLsn;
  Lsn committed_lsn = kNoLsn;

  bool operator==(const Watermarks&) const = default;
};

/// The schema of every ack batch: lsn int64, durability_level utf8, is_durability_update bool,
/// timestamp timestamp[us, UTC], is_watermark_update bool (all not null), then disk_lsn, s3_lsn,
/// committed_lsn and snapshot_id, int64 and nullable.
const std::shared_ptr<arrow::Schema>& AckSchema();

/// One batch with a row for every LSN of `runs`, in order, and, where `watermarks` is given, a last
/// row with them at `watermark_timestamp_us`.
std::shared_ptr<arrow::RecordBatch> MakeAckBatch(const std::vector<AckRun>& runs,
                                                 const std::optional<Watermarks>& watermarks,
                                                 int64_t watermark_timestamp_us);

/// The reverse, for clients: checks the schema, and that nothing is null which must not be, and
/// yields one run per row (watermark rows apart).
struct AckBatchContents {
  std::vector<AckRun> rows;  // first == last
  std::vector<Watermarks> watermarks;
};
Result<AckBatchContents> ReadAckBatch(const arrow::RecordBatch& batch);

}  // namespace arka::protocol
