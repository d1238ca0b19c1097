// The summary of an append's snapshot: what was added, and the running totals of the table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "arka/iceberg/data_file.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// The summary of a snapshot that appends `files` after `parent` (null: the first one), together
/// with the caller's own entries; computed ones win. A total that `parent` does not tell, or tells
/// wrongly, is left out, as the reference implementations do.
std::map<std::string, std::string> AppendSummary(const Snapshot* parent,
                                                 const std::vector<DataFile>& files,
                                                 const std::map<std::string, std::string>& own);

}  // namespace arka::iceberg
