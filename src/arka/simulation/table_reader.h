// Reads a table as a foreign engine would: from the metadata through manifests to the rows.
//
// Remembers what it has read, since files never change. Names any file that is missing. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/testing/memory_object_store.h"

namespace arka::simulation {

class TableReader {
 public:
  explicit TableReader(MemoryObjectStore& warehouse) : warehouse_(warehouse) {}

  /// How often each id is in `snapshot`.
  Result<std::map<int64_t, int>> Read(const iceberg::Snapshot& snapshot);
  /// Adds the keys of every file that `snapshot` names, itself a list, to `keys`.
  Status CollectKeys(const iceberg::Snapshot& snapshot, std::set<std::string>* keys);

 private:
  struct Manifest {
    std::string key;
    std::vector<std::string> data_keys;
  };

  Result<std::vector<Manifest>> ReadList(const iceberg::Snapshot& snapshot);
  Result<const std::vector<int64_t>*> ReadRows(const std::string& key);

  MemoryObjectStore& warehouse_;
  std::map<std::string, std::vector<Manifest>> lists_;
  std::map<std::string, std::vector<int64_t>> rows_;
};

}  // namespace arka::simulation
