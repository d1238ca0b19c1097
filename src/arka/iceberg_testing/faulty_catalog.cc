#include "arka/iceberg_testing/faulty_catalog.h"

#include "arka/testing/faulty_call.h"

namespace arka::iceberg {

Result<Table> FaultyCatalog::LoadTable(const TableIdentifier& identifier) {
  return CallUnderPlan(plan_, {"load_table", identifier.ToString()},
                       [&] { return base_.LoadTable(identifier); });
}

Result<Table> FaultyCatalog::CreateTable(const TableIdentifier& identifier,
                                         const TableCreation& creation) {
  return CallUnderPlan(plan_, {"create_table", identifier.ToString()},
                       [&] { return base_.CreateTable(identifier, creation); });
}

Result<Table> FaultyCatalog::CommitTable(const TableIdentifier& identifier,
                                         const std::vector<TableRequirement>& requirements,
                                         const std::vector<TableUpdate>& updates) {
  return CallUnderPlan(plan_, {"commit_table", identifier.ToString()},
                       [&] { return base_.CommitTable(identifier, requirements, updates); });
}

Result<std::vector<TableIdentifier>> FaultyCatalog::ListTables() {
  return CallUnderPlan(plan_, {"list_tables", ""}, [&] { return base_.ListTables(); });
}

Status FaultyCatalog::DropTable(const TableIdentifier& identifier) {
  return CallUnderPlan(plan_, {"drop_table", identifier.ToString()},
                       [&] { return base_.DropTable(identifier); });
}

}  // namespace arka::iceberg
