#include "arka/io/s3_object_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>

#include "arka/io/object_key.h"

namespace arka {
namespace {

/// What Arrow's messages say ("AWS Error ACCESS_DENIED during PutObject operation: …"): the only
/// place where it tells one failure from another.
struct KnownError {
  std::string_view text;
  ErrorCode code;
};
constexpr std::array kKnownErrors = {
    KnownError{"AWS Error NO_SUCH_KEY", ErrorCode::kNotFound},
    KnownError{"AWS Error RESOURCE_NOT_FOUND", ErrorCode::kNotFound},
    KnownError{"AWS Error NO_SUCH_BUCKET", ErrorCode::kNotFound},
    KnownError{"NoSuchKey", ErrorCode::kNotFound},
    KnownError{"NoSuchBucket", ErrorCode::kNotFound},
    KnownError{"AWS Error INVALID_ACCESS_KEY_ID", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error INVALID_CLIENT_TOKEN_ID", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error INVALID_SIGNATURE", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error SIGNATURE_DOES_NOT_MATCH", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error MISSING_AUTHENTICATION_TOKEN", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error UNRECOGNIZED_CLIENT", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error REQUEST_EXPIRED", ErrorCode::kUnauthenticated},
    KnownError{"ExpiredToken", ErrorCode::kUnauthenticated},
    KnownError{"InvalidAccessKeyId", ErrorCode::kUnauthenticated},
    KnownError{"SignatureDoesNotMatch", ErrorCode::kUnauthenticated},
    KnownError{"AWS Error ACCESS_DENIED", ErrorCode::kPermissionDenied},
    KnownError{"HTTP status 401", ErrorCode::kUnauthenticated},
    KnownError{"HTTP status 403", ErrorCode::kPermissionDenied},
};

template <typename T>
Result<T> Classified(Result<T> result) {
  if (result.ok()) return result;
  return ClassifyS3Error(result.status());
}

}  // namespace

Status ClassifyS3Error(const Status& status) {
  if (status.ok()) return status;
  if (arrow::internal::ErrnoFromStatus(status) == ENOENT) {
    return MakeStatus(ErrorCode::kNotFound, status.message());
  }
  const auto known =
      std::find_if(kKnownErrors.begin(), kKnownErrors.end(), [&](const KnownError& error) {
        return status.message().find(error.text) != std::string::npos;
      });
  return MakeStatus(known == kKnownErrors.end() ? ErrorCode::kIoFailed : known->code,
                    status.message());
}

S3ObjectStore::S3ObjectStore(std::shared_ptr<arrow::fs::FileSystem> s3, std::string root)
    : s3_(std::move(s3)), root_(std::move(root)) {}

Status S3ObjectStore::Put(std::string_view key,
                          std::span<const std::shared_ptr<arrow::Buffer>> parts) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, CheckedPathOf(key));
  const auto write = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto stream, s3_->OpenOutputStream(path));
    for (const auto& part : parts) {
      const Status written = stream->Write(part);
      if (written.ok()) continue;
      (void)stream->Abort();  // the first error is the one to tell
      return written;
    }
    return stream->Close();
  };
  return ClassifyS3Error(write());
}

Result<std::shared_ptr<arrow::Buffer>> S3ObjectStore::GetRange(std::string_view key, int64_t offset,
                                                               int64_t length) {
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo info, Head(key));
  ARROW_RETURN_NOT_OK(ValidateObjectRange(info, offset, length));
  const auto read = [&]() -> Result<std::shared_ptr<arrow::Buffer>> {
    // With the size given, Arrow does not ask for it a second time.
    arrow::fs::FileInfo file(PathOf(key), arrow::fs::FileType::File);
    file.set_size(info.size_bytes);
    ARROW_ASSIGN_OR_RAISE(const auto input, s3_->OpenInputFile(file));
    return input->ReadAt(offset, length);
  };
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, Classified(read()));
  if (buffer->size() != length) {
    return Error(ErrorCode::kIoFailed, "object '", key, "': got ", buffer->size(), " of ", length,
                 " bytes");
  }
  return buffer;
}

Result<std::shared_ptr<arrow::Buffer>> S3ObjectStore::Get(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, CheckedPathOf(key));
  const auto read = [&]() -> Result<std::shared_ptr<arrow::Buffer>> {
    ARROW_ASSIGN_OR_RAISE(const auto input, s3_->OpenInputFile(path));
    ARROW_ASSIGN_OR_RAISE(const int64_t size, input->GetSize());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, input->ReadAt(0, size));
    if (buffer->size() != size) return Status::IOError(path, ": short read");
    return buffer;
  };
  return Classified(read());
}

Result<ObjectInfo> S3ObjectStore::Head(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, CheckedPathOf(key));
  ARROW_ASSIGN_OR_RAISE(const auto info, Classified(s3_->GetFileInfo(path)));
  if (!info.IsFile()) return Error(ErrorCode::kNotFound, "no object ", Uri(key));
  return ObjectInfo{std::string(key), info.size()};
}

Result<std::vector<ObjectInfo>> S3ObjectStore::List(std::string_view prefix) {
  ARROW_RETURN_NOT_OK(ValidateObjectPrefix(prefix));
  arrow::fs::FileSelector selector;
  const size_t slash = prefix.rfind('/');
  selector.base_dir = slash == std::string_view::npos ? root_ : PathOf(prefix.substr(0, slash));
  selector.recursive = true;
  selector.allow_not_found = true;
  ARROW_ASSIGN_OR_RAISE(const auto infos, Classified(s3_->GetFileInfo(selector)));
  std::vector<ObjectInfo> objects;
  for (const arrow::fs::FileInfo& info : infos) {
    if (!info.IsFile()) continue;
    std::string key = info.path().substr(root_.size() + 1);
    if (key.starts_with(prefix)) objects.push_back({std::move(key), info.size()});
  }
  std::sort(objects.begin(), objects.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return objects;
}

Status S3ObjectStore::Delete(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, CheckedPathOf(key));
  const Status deleted = ClassifyS3Error(s3_->DeleteFile(path));
  return !deleted.ok() && CodeOf(deleted) == ErrorCode::kNotFound ? Status::OK() : deleted;
}

std::string S3ObjectStore::Uri(std::string_view key) const { return "s3://" + PathOf(key); }

Result<std::string> S3ObjectStore::KeyOf(std::string_view uri) const {
  for (const std::string_view scheme : {"s3://", "s3a://", "s3n://"}) {
    const std::string begin = std::string(scheme) + root_ + "/";
    if (!uri.starts_with(begin)) continue;
    const std::string_view key = uri.substr(begin.size());
    ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
    return std::string(key);
  }
  return Error(ErrorCode::kInvalidRequest, uri, " does not lie under s3://", root_);
}

std::string S3ObjectStore::PathOf(std::string_view key) const {
  return root_ + "/" + std::string(key);
}

Result<std::string> S3ObjectStore::CheckedPathOf(std::string_view key) const {
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  return PathOf(key);
}

}  // namespace arka
