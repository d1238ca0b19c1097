// The ObjectStore seam on S3 and what speaks its protocol, through Arrow's S3FileSystem.
//
// Thread-safe; calls block, each for at most a few bounded retries. No call is made conditional:
// commit safety comes from the catalog. See object_stores.h for how the S3 library is started and
// must be stopped.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/filesystem/filesystem.h>

#include "arka/io/object_store.h"

namespace arka {

class S3ObjectStore final : public ObjectStore {
 public:
  /// `root` is "bucket" or "bucket/prefix", without a trailing slash.
  S3ObjectStore(std::shared_ptr<arrow::fs::FileSystem> s3, std::string root);

  /// One PutObject for small objects, a multipart upload for those past some 10 MB.
  Status Put(std::string_view key, std::span<const std::shared_ptr<arrow::Buffer>> parts) override;
  Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                  int64_t length) override;
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override;
  Status Delete(std::string_view key) override;
  std::string Uri(std::string_view key) const override;
  /// Takes "s3a://" and "s3n://" for "s3://", as Hadoop's tools write them.
  Result<std::string> KeyOf(std::string_view uri) const override;

 private:
  std::string PathOf(std::string_view key) const;
  /// The path of `key`, or why it is not a key.
  Result<std::string> CheckedPathOf(std::string_view key) const;

  const std::shared_ptr<arrow::fs::FileSystem> s3_;
  const std::string root_;
};

/// `status` of Arrow's S3FileSystem with the ErrorCode that object_store.h promises.
Status ClassifyS3Error(const Status& status);

}  // namespace arka
