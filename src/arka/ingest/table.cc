#include "arka/ingest/table.h"

#include <algorithm>
#include <utility>

#include "arka/base/check.h"

namespace arka::ingest {

Table::Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid, Status gone)
    : id(id),
      identifier(std::move(identifier)),
      uuid(std::move(uuid)),
      name_(this->identifier),
      gone_reason_(std::move(gone)),
      gone_(true),
      committed_through_(kNoLsn.value) {}

Table::Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid,
             std::string data_prefix, std::shared_ptr<const lake::TableSchema> file_schema,
             Lsn committed_at_open)
    : id(id),
      identifier(std::move(identifier)),
      uuid(std::move(uuid)),
      data_prefix(std::move(data_prefix)),
      file_schema(std::move(file_schema)),
      committed_at_open(committed_at_open),
      name_(this->identifier),
      schema_id_(this->file_schema == nullptr ? 0 : this->file_schema->iceberg_schema().schema_id),
      forgotten_through_(committed_at_open),
      committed_through_(committed_at_open.value) {}

void Table::Found(std::string prefix, std::shared_ptr<const lake::TableSchema> schema,
                  Lsn committed) {
  std::lock_guard lock(mutex_);
  ARKA_CHECK(file_schema == nullptr);
  data_prefix = std::move(prefix);
  file_schema = std::move(schema);
  committed_at_open = forgotten_through_ = committed;
  committed_through_ = committed.value;
}

void Table::NoteWrite(Lsn lsn, int64_t bytes) {
  last_write_ = lsn.value;
  ++pending_writes_;
  pending_bytes_ += bytes;
}

void Table::NoteLanded(Lsn through, int64_t writes, int64_t bytes) {
  pending_writes_ -= writes;
  pending_bytes_ -= bytes;
  if (through.value < last_write_ && pending_writes_ > 0 && pending_bytes_ >= 0) return;
  // What was read back from the log may have counted otherwise.
  pending_writes_ = through.value < last_write_ ? 1 : 0;
  pending_bytes_ = 0;
}

iceberg::TableIdentifier Table::name() const {
  std::lock_guard lock(mutex_);
  return name_;
}

void Table::NoteFound(const iceberg::TableIdentifier& name, int schema_id) {
  std::lock_guard lock(mutex_);
  name_ = name;
  schema_id_ = schema_id;
  gone_reason_ = Status::OK();
  gone_ = false;
  ++times_found_;
}

bool Table::NoteGone(Status reason, int64_t times_found) {
  std::lock_guard lock(mutex_);
  if (times_found_ != times_found) return false;
  gone_reason_ = std::move(reason);
  gone_ = true;
  return true;
}

Status Table::CheckThere() const {
  if (!gone_) return Status::OK();
  std::lock_guard lock(mutex_);
  return gone_reason_;
}

Status Table::CheckTakesWrites() const {
  if (sealed_) {
    return Error(ErrorCode::kFailedPrecondition, "table ", name().ToString(),
                 " is sealed: it takes no further writes. What was written before is safe; the "
                 "action 'unseal' opens it again");
  }
  if (closing_) {
    return Error(ErrorCode::kUnavailable, "table ", name().ToString(), " is being dropped");
  }
  return Status::OK();
}

void Table::AddCommit(const CommitEvent& event) {
  std::lock_guard lock(mutex_);
  if (event.through.value <= committed_through_) return;
  commits_.push_back(event);
  committed_through_ = event.through.value;
  if (commits_.size() > kCommitsKept) {
    forgotten_through_ = commits_.front().through;
    commits_.pop_front();
  }
}

std::optional<CommitEvent> Table::last_commit() const {
  std::lock_guard lock(mutex_);
  return commits_.empty() ? std::nullopt : std::optional(commits_.back());
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
