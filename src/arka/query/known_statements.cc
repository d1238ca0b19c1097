#include "arka/query/known_statements.h"

#include <utility>

namespace arka::query {

KnownStatements::Known* KnownStatements::Find(std::string_view sql) {
  const auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return nullptr;
  statements_.splice(statements_.begin(), statements_, found->second);
  return &statements_.front();
}

std::optional<std::vector<sql::TableReference>> KnownStatements::TablesOf(std::string_view sql) {
  std::lock_guard lock(mutex_);
  const Known* known = Find(sql);
  if (known == nullptr) return std::nullopt;
  return known->references;
}

void KnownStatements::LearnTables(const std::string& sql, std::vector<sql::TableReference> tables) {
  if (sql.size() > max_statement_bytes_) return;
  std::lock_guard lock(mutex_);
  if (Find(sql) != nullptr) return;
  if (statements_.size() == max_statements_) {
    by_sql_.erase(statements_.back().sql);
    statements_.pop_back();
  }
  statements_.push_front({sql, std::move(tables), {}, {}});
  by_sql_.emplace(statements_.front().sql, statements_.begin());
}

std::optional<KnownStatements::Schemas> KnownStatements::SchemasOf(
    std::string_view sql, const std::vector<sql::WorkerTable>& tables) {
  std::lock_guard lock(mutex_);
  const Known* known = Find(sql);
  if (known == nullptr || !known->schemas || known->tables != tables) return std::nullopt;
  return known->schemas;
}

void KnownStatements::LearnSchemas(std::string_view sql, std::vector<sql::WorkerTable> tables,
                                   Schemas schemas) {
  std::lock_guard lock(mutex_);
  Known* known = Find(sql);
  if (known == nullptr) return;
  known->tables = std::move(tables);
  known->schemas = std::move(schemas);
}

size_t KnownStatements::size() const {
  std::lock_guard lock(mutex_);
  return statements_.size();
}

}  // namespace arka::query
