#include "arka/query/object_copy.h"

#include <algorithm>
#include <memory>

#include <arrow/buffer.h>

namespace arka::query {
namespace {

// Past the page cache: errors of the disk show at once, so that a copy which was not synced can be
// trusted, and no sync of the log has to wait for its pages.
Status WriteRanges(ObjectStore& store, const std::string& key, File& file, int64_t size_bytes,
                   int64_t range_bytes, const std::atomic<bool>& stopping) {
  for (int64_t offset = 0; offset < size_bytes; offset += range_bytes) {
    if (stopping) return Error(ErrorCode::kShuttingDown, "the server stops");
    const int64_t length = std::min(range_bytes, size_bytes - offset);
    ARROW_ASSIGN_OR_RAISE(const auto range, store.GetRange(key, offset, length));
    if (range->size() != length) {
      return Error(ErrorCode::kIoFailed, "got ", range->size(), " of ", length, " bytes at offset ",
                   offset);
    }
    const ByteSpan bytes = std::as_bytes(range->span_as<uint8_t>());
    ARROW_RETURN_NOT_OK(file.WriteUncached(offset, {&bytes, 1}));
  }
  return Status::OK();
}

// The size of the store's object, looked at before anything is read.
Status CheckSize(ObjectStore& store, const std::string& key, int64_t size_bytes) {
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo object, store.Head(key));
  if (object.size_bytes == size_bytes) return Status::OK();
  return Error(ErrorCode::kCorruption, "it has ", object.size_bytes,
               " bytes, and the table's manifest says ", size_bytes);
}

Status Copy(ObjectStore& store, Fs& fs, const ObjectCopy& copy, int64_t range_bytes,
            const std::atomic<bool>& stopping, const std::function<void()>& allocated) {
  ARROW_ASSIGN_OR_RAISE(const std::string key, store.KeyOf(copy.uri));
  ARROW_RETURN_NOT_OK(CheckSize(store, key, copy.size_bytes));
  const std::string part = copy.path + kPartSuffix;
  const auto make = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, fs.Open(part, OpenMode::kCreateNew));
    ARROW_RETURN_NOT_OK(file->Allocate(copy.size_bytes));
    allocated();
    return WriteRanges(store, key, *file, copy.size_bytes, range_bytes, stopping);
  };
  Status made = make();
  if (made.ok()) made = fs.Rename(part, copy.path);
  if (made.ok()) return made;
  // The first error is the one to tell. Even what failed may have had its effect.
  (void)fs.Remove(part);
  (void)fs.Remove(copy.path);
  return made;
}

}  // namespace

Status CopyObject(ObjectStore& store, Fs& fs, const ObjectCopy& copy, int64_t range_bytes,
                  const std::atomic<bool>& stopping, const std::function<void()>& allocated) {
  return WithContext(Copy(store, fs, copy, range_bytes, stopping, allocated),
                     "copying the data file " + copy.uri + " to this machine");
}

}  // namespace arka::query
