// A catalog that answers anything: for tests of what a commit makes of it.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/iceberg/fast_append.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/testing/seeded_random.h"

namespace arka::ingest {

/// Over a MemoryCatalog: commits land, are answered with a conflict, are lost before or after they
/// land, or land only later, maybe after a restart; loads fail; others commit and expire snapshots
/// in between. By seed; everything is well once `calm` is set.
class UnrulyCatalog final : public iceberg::Catalog {
 public:
  UnrulyCatalog(iceberg::MemoryCatalog& base, ObjectStore& warehouse, Clock& clock, uint64_t seed)
      : base_(base), warehouse_(warehouse), clock_(clock), dice_(seed) {}

  std::atomic<bool> calm = false;

  Result<iceberg::Table> LoadTable(const iceberg::TableIdentifier& identifier) override {
    const std::lock_guard lock(mutex_);
    LandLate(/*one_in=*/4);
    if (!calm && dice_.Next() % 6 == 0) return Error(ErrorCode::kUnavailable, "503");
    return base_.LoadTable(identifier);
  }

  Result<iceberg::Table> CommitTable(const iceberg::TableIdentifier& identifier,
                                     const std::vector<iceberg::TableRequirement>& requirements,
                                     const std::vector<iceberg::TableUpdate>& updates) override {
    const std::lock_guard lock(mutex_);
    LandLate(/*one_in=*/2);
    const auto land = [&] { return base_.CommitTable(identifier, requirements, updates); };
    if (calm) return land();
    if (dice_.Next() % 5 == 0) Disturb(identifier);
    switch (dice_.Next() % 8) {
      case 0:
        return Error(ErrorCode::kCommitConflict, "409");
      case 1:
        return Error(ErrorCode::kUnavailable, "429: it did not land");
      case 2:
        return Error(ErrorCode::kCommitUnknown, "503, before");
      case 3:
        (void)land();
        return Error(ErrorCode::kCommitUnknown, "the answer was lost");
      case 4:
        (void)land();
        return Error(ErrorCode::kCommitConflict, "sent twice on its way");
      case 5:
        late_.push_back({identifier, requirements, updates});
        return Error(ErrorCode::kCommitUnknown, "time-out");
      default:
        return land();
    }
  }

  Result<iceberg::Table> CreateTable(const iceberg::TableIdentifier& identifier,
                                     const iceberg::TableCreation& creation) override {
    return base_.CreateTable(identifier, creation);
  }
  Result<std::vector<iceberg::TableIdentifier>> ListTables() override { return base_.ListTables(); }
  Status DropTable(const iceberg::TableIdentifier& name) override { return base_.DropTable(name); }

  /// The commits that are still on their way arrive, if ever they do.
  void LandAllLate() {
    const std::lock_guard lock(mutex_);
    LandLate(/*one_in=*/1);
  }

 private:
  struct Late {
    iceberg::TableIdentifier identifier;
    std::vector<iceberg::TableRequirement> requirements;
    std::vector<iceberg::TableUpdate> updates;
  };

  void LandLate(uint64_t one_in) {
    for (auto it = late_.begin(); it != late_.end();) {
      if (dice_.Next() % one_in != 0) {
        ++it;
        continue;
      }
      (void)base_.CommitTable(it->identifier, it->requirements, it->updates);
      it = late_.erase(it);
    }
  }

  // Somebody else's commit, and then the expiry of all snapshots but the last.
  void Disturb(const iceberg::TableIdentifier& identifier) {
    const auto table = base_.LoadTable(identifier);
    const auto append = iceberg::PrepareAppend(*table, warehouse_, dice_, clock_, {});
    (void)base_.CommitTable(identifier, append->requirements, append->updates);
    iceberg::RemoveSnapshots expired;
    for (const auto& snapshot : table->metadata->snapshots) {
      expired.snapshot_ids.push_back(snapshot.snapshot_id);
    }
    if (!expired.snapshot_ids.empty()) (void)base_.CommitTable(identifier, {}, {expired});
  }

  iceberg::MemoryCatalog& base_;
  ObjectStore& warehouse_;
  Clock& clock_;
  std::mutex mutex_;
  SeededRandom dice_;       // guarded by mutex_
  std::vector<Late> late_;  // guarded by mutex_
};

}  // namespace arka::ingest
