#include "arka/simulation/oracle.h"

#include <algorithm>
#include <utility>

#include "arka/simulation/row_content.h"
#include "arka/wal/log_object.h"

namespace arka::simulation {
namespace {

using protocol::Watermarks;

class LsnCollector : public wal::ReplayVisitor {
 public:
  Status OnDefinition(const wal::Definition&) override { return Status::OK(); }
  Status OnWrite(wal::WriteRecord record) override {
    lsns.insert(record.lsn);
    return Status::OK();
  }
  std::set<Lsn> lsns;
};

std::string Text(const Watermarks& marks) {
  std::ostringstream text;
  text << "last " << marks.last_lsn << ", disk " << marks.disk_lsn << ", s3 " << marks.s3_lsn
       << ", committed " << marks.committed_lsn;
  return std::move(text).str();
}

}  // namespace

void Oracle::Violate(std::string what) {
  world_.trace.Note("VIOLATION: ", what);
  if (violations_.size() < 20) violations_.push_back(std::move(what));
}

void Oracle::OnStarted(const Watermarks& watermarks, bool some_away,
                       std::function<Lsn(size_t table)> table_committed) {
  table_committed_ = std::move(table_committed);
  last_.reset();
  if (watermarks.disk_lsn < highest_.disk_lsn ||
      (watermarks.s3_lsn < highest_.s3_lsn && !some_away)) {
    Violate("a start forgot what was told: it begins with " + Text(watermarks) + " after " +
            Text(highest_));
  }
  OnProgress(watermarks);
}

void Oracle::OnEnded() {
  for (auto open = open_.begin(); open != open_.end();) {
    SentWrite& write = history_.writes[open->second];
    write.in_doubt = write.tier == Tier::kMemory;
    open = write.in_doubt ? open_.erase(open) : std::next(open);
  }
  last_.reset();
}

void Oracle::OnAnswered(SentWrite& write, Lsn lsn) {
  if (lsn <= highest_lsn_) {
    Violate("LSN " + std::to_string(lsn.value) + " was given after " +
            std::to_string(highest_lsn_.value));
  }
  if (write.tier > Tier::kMemory) {
    Violate("write " + std::to_string(write.number) + " was acknowledged at " +
            std::string(TierName(write.tier)) + " as LSN " + std::to_string(write.lsn->value) +
            " and is written again as " + std::to_string(lsn.value));
  }
  if (write.lsn) open_.erase(*write.lsn);
  highest_lsn_ = lsn;
  write.lsn = lsn;
  write.in_doubt = false;
  open_[lsn] = write.number;
}

void Oracle::OnRetried(SentWrite& write, Lsn lsn, bool forgotten) {
  const bool same = !write.lsn || (forgotten ? *write.lsn <= lsn : *write.lsn == lsn);
  if (!same) {
    Violate("write " + std::to_string(write.number) + " was LSN " +
            std::to_string(write.lsn->value) + ", and its retry is answered with " +
            std::to_string(lsn.value));
  }
  if (write.tier == Tier::kCommitted) return;
  if (!write.lsn) write.lsn = lsn;
  highest_lsn_ = std::max(highest_lsn_, lsn);
  write.in_doubt = false;
  open_[*write.lsn] = write.number;
}

void Oracle::OnResumed(const ProducerClient& producer, int64_t last_seq) {
  for (size_t i = 0; i < producer.writes.size(); ++i) {
    SentWrite& write = history_.writes[producer.writes[i]];
    write.there |= static_cast<int64_t>(i) < last_seq;
    if (write.tier == Tier::kMemory || static_cast<int64_t>(i) < last_seq) continue;
    Violate("producer " + producer.name + " is told that its last seq is " +
            std::to_string(last_seq) + "; seq " + std::to_string(i + 1) + " was acknowledged at " +
            std::string(TierName(write.tier)));
  }
}

void Oracle::CheckWatermarks(const Watermarks& now) {
  const bool ordered =
      now.last_lsn >= now.disk_lsn && now.disk_lsn >= now.s3_lsn && now.s3_lsn >= now.committed_lsn;
  if (!ordered) Violate("watermarks out of order: " + Text(now));
  if (last_ && (now.last_lsn < last_->last_lsn || now.disk_lsn < last_->disk_lsn ||
                now.s3_lsn < last_->s3_lsn || now.committed_lsn < last_->committed_lsn)) {
    Violate("a watermark fell: " + Text(now) + " after " + Text(*last_));
  }
}

void Oracle::OnProgress(const Watermarks& now) {
  CheckWatermarks(now);
  const bool disk_moved = !last_ || now.disk_lsn != last_->disk_lsn;
  const bool s3_moved = !last_ || now.s3_lsn != last_->s3_lsn;
  last_ = now;
  highest_.disk_lsn = std::max(highest_.disk_lsn, now.disk_lsn);
  highest_.s3_lsn = std::max(highest_.s3_lsn, now.s3_lsn);
  world_.trace.Note("progress: ", Text(now));
  std::vector<int64_t> committed;
  for (auto open = open_.begin(); open != open_.end();) {
    SentWrite& write = history_.writes[open->second];
    const Lsn lsn = *write.lsn;
    Tier tier = Tier::kMemory;
    if (lsn <= now.disk_lsn) tier = Tier::kLocalDisk;
    if (lsn <= now.s3_lsn) tier = Tier::kObjectStorage;
    if (lsn <= now.committed_lsn || lsn <= table_committed_(write.table)) tier = Tier::kCommitted;
    if (tier > write.tier) write.tier = tier;
    if (write.tier == Tier::kCommitted) committed.push_back(write.number);
    open = write.tier == Tier::kCommitted ? open_.erase(open) : std::next(open);
  }
  for (const int64_t number : committed) CheckCommitted(history_.writes[number]);
  if (disk_moved && world_.choices.OneIn(4)) CheckPowerLossNow();
  if (s3_moved && world_.choices.OneIn(2)) CheckObjects();
}

void Oracle::CheckPowerLossNow() {
  const auto image = world_.disk.Clone();
  image->LosePower(world_.choices.Next(), PowerLoss::kDropUnsynced);
  LsnCollector found;
  const auto opened = wal::Log::Open(*image, world_.clock, world_.options.log, found);
  if (!opened.ok()) {
    return Violate("a power loss now would leave a log that does not open: " +
                   opened.status().message());
  }
  for (const auto& [lsn, number] : open_) {
    const SentWrite& write = history_.writes[number];
    if (write.tier < Tier::kLocalDisk || found.lsns.contains(lsn)) continue;
    Violate("LSN " + std::to_string(lsn.value) + " is LOCAL_DISK, and a power loss now loses it");
  }
}

void Oracle::CheckObjects() {
  LsnCollector found;
  for (const auto& info : world_.object_memory.List("log/").ValueOrDie()) {
    if (!info.key.ends_with(".arkalog")) continue;  // a checkpoint of producers
    const auto object = world_.object_memory.Get(info.key).ValueOrDie();
    const Status read = wal::ReadLogObject(std::vector{object}, found);
    if (!read.ok()) Violate("log object " + info.key + " does not read: " + read.message());
  }
  for (const auto& [lsn, number] : open_) {
    const SentWrite& write = history_.writes[number];
    if (write.tier < Tier::kObjectStorage || found.lsns.contains(lsn)) continue;
    Violate("LSN " + std::to_string(lsn.value) + " is OBJECT_STORAGE and in no log object");
  }
}

Result<std::map<int64_t, int>> Oracle::Rows(size_t table) {
  const auto loaded = world_.catalog_memory.LoadTable(world_.tables[table]);
  if (!loaded.ok() || loaded->metadata->current_snapshot() == nullptr) {
    return std::map<int64_t, int>();
  }
  return reader_.Read(*loaded->metadata->current_snapshot());
}

void Oracle::CheckCommitted(const SentWrite& write) {
  const auto rows = Rows(write.table);
  if (!rows.ok()) return Violate("a table does not read: " + rows.status().message());
  for (int64_t id = FirstId(write.number); id < FirstId(write.number) + write.rows; ++id) {
    const auto found = rows->find(id);
    const int count = found == rows->end() ? 0 : found->second;
    if (count == 1) continue;
    return Violate("write " + std::to_string(write.number) + ", LSN " +
                   std::to_string(write.lsn->value) + ", is COMMITTED and its row " +
                   std::to_string(id) + " is in the table " + std::to_string(count) + " times");
  }
}

void Oracle::OnLanded(const iceberg::Table& table) { ExpectFiles(table); }

void Oracle::ExpectFiles(const iceberg::Table& table) {
  std::set<std::string> keys;
  for (const auto& snapshot : table.metadata->snapshots) {
    const Status collected = reader_.CollectKeys(snapshot, &keys);
    if (!collected.ok()) {
      Violate("snapshot " + std::to_string(snapshot.snapshot_id) + " of " +
              table.identifier.ToString() + " cannot be read: " + collected.message());
    }
  }
  for (const std::string& key : keys) {
    if (!world_.warehouse_memory.Head(key).ok()) {
      Violate("a snapshot of " + table.identifier.ToString() + " names " + key + ", which is gone");
    }
  }
  live_keys_[table.metadata->table_uuid] = std::move(keys);
}

void Oracle::OnDeleted(const std::string& warehouse_key) {
  for (const auto& [uuid, keys] : live_keys_) {
    if (keys.contains(warehouse_key)) Violate(warehouse_key + " was deleted and is in a snapshot");
  }
}

void Oracle::CheckRows(size_t table) {
  auto rows = Rows(table);
  if (!rows.ok()) return Violate("a table does not read: " + rows.status().message());
  for (const SentWrite& write : history_.writes) {
    if (write.table != table) continue;
    const bool must_be = write.there || (write.lsn && !write.in_doubt);
    const bool may_be = !write.refused;
    int64_t once = 0, more = 0;
    for (int64_t id = FirstId(write.number); id < FirstId(write.number) + write.rows; ++id) {
      const auto found = rows->find(id);
      if (found == rows->end()) continue;
      ++(found->second == 1 ? once : more);
      rows->erase(found);
    }
    const std::string name = "write " + std::to_string(write.number) +
                             (write.lsn ? ", LSN " + std::to_string(write.lsn->value) : "");
    if (more > 0) Violate(name + " is in the table more than once");
    if (must_be && once < write.rows) {
      Violate(name + ", acknowledged at " + std::string(TierName(write.tier)) + ", has " +
              std::to_string(once) + " of its " + std::to_string(write.rows) + " rows");
    }
    if (!may_be && once > 0) Violate(name + " was refused and is in the table");
    if (once > 0 && once < write.rows) Violate(name + " is in the table in part");
  }
  for (const auto& [id, count] : *rows) {
    const bool foreign =
        std::count(history_.foreign_ids.begin(), history_.foreign_ids.end(), id) > 0;
    if (!foreign || count != 1) {
      Violate("row " + std::to_string(id) + " is in the table " + std::to_string(count) + " times" +
              (foreign ? "" : ", and nobody wrote it"));
    }
  }
}

void Oracle::CheckEnd() {
  for (size_t table = 0; table < world_.tables.size(); ++table) {
    CheckRows(table);
    const auto loaded = world_.catalog_memory.LoadTable(world_.tables[table]);
    if (loaded.ok()) ExpectFiles(*loaded);
  }
}

}  // namespace arka::simulation
