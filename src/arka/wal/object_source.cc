#include "arka/wal/object_source.h"

#include <algorithm>
#include <set>

#include "arka/wal/log_object.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

/// The frames of an object, found by walking the bytes of a segment from a known place.
struct Run {
  ChainPoint start;
  ChainPoint end;
  Lsn first_lsn;
  int64_t wanted_bytes = 0;  // what a frame cut off at the end of the bytes would have needed
  std::set<uint32_t> missing_definitions;
};

// Skips the writes through `after`, then takes frames up to `max_bytes`, at least one write.
Result<Run> WalkRun(ByteSpan bytes, ChainPoint at, Lsn after, int64_t max_bytes) {
  Run run;
  std::set<uint32_t> defined;
  const int64_t base = at.offset;
  bool begun = false;
  run.start = at;
  while (at.offset - base < static_cast<int64_t>(bytes.size())) {
    const int64_t offset = at.offset - base;
    const int64_t length = PeekFrameLength(bytes, offset);
    if (length > static_cast<int64_t>(bytes.size()) - offset) {
      run.wanted_bytes = offset + length;
      break;
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<Frame> frame, ParseFrame(bytes, offset, at.crc));
    if (!frame) {
      return Error(ErrorCode::kCorruption, "offset ", at.offset, ": a damaged record");
    }
    const bool write = frame->type == FrameType::kWrite;
    if (begun && at.offset + length - run.start.offset > max_bytes) break;
    if (write && frame->lsn > after && !begun) {
      begun = true;
      run.first_lsn = frame->lsn;
    }
    if (write && begun && !defined.contains(frame->definition.value)) {
      run.missing_definitions.insert(frame->definition.value);
    }
    if (frame->type == FrameType::kDefinition) defined.insert(frame->definition.value);
    at.offset += length;
    at.crc = frame->crc;
    if (write) at.last_lsn = frame->lsn;
    if (write && !begun) {
      run.start = at;
      defined.clear();
    }
    if (write && begun) run.end = at;
  }
  return run;
}

}  // namespace

ObjectSource::ObjectSource(const LiveSegments& live, const DefinitionTable& definitions)
    : live_(live), definitions_(definitions) {}

Result<LogObject> ObjectSource::Read(Lsn after, int64_t max_bytes) {
  const std::shared_ptr<Segment> segment = live_.Find(after);
  if (segment == nullptr)
    return LogObject{.first_lsn = after.next(), .last_lsn = after, .parts = {}};
  ChainPoint start = segment->Seek(after);
  {
    const std::lock_guard lock(mutex_);
    if (next_.segment == start.segment && next_.last_lsn <= after && next_.offset > start.offset) {
      start = next_;
    }
  }
  Result<LogObject> object = ReadFrom(*segment, start, after, max_bytes);
  if (!object.ok()) {
    return WithContext(object.status(),
                       "wal: segment " + SegmentFileName(segment->header().number));
  }
  return object;
}

Result<LogObject> ObjectSource::ReadFrom(const Segment& segment, const ChainPoint& start, Lsn after,
                                         int64_t max_bytes) {
  const int64_t available = segment.end().offset - start.offset;
  int64_t length = std::min(available, std::max<int64_t>(max_bytes, kIndexStride));
  std::shared_ptr<arrow::Buffer> bytes;
  Run run;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(bytes, arrow::AllocateBuffer(length));
    const MutableByteSpan to(reinterpret_cast<std::byte*>(bytes->mutable_data()),
                             static_cast<size_t>(length));
    ARROW_ASSIGN_OR_RAISE(const size_t read, segment.file().Read(start.offset, to));
    if (read != to.size()) {
      return Error(ErrorCode::kIoFailed, "offset ", start.offset, ": read ", read, " of ", length,
                   " bytes");
    }
    ARROW_ASSIGN_OR_RAISE(run, WalkRun(to, start, after, max_bytes));
    if (run.end.offset != 0 || length == available) break;
    // The first write did not fit: a large one, or one far behind the indexed place.
    length = std::min(available, std::max(run.wanted_bytes, 2 * length));
  }
  if (run.end.offset == 0) {
    return Error(ErrorCode::kCorruption, "no LSN above ", after, " before offset ",
                 start.offset + available);
  }
  std::vector<Definition> definitions;
  for (const uint32_t id : run.missing_definitions) {
    const std::optional<Definition> definition = definitions_.Find({id});
    if (!definition) return Error(ErrorCode::kCorruption, "definition ", id, " is unknown");
    definitions.push_back(*definition);
  }
  ObjectHeader header{.node = segment.header().node,
                      .epoch = segment.header().epoch,
                      .first_lsn = run.first_lsn,
                      .last_lsn = run.end.last_lsn,
                      .start = run.start,
                      .end_crc = run.end.crc,
                      .run_bytes = run.end.offset - run.start.offset};
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> head, EncodeObjectHead(header, definitions));
  {
    const std::lock_guard lock(mutex_);
    next_ = run.end;
  }
  return LogObject{
      .first_lsn = run.first_lsn,
      .last_lsn = run.end.last_lsn,
      .parts = {std::move(head),
                arrow::SliceBuffer(bytes, run.start.offset - start.offset, header.run_bytes)}};
}

}  // namespace arka::wal
