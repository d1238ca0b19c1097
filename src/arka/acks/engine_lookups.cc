#include "arka/acks/engine_lookups.h"

namespace arka::acks {

ReachedTiers ReachedOf(const ingest::Progress& progress) {
  const auto& watermarks = progress.watermarks;
  return {{watermarks.last_lsn, watermarks.disk_lsn, watermarks.s3_lsn}, progress.moved_at_us};
}

TimeLookup TimesOf(const ingest::Engine& engine) {
  return [&engine](Tier tier, Lsn lsn) { return engine.ReachedAt(tier, lsn); };
}

CommitLookup CommitsOf(const ingest::Table& table) {
  return [&table](Lsn lsn) -> std::optional<CommittedRange> {
    const auto event = table.CommitOf(lsn);
    if (!event) return std::nullopt;
    return CommittedRange{event->through, event->snapshot_id, event->timestamp_us};
  };
}

}  // namespace arka::acks
