// One call of Commit, as the outcomes lead:
//
//   1. Load the table. What the property shows as committed is dropped; if that is all, or if it
//      ends within a file: done.
//   2. Prepare the append on what was loaded, and commit it. Done: answer. Any error that says "did
//      not land": clean up and answer it.
//   3. Load again. The property decides whether the attempt has landed: its answer may have been
//      lost, or repeated on its way and so become a conflict with itself. Landed: done.
//   4. Unknown: answer that. The next call starts at 1; as long as the base is the same, only one
//   of
//      the two can land, and once the base has moved the older one can land no more.
//   5. Conflict: nobody will ever read what was prepared, so it is deleted. Go to 1.
#include "arka/lake/table_committer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "arka/base/check.h"
#include "arka/iceberg/fast_append.h"
#include "arka/lake/table_lookup.h"

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
  for (const auto& snapshot : metadata.snapshots) {
    const auto writes = WritesAddedBy(snapshot, node);
    if (writes && writes->first <= lsn && lsn <= writes->last) return snapshot.snapshot_id;
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

/// The files whose writes are all above `committed`.
std::vector<StagedFile> Above(Lsn committed, const std::vector<StagedFile>& files) {
  std::vector<StagedFile> above;
  for (const auto& staged : files) {
    if (staged.first_lsn > committed) above.push_back(staged);
  }
  return above;
}

/// Whether the writes up to `committed` end within one of the files.
bool EndsWithin(Lsn committed, const std::vector<StagedFile>& files) {
  return std::ranges::any_of(files, [committed](const StagedFile& staged) {
    return staged.first_lsn <= committed && committed < staged.last_lsn;
  });
}

/// A missing file is not a missing table.
Status NotPrepared(const Status& error) {
  if (CodeOf(error) != ErrorCode::kNotFound) return error;
  return Error(ErrorCode::kCorruption,
               "the table names a file that is not there: ", error.message());
}

}  // namespace

std::optional<CommittedWrites> WritesAddedBy(const iceberg::Snapshot& snapshot,
                                             const std::string& node) {
  const auto lsn_of = [&](const char* key) {
    const auto found = snapshot.summary.find(key);
    if (found == snapshot.summary.end()) return std::optional<Lsn>();
    const auto parsed = ParseLsn(found->second);
    return parsed.ok() ? std::optional<Lsn>(*parsed) : std::nullopt;
  };
  const auto of_node = snapshot.summary.find(kNodeKey);
  if (of_node == snapshot.summary.end() || of_node->second != node) return std::nullopt;
  const auto first = lsn_of(kFirstLsnKey);
  const auto last = lsn_of(kLastLsnKey);
  if (!first || !last) return std::nullopt;
  return CommittedWrites{*first, *last};
}

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

Result<CommitOutcome> TableCommitter::Commit(const iceberg::TableIdentifier& table,
                                             const std::string& table_uuid,
                                             const std::vector<StagedFile>& files, Lsn newest_lsn,
                                             const std::stop_token& stop) {
  ARKA_CHECK(!files.empty());
  const Lsn last_lsn = files.back().last_lsn;
  const auto landed = [&](const iceberg::Table& shown, Lsn through) {
    return CommitOutcome{SnapshotHolding(*shown.metadata, node_, through), through,
                         shown.identifier, shown.metadata->current_schema_id};
  };
  ARROW_ASSIGN_OR_RAISE(iceberg::Table base, FindTable(catalog_, table, table_uuid));
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (stop.stop_requested()) return Error(ErrorCode::kShuttingDown, "stopped before a commit");
    ARROW_ASSIGN_OR_RAISE(const Lsn committed, CommittedIn(base, newest_lsn));
    if (committed >= last_lsn) return landed(base, last_lsn);
    if (EndsWithin(committed, files)) return landed(base, committed);
    const auto missing = Above(committed, files);
    const auto prepared =
        iceberg::PrepareAppend(base, warehouse_, random_, clock_, RequestFor(missing, node_));
    if (!prepared.ok()) return NotPrepared(prepared.status());
    const iceberg::PreparedAppend& append = *prepared;
    const auto answer = catalog_.CommitTable(base.identifier, append.requirements, append.updates);
    if (answer.ok()) {
      return CommitOutcome{append.snapshot_id, last_lsn, base.identifier,
                           answer->metadata->current_schema_id};
    }
    const ErrorCode code = CodeOf(answer.status());
    if (code != ErrorCode::kCommitUnknown && code != ErrorCode::kCommitConflict) {
      Discard(append.written);
      return answer.status();
    }
    auto now = FindTable(catalog_, table, table_uuid);
    if (!now.ok()) {
      return Error(code, answer.status().message(),
                   "; and the table cannot be read: ", now.status().message());
    }
    base = *std::move(now);
    ARROW_ASSIGN_OR_RAISE(const Lsn shown, CommittedIn(base, newest_lsn));
    if (shown >= last_lsn) continue;
    if (code == ErrorCode::kCommitUnknown) return answer.status();
    if (base.metadata->FindSnapshot(append.snapshot_id) == nullptr) Discard(append.written);
  }
  ARROW_ASSIGN_OR_RAISE(const Lsn committed, CommittedIn(base, newest_lsn));
  if (committed >= last_lsn) return landed(base, last_lsn);
  return Error(ErrorCode::kCommitConflict, "others committed first, ", kAttempts,
               " times in a row");
}

Result<Lsn> TableCommitter::CommittedIn(const iceberg::Table& table, Lsn newest_lsn) const {
  ARROW_ASSIGN_OR_RAISE(const Lsn committed, CommittedLsnOf(*table.metadata, node_));
  if (committed <= newest_lsn) return committed;
  return Error(ErrorCode::kUnavailable, "the table says that node '", node_,
               "' has committed up to LSN ", committed, ", but this server has given none above ",
               newest_lsn, ": two servers share a server.node_id; stop one of them");
}

void TableCommitter::Discard(const std::vector<std::string>& written) {
  for (const auto& key : written) (void)warehouse_.Delete(key);
}

}  // namespace arka::lake
