#include "arka/query/fresh_rows.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/query/fresh_scan.h"

namespace arka::query {
namespace {

// A file is begun anew at this size: memory is given back a file at a time.
constexpr int64_t kFileBytes = 64 << 20;

// The rows of after < LSN <= through, in one file, and where in it some of these LSNs lie.
struct Run {
  struct Mark {
    Lsn through;      // all rows up to this LSN
    int64_t end = 0;  // lie before this place
  };
  std::shared_ptr<RowsFile> file;
  std::vector<Mark> marks;  // never none; the first is where the run begins

  Lsn through() const { return marks.back().through; }

  // What is above it comes after this; through() >= `lsn`.
  const Mark& FirstMarkFrom(Lsn lsn) const {
    return *std::lower_bound(marks.begin(), marks.end(), lsn,
                             [](const Mark& mark, Lsn value) { return mark.through < value; });
  }
};

Result<Run> BeginRun(const arrow::Schema& schema, Lsn after, RowsBudget& budget) {
  Run run;
  ARROW_ASSIGN_OR_RAISE(run.file, RowsFile::Make(schema, budget));
  run.marks.push_back({after, run.file->size_bytes()});
  return run;
}

// Adds the next rows of `scan`. After an error the run is to be given up.
Status AddTo(Run& run, FreshScan& scan) {
  ARROW_ASSIGN_OR_RAISE(const auto batches, scan.Next());
  for (const auto& batch : batches) {
    if (batch->num_rows() > 0) ARROW_RETURN_NOT_OK(run.file->Append(*batch));
  }
  if (run.marks.back().end == run.file->size_bytes()) {
    run.marks.back().through = scan.read_through();
  } else {
    run.marks.push_back({scan.read_through(), run.file->size_bytes()});
  }
  return Status::OK();
}

}  // namespace

struct FreshRows::KnownTable {
  int64_t last_use = 0;  // guarded by FreshRows::mutex_
  int idle_sweeps = 0;   // guarded by FreshRows::mutex_

  std::mutex mutex;                       // held while the log is read: the next query waits for it
  std::shared_ptr<arrow::Schema> schema;  // of the rows; guarded by mutex
  std::deque<Run> runs;                   // each goes on where the last one ends; guarded by mutex
};

FreshRows::FreshRows(const ReadSource& source, int64_t memory_bytes)
    : source_(source), budget_(memory_bytes, [this] { return ForgetOldest(); }) {}

FreshRows::~FreshRows() = default;

Result<std::vector<RowsPart>> FreshRows::Read(
    const std::shared_ptr<const TableSnapshot>& snapshot) {
  std::vector<RowsPart> parts;
  if (!snapshot->has_fresh_rows()) return parts;
  const auto table = Use(snapshot->uuid);
  std::lock_guard lock(table->mutex);
  if (table->schema == nullptr || !table->schema->Equals(*snapshot->schema, true)) {
    table->schema = snapshot->schema;
    table->runs.clear();
  }
  auto& runs = table->runs;
  while (!runs.empty() && runs.front().through() <= snapshot->committed) runs.pop_front();
  ARROW_RETURN_NOT_OK(ReadOn(snapshot, *table));
  const Run::Mark first = runs.front().FirstMarkFrom(snapshot->committed);
  if (snapshot->committed < first.through) {
    // A commit took a part of what had been read at once, or the snapshot is an older one.
    ARROW_ASSIGN_OR_RAISE(Run gap, BeginRun(*snapshot->schema, snapshot->committed, budget_));
    FreshScan scan(source_, snapshot, snapshot->committed, first.through);
    while (!scan.done()) ARROW_RETURN_NOT_OK(AddTo(gap, scan));
    parts.push_back({gap.file, gap.marks.front().end, gap.file->size_bytes()});
  }
  for (const Run& run : runs) {
    const int64_t begin = &run == &runs.front() ? first.end : run.marks.front().end;
    parts.push_back({run.file, begin, run.file->size_bytes()});
  }
  std::erase_if(parts, [](const RowsPart& part) { return part.begin == part.end; });
  return parts;
}

Status FreshRows::ReadOn(const std::shared_ptr<const TableSnapshot>& snapshot, KnownTable& table) {
  auto& runs = table.runs;
  FreshScan scan(source_, snapshot, runs.empty() ? snapshot->committed : runs.back().through(),
                 snapshot->through);
  while (!scan.done()) {
    if (runs.empty() || runs.back().file->size_bytes() >= kFileBytes) {
      ARROW_ASSIGN_OR_RAISE(Run run, BeginRun(*table.schema, scan.read_through(), budget_));
      runs.push_back(std::move(run));
    }
    const Status added = AddTo(runs.back(), scan);
    if (!added.ok()) {
      runs.pop_back();
      return added;
    }
  }
  return Status::OK();
}

std::shared_ptr<FreshRows::KnownTable> FreshRows::Use(const std::string& uuid) {
  std::lock_guard lock(mutex_);
  auto& table = tables_[uuid];
  if (table == nullptr) table = std::make_shared<KnownTable>();
  table->last_use = ++uses_;
  table->idle_sweeps = 0;
  return table;
}

// A query that still uses the table's files keeps them until it is done.
bool FreshRows::ForgetOldest() {
  std::shared_ptr<KnownTable> forgotten;  // outlives the lock: its files take time to free
  std::lock_guard lock(mutex_);
  const auto oldest = std::min_element(
      tables_.begin(), tables_.end(),
      [](const auto& a, const auto& b) { return a.second->last_use < b.second->last_use; });
  if (oldest == tables_.end()) return false;
  forgotten = std::move(oldest->second);
  tables_.erase(oldest);
  return true;
}

void FreshRows::Sweep() {
  std::lock_guard lock(mutex_);
  std::erase_if(tables_,
                [](const auto& entry) { return ++entry.second->idle_sweeps > kIdleSweeps; });
}

}  // namespace arka::query
