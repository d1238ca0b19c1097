// The data files of one statement as files of this machine, which is all that query workers read.
//
// A file of this machine is read where it lies; of others there are copies, where there is a cache
// for them, that stay while the statement runs. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/query/data_file_cache.h"

namespace arka::query {

struct LocalFile {
  std::string path;
  bool is_copy = false;
};

class LocalFiles {
 public:
  /// `cache` must outlive it, and is null where nothing is to be copied.
  explicit LocalFiles(DataFileCache* cache) {
    if (cache != nullptr) copies_.emplace(*cache);
  }

  /// Where `files` lie, in their order; nothing for those that no worker can read. Blocks; errors
  /// as DataFileCache::Lease::Fetch.
  Result<std::vector<std::optional<LocalFile>>> Find(const std::vector<iceberg::DataFile>& files,
                                                     DataFileCache::Deadline deadline);

 private:
  std::optional<DataFileCache::Lease> copies_;
};

}  // namespace arka::query
