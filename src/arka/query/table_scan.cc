#include "arka/query/table_scan.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace arka::query {

std::vector<SnapshotPart> PartsOf(const TableSnapshot& snapshot, int64_t part_bytes,
                                  size_t max_parts) {
  std::vector<SnapshotPart> parts;
  if (snapshot.has_fresh_rows() || snapshot.files.empty()) parts.push_back({.fresh = true});
  int64_t total = 0;
  for (const auto& file : snapshot.files) total += file.file_size_in_bytes;
  part_bytes = std::max(part_bytes, total / static_cast<int64_t>(max_parts));
  int64_t bytes = 0;
  size_t first = 0;
  for (size_t i = 0; i < snapshot.files.size(); ++i) {
    bytes += snapshot.files[i].file_size_in_bytes;
    const bool is_last = i + 1 == snapshot.files.size();
    if (bytes < part_bytes && !is_last) continue;
    parts.push_back({.first_file = first, .last_file = i + 1});
    first = i + 1;
    bytes = 0;
  }
  return parts;
}

TableScan::TableScan(const ReadSource& source, std::shared_ptr<const TableSnapshot> snapshot,
                     SnapshotPart part)
    : source_(source),
      snapshot_(std::move(snapshot)),
      part_(part),
      fresh_(source, snapshot_, part.fresh ? snapshot_->committed : snapshot_->through,
             snapshot_->through),
      next_file_(part.first_file) {}

Result<std::shared_ptr<arrow::RecordBatch>> TableScan::Next() {
  while (true) {
    if (!ready_.empty()) {
      auto batch = std::move(ready_.front());
      ready_.pop_front();
      if (batch->num_rows() > 0) return batch;
    } else if (!fresh_.done()) {
      ARROW_ASSIGN_OR_RAISE(auto batches, fresh_.Next());
      std::move(batches.begin(), batches.end(), std::back_inserter(ready_));
    } else if (file_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto batch, file_->Next());
      if (batch == nullptr) {
        file_.reset();
      } else {
        ready_.push_back(std::move(batch));
      }
    } else if (next_file_ < part_.last_file) {
      ARROW_RETURN_NOT_OK(OpenFile());
    } else {
      return nullptr;
    }
  }
}

Status TableScan::OpenFile() {
  return lake::DataFileReader::Open(source_.warehouse, snapshot_->files[next_file_++],
                                    snapshot_->schema)
      .Value(&file_);
}

}  // namespace arka::query
