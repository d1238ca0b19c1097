#include "arka/iceberg/snapshot_reader.h"

#include <string>
#include <string_view>
#include <utility>

namespace arka::iceberg {
namespace {

Result<std::shared_ptr<arrow::Buffer>> ReadFile(const std::string& uri, ObjectStore& warehouse) {
  ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse.KeyOf(uri));
  return warehouse.Get(key);
}

// Version 1 does not say how many files of each kind there are: then it may have some.
bool MayHaveLiveFiles(const ManifestFile& manifest) {
  const bool says =
      manifest.added_files_count + manifest.existing_files_count + manifest.deleted_files_count > 0;
  return !says || manifest.added_files_count + manifest.existing_files_count > 0;
}

}  // namespace

Result<std::vector<ManifestFile>> ReadManifestsOf(const Snapshot& snapshot,
                                                  ObjectStore& warehouse) {
  if (snapshot.manifest_list.empty()) {
    return Error(ErrorCode::kUnimplemented, "snapshot ", snapshot.snapshot_id,
                 " has no manifest list, as format version 1 allows; commit to the table once with "
                 "a writer of version 2");
  }
  ARROW_ASSIGN_OR_RAISE(const auto file, ReadFile(snapshot.manifest_list, warehouse));
  auto manifests = ReadManifestList(std::string_view(*file));
  if (!manifests.ok()) return WithContext(manifests.status(), snapshot.manifest_list);
  return manifests;
}

Result<std::vector<ManifestEntry>> ReadEntriesOf(const ManifestFile& manifest,
                                                 ObjectStore& warehouse) {
  ARROW_ASSIGN_OR_RAISE(const auto file, ReadFile(manifest.manifest_path, warehouse));
  auto entries = ReadManifest(std::string_view(*file), manifest);
  if (!entries.ok()) return WithContext(entries.status(), manifest.manifest_path);
  return entries;
}

Result<std::vector<DataFile>> ReadDataFilesOf(const Snapshot& snapshot, ObjectStore& warehouse) {
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestsOf(snapshot, warehouse));
  std::vector<DataFile> files;
  for (const ManifestFile& manifest : manifests) {
    if (!MayHaveLiveFiles(manifest)) continue;
    ARROW_ASSIGN_OR_RAISE(auto entries, ReadEntriesOf(manifest, warehouse));
    for (ManifestEntry& entry : entries) {
      if (!entry.is_live()) continue;
      if (manifest.content == ManifestContent::kDeletes ||
          entry.data_file.content != DataFileContent::kData) {
        return Error(ErrorCode::kUnimplemented, "snapshot ", snapshot.snapshot_id,
                     " has delete files (", entry.data_file.file_path,
                     "), which Arka does not read; read the table with another engine, or rewrite "
                     "its data files");
      }
      files.push_back(std::move(entry.data_file));
    }
  }
  return files;
}

}  // namespace arka::iceberg
