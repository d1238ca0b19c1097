#include "arka/ingest/table.h"

#include <algorithm>
#include <utility>

#include "arka/base/check.h"

namespace arka::ingest {

Table::Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid,
             std::string data_prefix, std::shared_ptr<const lake::TableSchema> file_schema,
             Lsn committed_at_open)
    : id(id),
      identifier(std::move(identifier)),
      uuid(std::move(uuid)),
      data_prefix(std::move(data_prefix)),
      file_schema(std::move(file_schema)),
      committed_at_open(committed_at_open),
      forgotten_through_(committed_at_open),
      committed_through_(committed_at_open.value) {}

void Table::AddCommit(const CommitEvent& event) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(commits_.empty() || event.through > commits_.back().through);
  commits_.push_back(event);
  committed_through_ = event.through.value;
  if (commits_.size() > kCommitsKept) {
    forgotten_through_ = commits_.front().through;
    commits_.pop_front();
  }
}

std::optional<CommitEvent> Table::CommitOf(Lsn lsn) const {
  std::lock_guard lock(mutex_);
  if (lsn <= forgotten_through_) return CommitEvent{forgotten_through_, 0, 0};
  const auto covering =
      std::lower_bound(commits_.begin(), commits_.end(), lsn,
                       [](const CommitEvent& event, Lsn wanted) { return event.through < wanted; });
  if (covering == commits_.end()) return std::nullopt;
  return *covering;
}

}  // namespace arka::ingest
