// The snapshot of a table as a result that tickets stand for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/query/held_result.h"
#include "arka/query/table_scan.h"

namespace arka::query {

class TableResult : public HeldResult {
 public:
  /// `source` must outlive the result and its readers.
  TableResult(const ReadSource& source, std::shared_ptr<const TableSnapshot> snapshot,
              std::vector<SnapshotPart> parts)
      : source_(source), snapshot_(std::move(snapshot)), parts_(std::move(parts)) {}

  std::vector<std::string> tables() const override { return {snapshot_->identifier.ToString()}; }
  Result<std::unique_ptr<ResultReader>> Read(size_t part) override;

 private:
  const ReadSource& source_;
  const std::shared_ptr<const TableSnapshot> snapshot_;
  const std::vector<SnapshotPart> parts_;
};

}  // namespace arka::query
