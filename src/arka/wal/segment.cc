#include "arka/wal/segment.h"

#include <algorithm>

namespace arka::wal {

ChainPoint FirstPoint(const SegmentHeader& header) {
  return {.segment = header.number,
          .offset = kSegmentHeaderBytes,
          .last_lsn = header.first_lsn.previous(),
          .crc = header.crc};
}

Segment::Segment(SegmentHeader header, std::string path, std::unique_ptr<File> file,
                 int64_t size_bytes)
    : header_(std::move(header)),
      path_(std::move(path)),
      file_(std::move(file)),
      size_bytes_(size_bytes),
      index_({FirstPoint(header_)}),
      end_(FirstPoint(header_)) {}

ChainPoint Segment::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

void Segment::Extend(const ChainPoint& start, const ChainPoint& end) {
  const std::lock_guard lock(mutex_);
  if (start.offset - index_.back().offset >= kIndexStride) index_.push_back(start);
  end_ = end;
}

ChainPoint Segment::Seek(Lsn after) const {
  const std::lock_guard lock(mutex_);
  const auto past =
      std::upper_bound(index_.begin() + 1, index_.end(), after,
                       [](Lsn lsn, const ChainPoint& point) { return lsn < point.last_lsn; });
  return *(past - 1);
}

}  // namespace arka::wal
