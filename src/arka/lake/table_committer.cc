// One call of Commit, as the outcomes lead:
//
//   1. Load the table. What the property shows as committed is dropped; if that is all: done.
//   2. Prepare the append on what was loaded.
//   3. Commit it. Done: answer. Any error that says "did not land": clean up and answer it.
//   4. Unknown: back off, load again (until that works). The property decides whether it landed; if
//      not, and the base is still the same, go to 3 with the same append: its base is asserted, so
//      that one of the two at most lands. If the base has moved, the old one can land no more: 2.
//   5. Conflict: back off and go to 1. The property is looked at again, for the conflict may be
//      with an attempt of our own that an earlier answer did not tell us about.
#include "arka/lake/table_committer.h"

#include <charconv>
#include <optional>
#include <utility>

#include "arka/base/check.h"
#include "arka/iceberg/fast_append.h"
#include "arka/lake/back_off.h"

namespace arka::lake {
namespace {

constexpr char kCommittedLsnPrefix[] = "arka.committed-lsn.";
constexpr char kFirstLsnKey[] = "arka.first-lsn";
constexpr char kLastLsnKey[] = "arka.last-lsn";
constexpr char kNodeKey[] = "arka.node";
constexpr int64_t kExpiredSnapshot = 0;

Result<Lsn> ParseLsn(const std::string& text) {
  Lsn lsn;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, lsn.value);
  if (parsed.ec == std::errc() && parsed.ptr == end) return lsn;
  return Error(ErrorCode::kCorruption, "'", text.substr(0, 64), "' is not an LSN");
}

/// The snapshot of `node` that holds the write `lsn`, or kExpiredSnapshot.
int64_t SnapshotHolding(const iceberg::TableMetadata& metadata, const std::string& node, Lsn lsn) {
  const auto lsn_of = [](const iceberg::Snapshot& snapshot, const char* key) {
    const auto found = snapshot.summary.find(key);
    if (found == snapshot.summary.end()) return std::optional<Lsn>();
    const auto parsed = ParseLsn(found->second);
    return parsed.ok() ? std::optional<Lsn>(*parsed) : std::nullopt;
  };
  for (const auto& snapshot : metadata.snapshots) {
    const auto of_node = snapshot.summary.find(kNodeKey);
    if (of_node == snapshot.summary.end() || of_node->second != node) continue;
    const auto first = lsn_of(snapshot, kFirstLsnKey);
    const auto last = lsn_of(snapshot, kLastLsnKey);
    if (first && last && *first <= lsn && lsn <= *last) return snapshot.snapshot_id;
  }
  return kExpiredSnapshot;
}

iceberg::AppendRequest RequestFor(const std::vector<StagedFile>& files, const std::string& node) {
  iceberg::AppendRequest request;
  for (const auto& staged : files) request.files.push_back(staged.file);
  const std::string last = std::to_string(files.back().last_lsn.value);
  request.summary = {{kFirstLsnKey, std::to_string(files.front().first_lsn.value)},
                     {kLastLsnKey, last},
                     {kNodeKey, node}};
  request.properties = {{kCommittedLsnPrefix + node, last}};
  return request;
}

/// The files whose writes are above `committed`. A file that is only partly above cannot be.
Result<std::vector<StagedFile>> Above(Lsn committed, const std::vector<StagedFile>& files) {
  std::vector<StagedFile> above;
  for (const auto& staged : files) {
    if (staged.last_lsn <= committed) continue;
    if (staged.first_lsn <= committed) {
      return Error(ErrorCode::kInternal, "the data file of the writes ", staged.first_lsn, " to ",
                   staged.last_lsn, " is partly committed: the table is at ", committed);
    }
    above.push_back(staged);
  }
  return above;
}

}  // namespace

Result<Lsn> CommittedLsnOf(const iceberg::TableMetadata& metadata, const std::string& node) {
  const auto property = metadata.properties.find(kCommittedLsnPrefix + node);
  if (property == metadata.properties.end()) return kNoLsn;
  auto lsn = ParseLsn(property->second);
  if (!lsn.ok()) return WithContext(lsn.status(), "table property " + property->first);
  return lsn;
}

TableCommitter::TableCommitter(iceberg::Catalog& catalog, ObjectStore& warehouse, Clock& clock,
                               Random& random, std::string node)
    : catalog_(catalog),
      warehouse_(warehouse),
      clock_(clock),
      random_(random),
      node_(std::move(node)) {}

Result<int64_t> TableCommitter::Commit(const iceberg::TableIdentifier& table,
                                       const std::string& table_uuid,
                                       const std::vector<StagedFile>& files, Lsn newest_lsn,
                                       std::stop_token stop) {
  ARKA_CHECK(!files.empty());
  BackOff back_off(clock_, random_, std::move(stop));
  ARROW_ASSIGN_OR_RAISE(iceberg::Table base, Load(table, table_uuid));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const Lsn committed, CommittedLsnOf(*base.metadata, node_));
    if (committed > newest_lsn) {
      return Error(ErrorCode::kUnavailable, "the table says that node '", node_,
                   "' has committed up to LSN ", committed,
                   ", but this server has given none above ", newest_lsn,
                   ": two servers share a server.node_id; stop one of them");
    }
    ARROW_ASSIGN_OR_RAISE(const auto missing, Above(committed, files));
    if (missing.empty()) return SnapshotHolding(*base.metadata, node_, files.back().last_lsn);
    ARROW_ASSIGN_OR_RAISE(
        const auto append,
        iceberg::PrepareAppend(base, warehouse_, random_, clock_, RequestFor(missing, node_)));
    bool was_unknown = false;
    Status outcome;
    do {
      outcome = catalog_.CommitTable(table, append.requirements, append.updates).status();
      if (outcome.ok()) return append.snapshot_id;
      const ErrorCode code = CodeOf(outcome);
      if (code != ErrorCode::kCommitUnknown && code != ErrorCode::kCommitConflict) {
        if (!was_unknown) Discard(append.written);
        return outcome;
      }
      was_unknown |= code == ErrorCode::kCommitUnknown;
      ARROW_RETURN_NOT_OK(back_off.Wait());
      const int64_t base_snapshot = base.metadata->current_snapshot_id;
      ARROW_ASSIGN_OR_RAISE(base, Reload(table, table_uuid, was_unknown, back_off));
      if (base.metadata->current_snapshot_id != base_snapshot) break;
    } while (CodeOf(outcome) == ErrorCode::kCommitUnknown);
    // Only a clean conflict says that nobody will ever read what was prepared.
    if (!was_unknown && base.metadata->FindSnapshot(append.snapshot_id) == nullptr) {
      Discard(append.written);
    }
  }
}

Result<iceberg::Table> TableCommitter::Load(const iceberg::TableIdentifier& table,
                                            const std::string& table_uuid) {
  ARROW_ASSIGN_OR_RAISE(auto loaded, catalog_.LoadTable(table));
  if (loaded.metadata->table_uuid == table_uuid) return loaded;
  return Error(ErrorCode::kNotFound, "table ", table.ToString(),
               " is another one now: its UUID is ", loaded.metadata->table_uuid, ", not ",
               table_uuid);
}

Result<iceberg::Table> TableCommitter::Reload(const iceberg::TableIdentifier& table,
                                              const std::string& table_uuid, bool must_know,
                                              BackOff& back_off) {
  while (true) {
    auto loaded = Load(table, table_uuid);
    const bool is_final = loaded.ok() || CodeOf(loaded.status()) == ErrorCode::kNotFound;
    if (is_final || !must_know) return loaded;
    ARROW_RETURN_NOT_OK(back_off.Wait());
  }
}

void TableCommitter::Discard(const std::vector<std::string>& written) {
  for (const auto& key : written) (void)warehouse_.Delete(key);
}

}  // namespace arka::lake
