#include "arka/query/data_file_cache.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "arka/base/thread_priority.h"

namespace arka::query {
namespace {

constexpr std::string_view kNamePrefix = "arka-copy-";  // of every copy

Result<std::unique_ptr<FileLock>> TakeAndEmpty(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(auto lock, fs.Lock(directory + "/lock"));
  ARROW_ASSIGN_OR_RAISE(const auto names, fs.List(directory));
  for (const auto& name : names) {
    if (name.starts_with(kNamePrefix)) ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + name));
  }
  return lock;
}

}  // namespace

struct DataFileCache::Entry {
  explicit Entry(ObjectCopy made) : copy(std::move(made)) {}

  const ObjectCopy copy;
  // All below are guarded by the cache's mutex_.
  enum class State : uint8_t { kWanted, kWhole, kFailed } state = State::kWanted;
  Status failure;
  bool is_allocated = false;
  int leases = 0;
  std::list<std::shared_ptr<Entry>>::iterator idle;  // while whole and without leases
};

Result<std::unique_ptr<DataFileCache>> DataFileCache::Open(Fs& fs, ObjectStore& warehouse,
                                                           DataFileCacheOptions options) {
  ARROW_RETURN_NOT_OK(fs.CreateDirs(options.directory));
  ARROW_ASSIGN_OR_RAISE(auto lock, TakeAndEmpty(fs, options.directory));
  std::unique_ptr<DataFileCache> cache(new DataFileCache(fs, warehouse, std::move(options)));
  cache->directory_lock_ = std::move(lock);
  return cache;
}

Status DataFileCache::Clear(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool exists, fs.Exists(directory));
  return exists ? TakeAndEmpty(fs, directory).status() : Status::OK();
}

DataFileCache::DataFileCache(Fs& fs, ObjectStore& warehouse, DataFileCacheOptions options)
    : fs_(fs),
      warehouse_(warehouse),
      options_(std::move(options)),
      threads_("arka-copy", options_.threads) {}

DataFileCache::~DataFileCache() { stopping_ = true; }

int64_t DataFileCache::size_bytes() const {
  std::lock_guard lock(mutex_);
  return size_bytes_;
}

Result<std::vector<std::string>> DataFileCache::Lease::Fetch(
    const std::vector<iceberg::DataFile>& files, Deadline deadline) {
  ARROW_ASSIGN_OR_RAISE(auto missing, cache_.Hold(files, *this));
  for (auto& entry : missing) {
    cache_.threads_.Post([&cache = cache_, entry = std::move(entry)] { cache.Copy(entry); });
  }
  ARROW_RETURN_NOT_OK(cache_.Await(*this, deadline));
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(held_.at(file.file_path)->copy.path);
  return paths;
}

DataFileCache::Lease::~Lease() {
  std::lock_guard lock(cache_.mutex_);
  for (auto& [uri, entry] : held_) {
    if (--entry->leases > 0 || entry->state != Entry::State::kWhole) continue;
    entry->idle = cache_.idle_.insert(cache_.idle_.end(), entry);
  }
}

// What is there is held before room is made for the rest, so that it does not have to go for it.
// All the room is taken at once: no two statements wait for each other.
Result<DataFileCache::Entries> DataFileCache::Hold(const std::vector<iceberg::DataFile>& files,
                                                   Lease& lease) {
  std::lock_guard lock(mutex_);
  std::map<std::string, int64_t> wanted;
  int64_t wanted_bytes = 0;
  for (const auto& file : files) {
    const int64_t size = file.file_size_in_bytes;
    if (lease.held_.contains(file.file_path)) continue;
    if (!wanted.emplace(file.file_path, size).second) continue;
    if (size < 0) {
      return Error(ErrorCode::kCorruption, "data file ", file.file_path,
                   ": the table's manifest says that it has ", size, " bytes");
    }
    wanted_bytes += std::min(size, options_.max_bytes + 1);
  }
  if (wanted_bytes > options_.max_bytes - lease.held_bytes_) {
    return Error(ErrorCode::kTooLarge, "the data files that this statement reads have ",
                 lease.held_bytes_ + wanted_bytes,
                 " bytes or more, and query.file_cache_size lets ", options_.max_bytes,
                 " be copied to this machine: raise it, or read fewer or smaller tables");
  }
  const auto hold = [&](const std::string& uri, const std::shared_ptr<Entry>& entry) {
    if (entry->leases++ == 0 && entry->state == Entry::State::kWhole) idle_.erase(entry->idle);
    lease.held_.emplace(uri, entry);
    lease.held_bytes_ += entry->copy.size_bytes;
  };
  int64_t missing_bytes = 0;
  for (auto it = wanted.begin(); it != wanted.end();) {
    const auto known = entries_.find(it->first);
    if (known == entries_.end()) {
      missing_bytes += it->second;
      ++it;
      continue;
    }
    hold(known->first, known->second);
    it = wanted.erase(it);
  }
  ARROW_RETURN_NOT_OK(MakeRoom(missing_bytes));
  Entries missing;
  for (const auto& [uri, size] : wanted) {
    const auto& entry = missing.emplace_back(
        std::make_shared<Entry>(ObjectCopy{uri, size,
                                           options_.directory + "/" + std::string(kNamePrefix) +
                                               std::to_string(next_number_++) + ".parquet"}));
    entries_[uri] = entry;
    size_bytes_ += size;
    unallocated_bytes_ += size;
    hold(uri, entry);
  }
  return missing;
}

Status DataFileCache::MakeRoom(int64_t bytes) {
  if (bytes == 0) return Status::OK();
  while (size_bytes_ > options_.max_bytes - bytes) {
    if (idle_.empty()) {
      return Error(ErrorCode::kBackpressure, "other queries read so many data files that ", bytes,
                   " bytes more do not fit into query.file_cache_size (", options_.max_bytes,
                   "): try again once they are done, or raise it");
    }
    ARROW_RETURN_NOT_OK(RemoveOldest());
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int64_t free, fs_.FreeBytes(options_.directory));
    const int64_t needed = unallocated_bytes_ + bytes;
    if (free - needed >= options_.keep_free_bytes) return Status::OK();
    if (idle_.empty()) {
      return Error(ErrorCode::kBackpressure, "the disk of ", options_.directory, " has ", free,
                   " bytes free, of which queries leave ", options_.keep_free_bytes,
                   "; the data files that are copied there (query.file_cache_dir) need ", needed,
                   ": make room, or try again once other queries are done");
    }
    ARROW_RETURN_NOT_OK(RemoveOldest());
  }
}

Status DataFileCache::RemoveOldest() {
  const auto entry = idle_.front();
  const Status removed = fs_.Remove(entry->copy.path);
  if (!removed.ok() && CodeOf(removed) != ErrorCode::kNotFound) return removed;
  idle_.pop_front();
  entries_.erase(entry->copy.uri);
  size_bytes_ -= entry->copy.size_bytes;
  return Status::OK();
}

void DataFileCache::Forget(Entry& entry, Status why) {
  entry.state = Entry::State::kFailed;
  entry.failure = std::move(why);
  size_bytes_ -= entry.copy.size_bytes;
  if (!entry.is_allocated) unallocated_bytes_ -= entry.copy.size_bytes;
  entries_.erase(entry.copy.uri);
}

void DataFileCache::Copy(const std::shared_ptr<Entry>& entry) {
  YieldToOtherThreads();
  {
    std::lock_guard lock(mutex_);
    if (entry->leases == 0 || stopping_) {
      return Forget(*entry, Error(ErrorCode::kCancelled, "nobody waits for it"));
    }
  }
  Status copied =
      CopyObject(warehouse_, fs_, entry->copy, options_.range_bytes, stopping_, [this, &entry] {
        std::lock_guard lock(mutex_);
        entry->is_allocated = true;
        unallocated_bytes_ -= entry->copy.size_bytes;
      });
  std::lock_guard lock(mutex_);
  if (!copied.ok()) {
    Forget(*entry, std::move(copied));
  } else {
    entry->state = Entry::State::kWhole;
    if (entry->leases == 0) entry->idle = idle_.insert(idle_.end(), entry);
  }
  copied_.notify_all();
}

Status DataFileCache::Await(const Lease& lease, Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (const auto& [uri, entry] : lease.held_) {
    const bool done = copied_.wait_until(
        lock, deadline, [&entry = entry] { return entry->state != Entry::State::kWanted; });
    if (!done) {
      return Error(ErrorCode::kTimedOut,
                   "the query took longer than query.timeout allows: its data files are still on "
                   "their way from the object store. Those that have come stay, so try again");
    }
    if (entry->state == Entry::State::kFailed) return entry->failure;
  }
  return Status::OK();
}

}  // namespace arka::query
