#include "arka/wal/replay.h"

#include <algorithm>
#include <future>
#include <utility>

#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

constexpr int64_t kReportBytes = 4 << 20;
// Segments this large are read ahead, on a thread of their own, while the one before is decoded.
constexpr int64_t kReadAheadBytes = 8 << 20;

Status CorruptAt(int64_t offset, std::string_view what) {
  return Error(ErrorCode::kCorruption, "offset ", offset, ": ", what);
}

class Run {
 public:
  Run(Fs& fs, std::string directory, const LogState& state, DefinitionTable& definitions,
      ReplayVisitor& visitor)
      : fs_(fs),
        directory_(std::move(directory)),
        state_(state),
        definitions_(definitions),
        visitor_(visitor) {}

  Result<Replayed> operator()(const std::vector<std::string>& names);

 private:
  Status CollectHeaders(const std::vector<std::string>& names);
  Status CheckJoins() const;
  Status ReadSegment(size_t index);
  Status ReadFrames(SegmentReader& reader, Segment& segment, const SegmentHeader* successor);
  Status CheckEnd(const SegmentReader& reader, const SegmentHeader* successor) const;
  Status Show(const Frame& frame, const std::shared_ptr<arrow::Buffer>& bytes);

  struct Found {
    SegmentHeader header;
    std::string path;
    std::unique_ptr<File> file;
    int64_t size_bytes = 0;
  };

  Fs& fs_;
  const std::string directory_;
  const LogState& state_;
  DefinitionTable& definitions_;
  ReplayVisitor& visitor_;
  std::vector<Found> found_;
  int64_t bytes_total_ = 0;
  int64_t bytes_done_ = 0;
  Replayed result_;
  std::future<Result<SegmentReader>> read_ahead_;  // of the next segment; waits when destroyed
};

Result<Replayed> Run::operator()(const std::vector<std::string>& names) {
  ARROW_RETURN_NOT_OK(CollectHeaders(names));
  ARROW_RETURN_NOT_OK(CheckJoins());
  ARROW_RETURN_NOT_OK(visitor_.OnBegin(
      found_.empty() ? state_.tail.last_lsn : found_.front().header.predecessor.last_lsn));
  for (size_t index = 0; index < found_.size(); ++index) {
    const std::string name = SegmentFileName(found_[index].header.number);
    const Status status = ReadSegment(index);
    if (!status.ok()) return WithContext(status, "wal: segment " + name);
  }
  return std::move(result_);
}

Status Run::CollectHeaders(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::optional<int64_t> number = ParseSegmentFileName(name);
    if (!number) continue;
    if (*number < state_.first_segment) {
      result_.obsolete.push_back(name);
      continue;
    }
    Found found{.header = {}, .path = directory_ + "/" + name, .file = nullptr};
    ARROW_ASSIGN_OR_RAISE(found.file, fs_.Open(found.path, OpenMode::kReadWrite));
    ARROW_ASSIGN_OR_RAISE(found.size_bytes, found.file->Size());
    std::vector<std::byte> bytes(kSegmentHeaderBytes);
    ARROW_ASSIGN_OR_RAISE(const size_t read, found.file->Read(0, bytes));
    bytes.resize(read);
    Result<SegmentHeader> header = DecodeSegmentHeader(bytes);
    if (header.ok() && header->number != *number) {
      header = Error(ErrorCode::kCorruption, "offset 0: the header of segment ", header->number);
    }
    if (!header.ok()) return WithContext(header.status(), "wal: segment " + name);
    found.header = std::move(*header);
    bytes_total_ += found.size_bytes;
    result_.max_epoch = std::max(result_.max_epoch, found.header.epoch);
    found_.push_back(std::move(found));
  }
  return Status::OK();
}

Status Run::CheckJoins() const {
  const auto missing = [&](int64_t number) {
    return Error(ErrorCode::kCorruption, "wal: segment ", SegmentFileName(number),
                 " is missing from ", directory_);
  };
  if (found_.empty()) {
    return state_.tail.segment == 0 ? Status::OK() : missing(state_.tail.segment);
  }
  // The predecessor of the first one needed is released, whatever number it had.
  const SegmentHeader& first = found_.front().header;
  if (first.number > state_.first_segment) return missing(first.predecessor.segment);
  for (size_t index = 1; index < found_.size(); ++index) {
    const SegmentHeader& header = found_[index].header;
    const SegmentHeader& previous = found_[index - 1].header;
    if (header.predecessor.segment != previous.number) return missing(header.predecessor.segment);
    if (header.epoch < previous.epoch || header.first_lsn <= header.predecessor.last_lsn) {
      return Error(ErrorCode::kCorruption, "wal: segment ", SegmentFileName(header.number),
                   ": offset 0: epoch or LSN go back");
    }
  }
  const SegmentHeader& last = found_.back().header;
  return last.number < state_.tail.segment ? missing(state_.tail.segment) : Status::OK();
}

Status Run::ReadSegment(size_t index) {
  Found& found = found_[index];
  const bool last = index + 1 == found_.size();
  const SegmentHeader* successor = last ? nullptr : &found_[index + 1].header;
  std::future<Result<SegmentReader>> ahead = std::move(read_ahead_);
  if (!last && found_[index + 1].size_bytes >= kReadAheadBytes) {
    read_ahead_ = std::async(std::launch::async, [file = found_[index + 1].file.get()] {
      return SegmentReader::Read(*file);
    });
  }
  ARROW_ASSIGN_OR_RAISE(SegmentReader reader,
                        ahead.valid() ? ahead.get() : SegmentReader::Read(*found.file));
  auto segment = std::make_shared<Segment>(reader.header(), found.path, std::move(found.file),
                                           found.size_bytes);
  ARROW_RETURN_NOT_OK(ReadFrames(reader, *segment, successor));
  ARROW_RETURN_NOT_OK(CheckEnd(reader, successor));
  result_.end = reader.position();
  result_.last_group = reader.group_start();
  result_.segments.push_back(std::move(segment));
  bytes_done_ += found.size_bytes;
  visitor_.OnProgress(bytes_done_, bytes_total_);
  return Status::OK();
}

Status Run::ReadFrames(SegmentReader& reader, Segment& segment, const SegmentHeader* successor) {
  int64_t reported = 0;
  while (successor == nullptr || reader.position().offset < successor->predecessor.offset) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<Frame> frame, reader.Next());
    if (!frame) break;
    ARROW_RETURN_NOT_OK(Show(*frame, reader.bytes()));
    segment.Extend(reader.group_start(), reader.position());
    if (reader.position().offset - reported < kReportBytes) continue;
    reported = reader.position().offset;
    visitor_.OnProgress(bytes_done_ + reported, bytes_total_);
  }
  return Status::OK();
}

Status Run::CheckEnd(const SegmentReader& reader, const SegmentHeader* successor) const {
  const ChainPoint& end = reader.position();
  if (successor != nullptr) {
    if (end == successor->predecessor) return Status::OK();
    return CorruptAt(end.offset, "the records do not go on to offset " +
                                     std::to_string(successor->predecessor.offset) +
                                     ", where the next segment says they end");
  }
  if (reader.sealed()) {
    return CorruptAt(end.offset, "the segment that followed this one is missing");
  }
  if (!reader.marked()) {
    if (const std::optional<int64_t> later = reader.LaterGroup()) {
      return CorruptAt(end.offset, "a damaged record; offset " + std::to_string(*later) +
                                       " was written after it had been synced");
    }
  }
  const ChainPoint& tail = state_.tail;
  const bool short_of_tail =
      end.segment == tail.segment && (end.offset < tail.offset || (state_.clean && end != tail));
  if (short_of_tail || (state_.clean && end.segment != tail.segment)) {
    return CorruptAt(end.offset, "the log was synced through segment " +
                                     SegmentFileName(tail.segment) + ", offset " +
                                     std::to_string(tail.offset));
  }
  return Status::OK();
}

Status Run::Show(const Frame& frame, const std::shared_ptr<arrow::Buffer>& bytes) {
  switch (frame.type) {
    case FrameType::kGroup:
      return Status::OK();
    case FrameType::kDefinition: {
      ARROW_ASSIGN_OR_RAISE(const std::optional<Definition> added,
                            definitions_.Add(DefinitionOf(frame, bytes)));
      return added ? visitor_.OnDefinition(*added) : Status::OK();
    }
    case FrameType::kWrite:
      if (!definitions_.Find(frame.definition)) {
        return CorruptAt(frame.offset, "a write that uses definition " +
                                           std::to_string(frame.definition.value) +
                                           " before it is given");
      }
      result_.last_lsn = frame.lsn;
      return visitor_.OnWrite(RecordOf(frame, bytes));
  }
  return Status::OK();
}

}  // namespace

Result<Replayed> Replay(Fs& fs, const std::string& directory, const std::vector<std::string>& names,
                        const LogState& state, DefinitionTable& definitions,
                        ReplayVisitor& visitor) {
  return Run(fs, directory, state, definitions, visitor)(names);
}

}  // namespace arka::wal
