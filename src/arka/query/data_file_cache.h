// Copies of data files on this machine's disk: query workers reach no object store.
//
// A file is named by its URI and never changes, so that a copy is good for as long as it is there.
// All copies together are bounded; where room is needed those go that no statement holds, the least
// recently used first. Files are copied by threads of the cache's own, each once, whoever waits for
// it: a statement that waits no longer leaves the copies that were begun to the next one. Owned by
// the composition root. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"
#include "arka/query/object_copy.h"

namespace arka::query {

struct DataFileCacheOptions {
  std::string directory;  // absolute: workers are told paths in it
  int64_t max_bytes = int64_t{10} << 30;
  int64_t keep_free_bytes = 0;      // of the directory's file system
  int threads = 4;                  // files that are copied at a time
  int64_t range_bytes = 8LL << 20;  // that are asked of the store at a time
};

class DataFileCache {
  struct Entry;

 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Makes the directory and empties it of copies; other files in it are left alone. `fs` and
  /// `warehouse` must outlive the cache. kUnavailable where another process uses the directory.
  static Result<std::unique_ptr<DataFileCache>> Open(Fs& fs, ObjectStore& warehouse,
                                                     DataFileCacheOptions options);
  /// Removes the copies that a cache in `directory` left; OK where there is no such directory.
  /// kUnavailable as Open.
  static Status Clear(Fs& fs, const std::string& directory);

  /// Gives up what is being copied. No lease may be left.
  ~DataFileCache();

  /// The copies that one statement reads; they stay while it lives. One thread at a time.
  class Lease {
   public:
    /// `cache` must outlive it.
    explicit Lease(DataFileCache& cache) : cache_(cache) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    /// The paths of copies of `files`, in their order; blocks until all are there. kTooLarge where
    /// the files of this lease are more than the cache may hold, kBackpressure where others hold so
    /// much of it, or the disk has so little room, that they do not fit now, kTimedOut at
    /// `deadline`, kCorruption where an object has another size than its manifest says, errors of
    /// store and disk.
    Result<std::vector<std::string>> Fetch(const std::vector<iceberg::DataFile>& files,
                                           Deadline deadline);

   private:
    friend class DataFileCache;

    DataFileCache& cache_;
    std::map<std::string, std::shared_ptr<Entry>> held_;  // by URI
    int64_t held_bytes_ = 0;
  };

  /// Of all copies, also those that are being made.
  int64_t size_bytes() const;

 private:
  using Entries = std::vector<std::shared_ptr<Entry>>;

  DataFileCache(Fs& fs, ObjectStore& warehouse, DataFileCacheOptions options);

  /// Holds what is there, and makes entries for what is not, which are to be copied.
  Result<Entries> Hold(const std::vector<iceberg::DataFile>& files, Lease& lease);
  Status Await(const Lease& lease, Deadline deadline);
  void Copy(const std::shared_ptr<Entry>& entry);

  // With mutex_ held:
  Status MakeRoom(int64_t bytes);
  Status RemoveOldest();
  void Forget(Entry& entry, Status why);

  Fs& fs_;
  ObjectStore& warehouse_;
  const DataFileCacheOptions options_;
  std::unique_ptr<FileLock> directory_lock_;
  std::atomic<bool> stopping_{false};

  mutable std::mutex mutex_;
  std::condition_variable copied_;
  // All below are guarded by mutex_.
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // by URI
  std::list<std::shared_ptr<Entry>> idle_;  // whole and held by nobody, the last used comes last
  int64_t size_bytes_ = 0;                  // of all entries
  int64_t unallocated_bytes_ = 0;           // of those for which the disk has not given room yet
  int64_t next_number_ = 1;

  TaskQueue threads_;  // last: its tasks use the rest
};

}  // namespace arka::query
