// The bodies that are sent to a REST catalog (spec: open-api/rest-catalog-open-api.yaml).
#pragma once

#include <string>
#include <vector>

#include "arka/iceberg/identifier.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/iceberg/table_requirement.h"
#include "arka/iceberg/table_update.h"

namespace arka::iceberg {

/// CreateNamespaceRequest.
std::string CreateNamespaceBody(const std::vector<std::string>& levels);

/// CreateTableRequest for the table that `metadata` describes: its current schema, its properties,
/// unpartitioned, of its format version. `location`: "" leaves the choice to the server.
std::string CreateTableBody(const std::string& name, const TableMetadata& metadata,
                            const std::string& location);

/// CommitTableRequest.
std::string CommitTableBody(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates);

}  // namespace arka::iceberg
