// Spare segment files, all their blocks written, so that writing records moves no file metadata and
// a sync is cheap (ten times the rate of appending to a growing file).
//
// Released segments become spares by a rename, stale bytes and all. Only where fewer than
// `spare_segments` are ready, a background thread fills new files with zeros, and it gives way to
// the log: in pieces, each durable before the next, so that a sync of the log never waits for many
// of its bytes, and with long pauses while the log writes. Nothing here is needed for correctness:
// a spare that cannot be made is done without.
//
// It also counts the bytes of all segment files, those in use too, and keeps them within max_bytes
// by giving spares up; a segment in use is never its to take. And it leaves room on the file system
// for what frees the log: one that takes the last byte of a disk to which its writes are to be
// copied, as log objects or data files, could never be released. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "arka/io/clock.h"
#include "arka/io/fs.h"

namespace arka::wal {

class SegmentPool {
 public:
  struct Options {
    std::string directory;
    int64_t segment_bytes = 0;
    int spare_segments = 0;       // written ahead
    int recycled_segments = 0;    // spares kept of released ones, where that is more
    int64_t max_bytes = 0;        // of spares and segments in use together; 0: no bound
    int64_t used_bytes = 0;       // of the segments in use at first
    int64_t keep_free_bytes = 0;  // of the file system, and as much again as the segments in use
    int copies_on_disk = 0;       // for each of these
  };

  struct Spare {
    std::string path;
    std::unique_ptr<File> file;
  };

  /// Adopts the spares in the directory (`names`: what it lists) and removes unfinished ones.
  static Result<std::unique_ptr<SegmentPool>> Make(Fs& fs, Clock& clock, Options options,
                                                   const std::vector<std::string>& names);

  /// Starts the thread; without it, Step does its work.
  void Start();
  /// Stops the thread; a spare being written is given up.
  void Stop();
  ~SegmentPool();

  /// A file of segment_bytes, all its blocks written, or nothing where none is ready. Never blocks.
  /// Counted as in use from now on. Where that would not leave the room that is to be left, it is
  /// removed instead.
  std::optional<Spare> Take();

  /// kBackpressure where another segment in use of `size_bytes`, for which `new_bytes` of the file
  /// system are taken, would not leave the room that is to be left.
  Status CheckRoomFor(int64_t size_bytes, int64_t new_bytes) const;

  /// A segment file that is not from Take is in use from now on (`bytes` > 0), or one that was in
  /// use is gone (`bytes` < 0).
  void CountUsed(int64_t bytes);

  /// Makes the released segment file a spare, or removes it where there are enough, where it would
  /// not fit within max_bytes, or where the file system lacks the room that it is to leave.
  Status Recycle(const std::string& path, int64_t size_bytes);

  /// Of the segment files in use.
  int64_t used_bytes() const;
  /// Of these and of all spares, the unfinished one too.
  int64_t total_bytes() const;

  /// The log writes: the thread leaves it the disk for a while.
  void NoteLogWrite() { log_writes_.fetch_add(1, std::memory_order_relaxed); }

  /// Writes one piece of a spare, or removes one that is too many. False where there is nothing to
  /// do. For the thread.
  Result<bool> Step();

 private:
  struct Unfinished {
    std::string path;  // that it gets in the end
    std::unique_ptr<File> file;
    int64_t written = 0;
  };

  SegmentPool(Fs& fs, Clock& clock, Options options);

  void Run();
  // With mutex_ held: whether `spares` of them fit beside the segments in use.
  bool Fits(size_t spares) const;
  bool WantsSpare() const { return ready_.size() < written_ahead_ && Fits(ready_.size() + 1); }
  bool HasTooMany() const { return !ready_.empty() && !Fits(ready_.size()); }
  Status GiveOneUp();
  Status Begin();
  Status WritePiece();
  Status Finish();
  void GiveUp();
  std::string NextPath();

  Fs& fs_;
  Clock& clock_;
  const Options options_;
  const size_t written_ahead_;
  const size_t kept_;
  const std::vector<std::byte> zeros_;
  std::atomic<int64_t> log_writes_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::vector<std::string> ready_;  // the last one is taken first: the page cache may still have it
  int64_t last_number_ = 0;
  int64_t used_bytes_ = 0;
  bool writing_ = false;  // a spare: its file takes segment_bytes already
  bool stopping_ = false;

  std::optional<Unfinished> unfinished_;  // the thread's
  std::jthread thread_;
};

}  // namespace arka::wal
