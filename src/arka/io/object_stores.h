// Where object stores come from: a root URI and the options of the config become an ObjectStore.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arka/io/fs.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka {

/// For s3:// roots only; the config's `object_store.*`.
struct ObjectStoreOptions {
  /// "http://host:port" or "https://host"; "host:port" means https. Empty: AWS.
  std::string endpoint = {};
  std::string region = "us-east-1";
  /// Both empty: AWS's own chain (environment, profile, instance role).
  std::string access_key = {};
  std::string secret_key = {};
  /// Of one request, with a growing pause between them (together some 5 s).
  int max_attempts = 4;
};

/// The store with the root `uri`:
///   file:///abs/path, file:/abs/path   a directory, made where it is missing; a path that does not
///                                      begin with "/" is taken from the working directory
///   s3://bucket/prefix, s3://bucket    the bucket must be there; with an endpoint it is addressed
///   by
///                                      path, else by host
/// The first s3:// root starts the S3 library. Nothing is read or written yet on S3: wrong
/// credentials show at the first call. kInvalidRequest for any other URI. `fs` and `random` outlive
/// the store.
Result<std::unique_ptr<ObjectStore>> OpenObjectStore(std::string_view uri,
                                                     const ObjectStoreOptions& options, Fs& fs,
                                                     Random& random);

/// Stops the S3 library where it was started. Must run before main() returns and after the last
/// store is gone, or the process aborts at exit; afterwards no s3:// store can be opened.
Status FinalizeObjectStores();

}  // namespace arka
