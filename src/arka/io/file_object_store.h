// The ObjectStore seam on a directory of an Fs: one file per object.
//
// Own code rather than Arrow's LocalFileSystem, which never syncs: a Put here writes a file aside
// (under ".staging"), syncs it, renames it into place and syncs the directory. Thread-safe. The Fs
// and the Random outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/io/fs.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka {

class FileObjectStore final : public ObjectStore {
 public:
  /// Makes the directory `root` (absolute, without a trailing slash) where it is missing. Removes
  /// what a process that died has left in ".staging", unless another store uses this root now.
  static Result<std::unique_ptr<FileObjectStore>> Make(Fs& fs, Random& random, std::string root);

  /// One attempt; kBackpressure when the disk is full. On an error before the rename nothing is
  /// left behind; after it the object may be there.
  Status Put(std::string_view key, std::span<const std::shared_ptr<arrow::Buffer>> parts) override;
  Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                  int64_t length) override;
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override;
  /// Not synced: after a power loss the object may be back.
  Status Delete(std::string_view key) override;
  /// Always "file:///…".
  std::string Uri(std::string_view key) const override;
  Result<std::string> KeyOf(std::string_view uri) const override;

 private:
  FileObjectStore(Fs& fs, Random& random, std::string root)
      : fs_(fs), random_(random), root_(std::move(root)), staging_(root_ + "/.staging") {}

  Status TakeStaging();
  Status CheckKey(std::string_view key) const;
  std::string PathOf(std::string_view key) const;
  /// A file in ".staging" that holds `parts`, synced; answers its path.
  Result<std::string> Stage(std::span<const std::shared_ptr<arrow::Buffer>> parts);
  /// Renames `staged` to `path`, making the directories that are missing.
  Status MoveIntoPlace(const std::string& staged, const std::string& path);
  Result<std::unique_ptr<File>> OpenObject(std::string_view key);
  bool IsDirectory(std::string_view key);
  Status AddObjectsUnder(const std::string& directory, std::string_view prefix,
                         std::vector<ObjectInfo>& objects);

  Fs& fs_;
  Random& random_;  // for staged names
  const std::string root_;
  const std::string staging_;               // the path of ".staging"
  std::unique_ptr<FileLock> staging_lock_;  // null where another store holds it
};

}  // namespace arka
