// The object store seam: immutable objects under one root URI, `file:///…` or `s3://bucket/…`.
//
// Used for log objects and for the tables' warehouse, each with a root of its own. Real:
// FileObjectStore and S3ObjectStore, opened by URI through io/object_stores.h. Tests:
// MemoryObjectStore, FaultyObjectStore (testing/). All pass testing/object_store_conformance. Keys
// are relative, '/'-separated, without "." or ".." (io/object_key.h): anything else is
// kInvalidRequest. Thread-safe; calls block. Errors: kNotFound, kIoFailed (whether a Put landed is
// then unknown), kUnauthenticated, kPermissionDenied, kBackpressure (the disk is full).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"

namespace arka {

struct ObjectInfo {
  std::string key;
  int64_t size_bytes = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Stores the concatenation of `parts` under `key`; visible whole or not at all. When it returns
  /// OK the object is durable (for file://: file and directory synced). Replaces silently.
  virtual Status Put(std::string_view key,
                     std::span<const std::shared_ptr<arrow::Buffer>> parts) = 0;

  /// `length` bytes from `offset`; kInvalidRequest where the object is shorter.
  virtual Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                          int64_t length) = 0;
  /// The whole object.
  virtual Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) = 0;

  virtual Result<ObjectInfo> Head(std::string_view key) = 0;

  /// Every object whose key starts with `prefix`, sorted by key.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix) = 0;

  /// Removes it; OK where it is not there.
  virtual Status Delete(std::string_view key) = 0;

  /// The absolute URI of `key`, as Iceberg metadata names it, e.g.
  /// "s3://b/wh/arka/t/data/x.parquet".
  virtual std::string Uri(std::string_view key) const = 0;

  /// The key of an absolute URI under this root, `file:/p` and `file:///p` alike; kInvalidRequest
  /// for a URI that lies elsewhere.
  virtual Result<std::string> KeyOf(std::string_view uri) const = 0;
};

}  // namespace arka
