// Any Catalog, with faults: asks a FaultPlan before every operation.
//
// Kinds: load_table, create_table, commit_table, list_tables, drop_table. Targets are the table's
// names, "sales.orders". A commit whose fault has Effect::kFull lands, yet answers the fault's
// error: give it kCommitUnknown to play a response that was lost. Thread-safe where the base is;
// base and plan outlive it.
#pragma once

#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/testing/fault_plan.h"

namespace arka::iceberg {

class FaultyCatalog final : public Catalog {
 public:
  FaultyCatalog(Catalog& base, FaultPlan& plan) : base_(base), plan_(plan) {}

  Result<Table> LoadTable(const TableIdentifier& identifier) override;
  Result<Table> CreateTable(const TableIdentifier& identifier,
                            const TableCreation& creation) override;
  Result<Table> CommitTable(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates) override;
  Result<std::vector<TableIdentifier>> ListTables() override;
  Status DropTable(const TableIdentifier& identifier) override;

 private:
  Catalog& base_;
  FaultPlan& plan_;
};

}  // namespace arka::iceberg
