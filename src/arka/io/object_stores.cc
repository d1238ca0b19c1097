#include "arka/io/object_stores.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <arrow/filesystem/s3fs.h>

#include "arka/io/file_object_store.h"
#include "arka/io/object_key.h"
#include "arka/io/s3_object_store.h"

namespace arka {
namespace {

constexpr double kConnectTimeoutSeconds = 3;
constexpr double kRequestTimeoutSeconds = 30;

/// Cuts `prefix` off the front of `text`, where it is there.
bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<std::unique_ptr<ObjectStore>> OpenFileStore(std::string_view path, Fs& fs, Random& random) {
  if (path.empty()) return Error(ErrorCode::kInvalidRequest, "file:// names no directory");
  std::error_code error;
  std::string root =
      std::filesystem::absolute(std::filesystem::path(path), error).lexically_normal().string();
  if (error) return Error(ErrorCode::kIoFailed, "no working directory: ", error.message());
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (root == "/") return Error(ErrorCode::kInvalidRequest, "file:/// cannot be a root");
  return FileObjectStore::Make(fs, random, std::move(root));
}

Result<arrow::fs::S3Options> MakeS3Options(const ObjectStoreOptions& options) {
  if (options.access_key.empty() != options.secret_key.empty()) {
    return Error(ErrorCode::kInvalidRequest, "access key and secret key go together");
  }
  auto s3 = options.access_key.empty()
                ? arrow::fs::S3Options::Defaults()
                : arrow::fs::S3Options::FromAccessKey(options.access_key, options.secret_key);
  s3.region = options.region;
  s3.connect_timeout = kConnectTimeoutSeconds;
  s3.request_timeout = kRequestTimeoutSeconds;
  s3.retry_strategy = arrow::fs::S3RetryStrategy::GetAwsStandardRetryStrategy(options.max_attempts);
  // Small objects go out as one PutObject at Close, instead of a multipart upload of one part.
  s3.allow_delayed_open = true;
  std::string_view endpoint = options.endpoint;
  if (Consume(endpoint, "http://")) {
    s3.scheme = "http";
  } else {
    (void)Consume(endpoint, "https://");
    s3.scheme = "https";
  }
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  s3.endpoint_override = std::string(endpoint);
  return s3;
}

Result<std::unique_ptr<ObjectStore>> OpenS3Store(std::string_view root,
                                                 const ObjectStoreOptions& options) {
  while (root.ends_with('/')) root.remove_suffix(1);
  ARROW_RETURN_NOT_OK(WithContext(ValidateObjectKey(root), "bucket and prefix"));
  if (!arrow::fs::IsS3Initialized()) {
    arrow::fs::S3GlobalOptions global = arrow::fs::S3GlobalOptions::Defaults();
    global.log_level = arrow::fs::S3LogLevel::Off;  // every failure comes back as a Status
    ARROW_RETURN_NOT_OK(arrow::fs::InitializeS3(global));
  }
  ARROW_ASSIGN_OR_RAISE(const arrow::fs::S3Options s3_options, MakeS3Options(options));
  ARROW_ASSIGN_OR_RAISE(auto s3, arrow::fs::S3FileSystem::Make(s3_options));
  return std::make_unique<S3ObjectStore>(std::move(s3), std::string(root));
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenObjectStore(std::string_view uri,
                                                     const ObjectStoreOptions& options, Fs& fs,
                                                     Random& random) {
  std::string_view rest = uri;
  if (Consume(rest, "file://") || Consume(rest, "file:")) return OpenFileStore(rest, fs, random);
  if (Consume(rest, "s3://")) return OpenS3Store(rest, options);
  return Error(ErrorCode::kInvalidRequest, "'", uri,
               "' is not an object store: expected file:///path or s3://bucket/prefix");
}

Status FinalizeObjectStores() { return arrow::fs::EnsureS3Finalized(); }

}  // namespace arka
