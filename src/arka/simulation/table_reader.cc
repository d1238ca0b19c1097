#include "arka/simulation/table_reader.h"

#include <memory>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>

#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/simulation/row_content.h"

namespace arka::simulation {

Result<std::vector<TableReader::Manifest>> TableReader::ReadList(
    const iceberg::Snapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(const std::string list_key, warehouse_.KeyOf(snapshot.manifest_list));
  if (const auto known = lists_.find(list_key); known != lists_.end()) return known->second;
  ARROW_ASSIGN_OR_RAISE(const auto list, warehouse_.Get(list_key));
  ARROW_ASSIGN_OR_RAISE(const auto files, iceberg::ReadManifestList(std::string_view(*list)));
  std::vector<Manifest> manifests;
  for (const auto& file : files) {
    Manifest& manifest = manifests.emplace_back();
    ARROW_ASSIGN_OR_RAISE(manifest.key, warehouse_.KeyOf(file.manifest_path));
    ARROW_ASSIGN_OR_RAISE(const auto bytes, warehouse_.Get(manifest.key));
    ARROW_ASSIGN_OR_RAISE(const auto entries,
                          iceberg::ReadManifest(std::string_view(*bytes), file));
    for (const auto& entry : entries) {
      if (!entry.is_live()) continue;
      ARROW_ASSIGN_OR_RAISE(std::string key, warehouse_.KeyOf(entry.data_file.file_path));
      manifest.data_keys.push_back(std::move(key));
    }
  }
  return lists_[list_key] = std::move(manifests);
}

Result<const std::vector<int64_t>*> TableReader::ReadRows(const std::string& key) {
  if (const auto known = rows_.find(key); known != rows_.end()) return &known->second;
  ARROW_ASSIGN_OR_RAISE(const auto bytes, warehouse_.Get(key));
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(bytes),
                                                 arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(const auto table, reader->ReadTable());
  ARROW_ASSIGN_OR_RAISE(rows_[key], CheckedIds(*table));
  return &rows_[key];
}

Result<std::map<int64_t, int>> TableReader::Read(const iceberg::Snapshot& snapshot) {
  std::map<int64_t, int> ids;
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadList(snapshot));
  for (const Manifest& manifest : manifests) {
    for (const std::string& key : manifest.data_keys) {
      ARROW_ASSIGN_OR_RAISE(const auto* rows, ReadRows(key));
      for (const int64_t id : *rows) ++ids[id];
    }
  }
  return ids;
}

Status TableReader::CollectKeys(const iceberg::Snapshot& snapshot, std::set<std::string>* keys) {
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadList(snapshot));
  keys->insert(warehouse_.KeyOf(snapshot.manifest_list).ValueOrDie());
  for (const Manifest& manifest : manifests) {
    keys->insert(manifest.key);
    keys->insert(manifest.data_keys.begin(), manifest.data_keys.end());
  }
  return Status::OK();
}

}  // namespace arka::simulation
