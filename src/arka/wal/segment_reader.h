// Walks the frames of one segment held in memory, checking the chain and that LSNs are dense.
//
// The walk ends where the bytes are no frame that continues the chain: at the end of the log, a
// torn tail or damage. Telling these apart is replay's business (replay.h), with LaterGroup and
// what the next segment's header says. For one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/buffer.h>

#include "arka/wal/record.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {

class SegmentReader {
 public:
  /// Reads all of `file`. kCorruption for a bad header or a file that is shorter than it says.
  static Result<SegmentReader> Read(File& file);

  const SegmentHeader& header() const { return header_; }
  const std::shared_ptr<arrow::Buffer>& bytes() const { return bytes_; }

  /// The next frame, or nothing where the chain ends, be it at a mark. kCorruption, naming the
  /// offset, for frames that hold together but contradict the header or each other.
  Result<std::optional<Frame>> Next();

  /// The place after the last frame that Next answered.
  const ChainPoint& position() const { return position_; }
  /// Where the last group that Next answered begins.
  const ChainPoint& group_start() const { return group_start_; }
  /// Whether the walk ended at a mark: everything before position() was synced once.
  bool marked() const { return marked_; }
  /// Whether that mark says that the segment has a successor.
  bool sealed() const { return sealed_; }

  /// The offset of a group header of this segment beyond position(). The writer writes a group only
  /// when all before it is synced: so then the bytes at position() were on disk once.
  std::optional<int64_t> LaterGroup() const;

  /// Goes on behind the group header at `offset`, which LaterGroup answered: past damage, for those
  /// who look for what is left. Its anchor proves the header, and the frames behind continue it.
  void ResumeBehind(int64_t offset);
  /// Goes on at `place`, which was a position() of a reader of this segment.
  void Seek(const ChainPoint& place);

 private:
  SegmentReader(std::shared_ptr<arrow::Buffer> bytes, SegmentHeader header);

  bool IsStale(const Frame& frame) const;
  Status Check(const Frame& frame) const;

  std::shared_ptr<arrow::Buffer> bytes_;
  ByteSpan span_;
  SegmentHeader header_;
  ChainPoint position_;
  ChainPoint group_start_;
  bool marked_ = false;
  bool sealed_ = false;
};

/// The whole of `buffer`.
ByteSpan SpanOf(const arrow::Buffer& buffer);

/// `frame`'s write, its buffers slices of `parent`, the bytes that the frame was parsed from.
WriteRecord RecordOf(const Frame& frame, const std::shared_ptr<arrow::Buffer>& parent);
Definition DefinitionOf(const Frame& frame, const std::shared_ptr<arrow::Buffer>& parent);

}  // namespace arka::wal
