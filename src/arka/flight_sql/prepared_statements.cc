#include "arka/flight_sql/prepared_statements.h"

#include <algorithm>
#include <utility>

namespace arka::flight_sql {

std::string PreparedStatements::Add(const std::string& principal, std::string sql) {
  std::string handle = MakeUuid(random_);
  std::lock_guard lock(mutex_);
  if (held_.size() >= limits_.statements) {
    held_.erase(std::ranges::min_element(held_, {},
                                         [](const auto& entry) { return entry.second.last_used; }));
  }
  held_[handle] = {principal, {std::move(sql), nullptr}, clock_.Now()};
  return handle;
}

Result<PreparedStatements::Held*> PreparedStatements::FindLocked(const std::string& principal,
                                                                 std::string_view handle) {
  const auto found = held_.find(handle);
  if (found == held_.end() || found->second.principal != principal) {
    return Error(ErrorCode::kNotFound,
                 "no such prepared statement, or one that was closed or not used for long: prepare "
                 "it again");
  }
  found->second.last_used = clock_.Now();
  return &found->second;
}

Result<PreparedStatement> PreparedStatements::Find(const std::string& principal,
                                                   std::string_view handle) {
  std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(const Held* held, FindLocked(principal, handle));
  return held->statement;
}

Status PreparedStatements::Bind(const std::string& principal, std::string_view handle,
                                std::shared_ptr<arrow::RecordBatch> parameters) {
  std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(Held * held, FindLocked(principal, handle));
  held->statement.parameters = std::move(parameters);
  return Status::OK();
}

void PreparedStatements::Close(const std::string& principal, std::string_view handle) {
  std::lock_guard lock(mutex_);
  if (FindLocked(principal, handle).ok()) held_.erase(held_.find(handle));
}

void PreparedStatements::Sweep() {
  const SteadyTime oldest = clock_.Now() - limits_.lifetime;
  std::lock_guard lock(mutex_);
  std::erase_if(held_, [&](const auto& entry) { return entry.second.last_used < oldest; });
}

}  // namespace arka::flight_sql
