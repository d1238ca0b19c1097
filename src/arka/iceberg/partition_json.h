// Partition specs and sort orders as the spec's JSON.
#pragma once

#include "arka/base/error.h"
#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// The array of fields alone, as manifest headers have it.
OrderedJson PartitionFieldsToJson(const PartitionSpec& spec);
OrderedJson PartitionSpecToJson(const PartitionSpec& spec);
Result<PartitionSpec> PartitionSpecFromJson(const Json& json);
/// Format version 1 has the fields alone; ids that are missing there count from 1000.
Result<std::vector<PartitionField>> PartitionFieldsFromJson(const Json& array);

OrderedJson SortOrderToJson(const SortOrder& order);
Result<SortOrder> SortOrderFromJson(const Json& json);

}  // namespace arka::iceberg
