// The commands of Flight SQL that ask what there is: catalogs, schemas, tables, types, keys, and
// what the server can do. None needs the query engine.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/flight_sql/any_message.h"
#include "arka/query/table_snapshot.h"

namespace arka::flight_sql {

struct MetadataContext {
  const query::ReadSource& source;
  std::string default_schema;
  std::string version;                                    // the server's
  std::function<bool(const std::string& table)> may_see;  // what it may not is not listed
};

/// Whether `command` is one of them.
bool IsMetadataCommand(const AnyMessage& command);

/// The whole answer; blocks. kInvalidRequest for a command that does not parse; errors of the
/// catalog. Iceberg has no keys that are enforced, so there are none.
Result<std::shared_ptr<arrow::RecordBatch>> AnswerMetadata(const MetadataContext& context,
                                                           const AnyMessage& command);

}  // namespace arka::flight_sql
