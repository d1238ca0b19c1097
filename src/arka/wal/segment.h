// One segment on disk as readers know it: its file, its durable end, and a sparse index into it.
//
// Made by replay or by the writer when the segment is activated; the log thread extends it after
// each sync, readers seek in it at the same time. The index holds a place about every
// kIndexStride bytes, so its size is bounded by the segment's.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arka/io/fs.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {

inline constexpr int64_t kIndexStride = 256 << 10;

class Segment {
 public:
  Segment(SegmentHeader header, std::string path, std::unique_ptr<File> file, int64_t size_bytes);

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  File& file() const { return *file_; }
  int64_t size_bytes() const { return size_bytes_; }

  /// The end of what is durable.
  ChainPoint end() const;
  /// Everything up to `end` is durable; `start` is where its last group begins.
  void Extend(const ChainPoint& start, const ChainPoint& end);
  /// The last indexed place with no write after `after` before it; at worst the first frame.
  ChainPoint Seek(Lsn after) const;

 private:
  const SegmentHeader header_;
  const std::string path_;
  const std::unique_ptr<File> file_;
  const int64_t size_bytes_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<ChainPoint> index_;
  ChainPoint end_;
};

/// The place before the first frame of the segment with this header.
ChainPoint FirstPoint(const SegmentHeader& header);

}  // namespace arka::wal
