// Spare segment files: written full of zeros once, so that writing records moves no file metadata
// and a sync is cheap (ten times the rate of appending to a growing file).
//
// Released segments are renamed to spares, stale bytes and all; a background thread writes new ones
// where fewer than `count` are ready. Nothing here is needed for correctness: a spare that cannot
// be made is done without. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "arka/io/fs.h"

namespace arka::wal {

class SegmentPool {
 public:
  struct Spare {
    std::string path;
    std::unique_ptr<File> file;
  };

  /// Adopts the spares in `directory` (`names`: what it lists) and removes unfinished ones.
  static Result<std::unique_ptr<SegmentPool>> Make(Fs& fs, std::string directory,
                                                   const std::vector<std::string>& names,
                                                   int64_t segment_bytes, int count);

  /// Starts the thread; without it, Step does its work.
  void Start();
  /// Stops the thread; a spare being written is given up.
  void Stop();
  ~SegmentPool();

  /// A file of segment_bytes, all its blocks written, or nothing where none is ready. Never blocks.
  std::optional<Spare> Take();

  /// Makes the released segment file a spare, or removes it where there are enough.
  Status Recycle(const std::string& path, int64_t size_bytes);

  /// Writes one spare. False where there are enough.
  Result<bool> Step();

 private:
  SegmentPool(Fs& fs, std::string directory, int64_t segment_bytes, int count);

  void Run(const std::stop_token& stop);
  Status WriteSpare();
  Status WriteZeros(File& file);
  std::string NextPath();

  Fs& fs_;
  const std::string directory_;
  const int64_t segment_bytes_;
  const size_t count_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  // Guarded by mutex_.
  std::deque<std::string> ready_;
  int64_t last_number_ = 0;
  int64_t takes_ = 0;
  bool stopping_ = false;

  std::jthread thread_;
};

}  // namespace arka::wal
