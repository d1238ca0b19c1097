#include "arka/simulation/unruly_catalog.h"

#include <utility>

namespace arka::simulation {
namespace {

Status Gone(const iceberg::TableIdentifier& identifier) {
  return Error(ErrorCode::kNotFound, "there is no table ", identifier.ToString());
}

}  // namespace

void UnrulyCatalog::ApplyLate() {
  if (late_.empty()) return;
  const LateCommit commit = std::move(late_.front());
  late_.pop_front();
  (void)Land(commit);  // nobody waits for the answer any more
}

Result<iceberg::Table> UnrulyCatalog::Land(const LateCommit& commit) {
  if (IsHidden(commit.identifier)) return Gone(commit.identifier);
  auto landed = base_.CommitTable(commit.identifier, commit.requirements, commit.updates);
  if (landed.ok() && on_landed_) on_landed_(*landed);
  return landed;
}

Result<iceberg::Table> UnrulyCatalog::LoadTable(const iceberg::TableIdentifier& identifier) {
  if (IsHidden(identifier)) return Gone(identifier);
  return base_.LoadTable(identifier);
}

Result<iceberg::Table> UnrulyCatalog::CreateTable(const iceberg::TableIdentifier& identifier,
                                                  const iceberg::TableCreation& creation) {
  // Another table under the name of one that is to come back would be in its way.
  if (IsHidden(identifier)) return Error(ErrorCode::kUnavailable, "the name is being moved");
  return base_.CreateTable(identifier, creation);
}

Result<iceberg::Table> UnrulyCatalog::CommitTable(
    const iceberg::TableIdentifier& identifier,
    const std::vector<iceberg::TableRequirement>& requirements,
    const std::vector<iceberg::TableUpdate>& updates) {
  LateCommit commit{identifier, requirements, updates};
  if (!delays_ || !delays_()) return Land(commit);
  late_.push_back(std::move(commit));
  return Error(ErrorCode::kCommitUnknown, "injected: no answer; the commit is on its way");
}

Result<std::vector<iceberg::TableIdentifier>> UnrulyCatalog::ListTables() {
  ARROW_ASSIGN_OR_RAISE(auto tables, base_.ListTables());
  std::erase_if(tables, [&](const auto& identifier) { return IsHidden(identifier); });
  return tables;
}

Status UnrulyCatalog::DropTable(const iceberg::TableIdentifier& identifier) {
  return IsHidden(identifier) ? Gone(identifier) : base_.DropTable(identifier);
}

}  // namespace arka::simulation
