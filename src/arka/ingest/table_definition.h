// What the log says of a table with a schema, so that records can be read without a catalog.
//
// The payload of a definition record (docs/spec/log.md, "Definitions"): little-endian lengths, then
// the namespace, the name, the Iceberg table's UUID, and the logged schema as an IPC message.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "arka/base/error.h"
#include "arka/iceberg/identifier.h"

namespace arka::ingest {

struct TableDefinition {
  iceberg::TableIdentifier identifier;
  std::string table_uuid;
  std::shared_ptr<arrow::Schema> logged_schema;
  /// Of the table's schema that the writes were converted by; nothing in logs of before it was
  /// kept.
  std::optional<int> schema_id = {};
};

Result<std::shared_ptr<arrow::Buffer>> EncodeTableDefinition(const TableDefinition& definition);

/// kCorruption where the bytes are not a definition.
Result<TableDefinition> DecodeTableDefinition(const arrow::Buffer& bytes);

}  // namespace arka::ingest
