// The bodies that a REST catalog answers, read from untrusted bytes. kCorruption for what is not as
// the spec (open-api/rest-catalog-open-api.yaml) has it. Members that Arka has no use for are not
// looked at; the table's `config` and `storage-credentials` are among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// LoadTableResult and CommitTableResponse.
struct RestTable {
  std::string metadata_location = {};  // "" where the server keeps it to itself
  TableMetadata metadata = {};
};

Result<RestTable> ParseTableAnswer(std::string_view body);

/// One page of a list.
struct RestNamespaces {
  std::vector<std::vector<std::string>> namespaces = {};  // of levels
  std::string next_page_token = {};                       // "" after the last page
};
struct RestTables {
  std::vector<std::string> names = {};
  std::string next_page_token = {};
};

Result<RestNamespaces> ParseNamespacesAnswer(std::string_view body);
Result<RestTables> ParseTablesAnswer(std::string_view body);

}  // namespace arka::iceberg
