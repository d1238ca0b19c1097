#include "arka/ingest/durability_tracker.h"

#include <algorithm>
#include <utility>

#include "arka/base/check.h"

namespace arka::ingest {

DurabilityTracker::DurabilityTracker(Lsn last_lsn, Lsn s3_lsn,
                                     std::map<TableId, Lsn> first_uncommitted)
    : first_uncommitted_(std::move(first_uncommitted)) {
  ARKA_CHECK(s3_lsn <= last_lsn);
  watermarks_ = {last_lsn, last_lsn, s3_lsn, kNoLsn};
  MoveCommitted();
}

void DurabilityTracker::OnWrite(TableId table, Lsn lsn) {
  watermarks_.last_lsn = std::max(watermarks_.last_lsn, lsn);
  first_uncommitted_.try_emplace(table, lsn);
}

Lsn DurabilityTracker::first_uncommitted(TableId table) const {
  const auto found = first_uncommitted_.find(table);
  return found == first_uncommitted_.end() ? kNoLsn : found->second;
}

void DurabilityTracker::OnDisk(Lsn disk_lsn) {
  ARKA_CHECK(disk_lsn <= watermarks_.last_lsn);
  watermarks_.disk_lsn = std::max(watermarks_.disk_lsn, disk_lsn);
}

void DurabilityTracker::OnObjectStorage(Lsn s3_lsn) {
  ARKA_CHECK(s3_lsn <= watermarks_.disk_lsn);
  watermarks_.s3_lsn = std::max(watermarks_.s3_lsn, s3_lsn);
  MoveCommitted();
}

void DurabilityTracker::OnCommitted(TableId table, Lsn through, Lsn next_uncommitted) {
  ARKA_CHECK(through <= watermarks_.s3_lsn);
  ARKA_CHECK(next_uncommitted == kNoLsn || next_uncommitted > through);
  if (next_uncommitted == kNoLsn) {
    first_uncommitted_.erase(table);
  } else {
    first_uncommitted_[table] = next_uncommitted;
  }
  MoveCommitted();
}

bool DurabilityTracker::all_landed() const {
  return watermarks_.s3_lsn == watermarks_.last_lsn &&
         std::ranges::all_of(first_uncommitted_,
                             [&](const auto& entry) { return gone_.contains(entry.first); });
}

void DurabilityTracker::SetGone(TableId table, bool gone) {
  if (gone) {
    gone_.insert(table);
  } else {
    gone_.erase(table);
  }
}

void DurabilityTracker::MoveCommitted() {
  // Never above s3_lsn: what no table claims is either committed or not yet uploaded.
  Lsn committed = watermarks_.s3_lsn;
  for (const auto& [table, lsn] : first_uncommitted_) {
    committed = std::min(committed, lsn.previous());
  }
  watermarks_.committed_lsn = std::max(watermarks_.committed_lsn, committed);
}

}  // namespace arka::ingest
