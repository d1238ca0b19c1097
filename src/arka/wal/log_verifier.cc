#include "arka/wal/log_verifier.h"

#include <algorithm>
#include <utility>

#include "arka/wal/definition_table.h"
#include "arka/wal/segment.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

/// Walks the segments in order; what it finds goes into the report.
class Verifier {
 public:
  Verifier(Fs& fs, LogReport& report) : fs_(fs), report_(report) {}

  Status Run(const std::vector<std::string>& names);

 private:
  Status CollectHeaders(const std::vector<std::string>& names);
  void FindMissing();
  void CheckOrder();
  Status Walk(size_t index);
  void WalkFrames(SegmentReader& reader, SegmentReport& segment, const SegmentHeader* successor);
  bool TakeExtent(SegmentReader& reader, SegmentReport& segment, int64_t limit,
                  std::string* problem);
  void JudgeEnd(const SegmentReader& reader, SegmentReport& segment, bool last);
  void AddMissing(std::vector<SegmentReport>& to, int64_t number) const;
  Status JudgeControl();
  const SegmentHeader* NextHeader(size_t index) const;

  Fs& fs_;
  LogReport& report_;
  DefinitionTable definitions_;
  Lsn last_lsn_ = kNoLsn;  // the last one known to have been written
};

Status Verifier::Run(const std::vector<std::string>& names) {
  ARROW_RETURN_NOT_OK(CollectHeaders(names));
  CheckOrder();
  FindMissing();
  for (size_t index = 0; index < report_.segments.size(); ++index) {
    const Status status = Walk(index);
    if (!status.ok()) {
      return WithContext(status, "wal: segment " + SegmentFileName(report_.segments[index].number));
    }
  }
  return JudgeControl();
}

Status Verifier::CollectHeaders(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::optional<int64_t> number = ParseSegmentFileName(name);
    if (!number) continue;
    if (*number < report_.state.first_segment) {
      report_.released.push_back(name);
      continue;
    }
    SegmentReport segment;
    segment.number = *number;
    ARROW_ASSIGN_OR_RAISE(const auto file,
                          fs_.Open(report_.directory + "/" + name, OpenMode::kRead));
    ARROW_ASSIGN_OR_RAISE(segment.size_bytes, file->Size());
    std::vector<std::byte> bytes(kSegmentHeaderBytes);
    ARROW_ASSIGN_OR_RAISE(const size_t read, file->Read(0, bytes));
    bytes.resize(read);
    Result<SegmentHeader> header = DecodeSegmentHeader(bytes);
    if (header.ok() && header->number != *number) {
      header = Error(ErrorCode::kCorruption, "the header of segment ", header->number);
    }
    if (header.ok()) {
      segment.header = std::move(*header);
    } else if (CodeOf(header.status()) == ErrorCode::kCorruption) {
      segment.holes.push_back({.segment = *number, .problem = header.status().message()});
    } else {
      return WithContext(header.status(), "wal: segment " + name);
    }
    report_.segments.push_back(std::move(segment));
  }
  return Status::OK();
}

// A header that contradicts the ones before it proves nothing about its records' place.
void Verifier::CheckOrder() {
  const SegmentHeader* previous = nullptr;
  for (SegmentReport& segment : report_.segments) {
    if (!segment.header) continue;
    const SegmentHeader& header = *segment.header;
    if (header.first_lsn <= header.predecessor.last_lsn ||
        (previous != nullptr &&
         (header.epoch < previous->epoch || header.first_lsn <= previous->first_lsn))) {
      segment.holes.push_back({.segment = segment.number, .problem = "epoch or LSN go back"});
      segment.header.reset();
      continue;
    }
    previous = &header;
  }
}

void Verifier::AddMissing(std::vector<SegmentReport>& to, int64_t number) const {
  SegmentReport missing;
  missing.number = number;
  missing.present = false;
  missing.holes.push_back({.segment = number, .problem = "the file is missing"});
  to.push_back(std::move(missing));
}

// As each segment names its predecessor, a file that is not there leaves a trace, unless it is the
// newest and the control file does not know it yet.
void Verifier::FindMissing() {
  std::vector<SegmentReport> all;
  const LogState& state = report_.state;
  for (SegmentReport& segment : report_.segments) {
    if (segment.header) {
      const int64_t predecessor = segment.header->predecessor.segment;
      const bool missing = all.empty() ? segment.number > state.first_segment && predecessor != 0 &&
                                             report_.control_good
                                       : predecessor > all.back().number;
      if (missing) AddMissing(all, predecessor);
    } else if (!all.empty() && segment.number > all.back().number + 1) {
      AddMissing(all, segment.number - 1);
    }
    all.push_back(std::move(segment));
  }
  const int64_t last = all.empty() ? 0 : all.back().number;
  if (last < state.tail.segment) AddMissing(all, state.tail.segment);
  report_.segments = std::move(all);
}

const SegmentHeader* Verifier::NextHeader(size_t index) const {
  for (++index; index < report_.segments.size(); ++index) {
    if (report_.segments[index].header) return &*report_.segments[index].header;
  }
  return nullptr;
}

Status Verifier::Walk(size_t index) {
  SegmentReport& segment = report_.segments[index];
  const SegmentHeader* next = NextHeader(index);
  if (segment.header) {
    ARROW_ASSIGN_OR_RAISE(
        const auto file,
        fs_.Open(report_.directory + "/" + SegmentFileName(segment.number), OpenMode::kRead));
    ARROW_ASSIGN_OR_RAISE(SegmentReader reader, SegmentReader::Read(*file));
    const bool joined = next != nullptr && next->predecessor.segment == segment.number;
    WalkFrames(reader, segment, joined ? next : nullptr);
    if (!joined) JudgeEnd(reader, segment, index + 1 == report_.segments.size());
  } else {
    Hole& hole = segment.holes.front();
    hole.first_lost = last_lsn_.next();
    if (next != nullptr) hole.last_lost = next->predecessor.last_lsn;
    if (next == nullptr && report_.state.tail.segment == segment.number) {
      hole.last_lost = report_.state.tail.last_lsn;
    }
  }
  for (const Hole& hole : segment.holes) last_lsn_ = std::max(last_lsn_, hole.last_lost);
  return Status::OK();
}

// Adds one extent from the reader's place on. True where the walk met its end in order: at `limit`
// (0: none) or at a mark.
bool Verifier::TakeExtent(SegmentReader& reader, SegmentReport& segment, int64_t limit,
                          std::string* problem) {
  Extent extent{.start = reader.position(), .end = reader.position()};
  bool in_order = true;
  while (limit == 0 || reader.position().offset < limit) {
    const Result<std::optional<Frame>> frame = reader.Next();
    if (!frame.ok()) *problem = frame.status().message();
    if (!frame.ok() || !frame->has_value()) {
      in_order = frame.ok() && reader.marked();
      break;
    }
    if ((*frame)->type == FrameType::kDefinition) {
      const auto added = definitions_.Add(DefinitionOf(**frame, reader.bytes()));
      if (!added.ok()) *problem = added.status().message();
    }
    if ((*frame)->type == FrameType::kWrite) {
      if (!definitions_.Contains((*frame)->definition)) {
        *problem = "a write that uses definition " + std::to_string((*frame)->definition.value) +
                   " before it is given";
      } else {
        ++extent.writes;
      }
    }
    if (!problem->empty()) {
      in_order = false;
      break;
    }
    extent.end = reader.position();
  }
  last_lsn_ = std::max(last_lsn_, extent.end.last_lsn);
  segment.extents.push_back(extent);
  return in_order;
}

void Verifier::WalkFrames(SegmentReader& reader, SegmentReport& segment,
                          const SegmentHeader* successor) {
  const int64_t limit = successor == nullptr ? 0 : successor->predecessor.offset;
  for (;;) {
    std::string problem;
    const bool in_order = TakeExtent(reader, segment, limit, &problem);
    const ChainPoint end = segment.extents.back().end;
    if (in_order && successor == nullptr) return;
    if (in_order && end == successor->predecessor) return;
    reader.Seek(end);
    Hole hole{.segment = segment.number,
              .offset = end.offset,
              .problem = problem,
              .first_lost = end.last_lsn.next()};
    std::optional<int64_t> later = reader.LaterGroup();
    if (later && limit != 0 && *later >= limit) later.reset();
    if (later) {
      reader.ResumeBehind(*later);
      hole.last_lost = reader.position().last_lsn;
      if (hole.problem.empty()) {
        hole.problem = "a damaged record; offset " + std::to_string(*later) +
                       " was written after it had been synced";
      }
    } else if (successor != nullptr) {
      hole.last_lost = successor->predecessor.last_lsn;
      if (hole.problem.empty()) {
        hole.problem = "the records do not go on to offset " + std::to_string(limit) +
                       ", where the next segment says they end";
      }
    } else if (hole.problem.empty()) {
      return;  // what lies behind is a tail: JudgeEnd
    }
    segment.holes.push_back(std::move(hole));
    if (!later) return;
  }
}

// The end of a segment that no good successor names.
void Verifier::JudgeEnd(const SegmentReader& reader, SegmentReport& segment, bool last) {
  if (!last) return;  // the missing or damaged segment behind it has the hole
  const ChainPoint& end = segment.extents.back().end;
  const ChainPoint& tail = report_.state.tail;
  Hole hole{.segment = segment.number, .offset = end.offset, .first_lost = end.last_lsn.next()};
  if (reader.sealed()) {
    hole.problem = "the segment that followed this one is missing";
  } else if (report_.control_good &&
             ((end.segment == tail.segment &&
               (end.offset < tail.offset || (report_.state.clean && end != tail))) ||
              (report_.state.clean && end.segment != tail.segment))) {
    hole.problem = "the log was synced through segment " + SegmentFileName(tail.segment) +
                   ", offset " + std::to_string(tail.offset);
    hole.last_lost = tail.last_lsn;
  }
  if (!hole.problem.empty()) {
    if (segment.holes.empty() || segment.holes.back().offset != hole.offset) {
      segment.holes.push_back(std::move(hole));
    } else {
      segment.holes.back().last_lost = std::max(segment.holes.back().last_lost, hole.last_lost);
    }
    return;
  }
  if (reader.marked()) return;
  const ByteSpan behind = SpanOf(*reader.bytes()).subspan(static_cast<size_t>(end.offset));
  const auto from_back = std::find_if(behind.rbegin(), behind.rend(),
                                      [](std::byte value) { return value != std::byte{0}; });
  segment.torn_bytes = behind.rend() - from_back;
}

Status Verifier::JudgeControl() {
  if (!report_.control_good) return Status::OK();
  int64_t max_epoch = 0;
  Lsn last_lsn = kNoLsn;
  for (const SegmentReport& segment : report_.segments) {
    if (segment.header) max_epoch = std::max(max_epoch, segment.header->epoch);
    last_lsn = std::max(last_lsn, segment.last_lsn());
  }
  if (max_epoch > report_.state.epoch || last_lsn > report_.state.reserved_through) {
    report_.control_good = false;
    report_.control_problem = "the control file is older than the segments";
  }
  return Status::OK();
}

Status ReadExtent(SegmentReader& reader, const Extent& extent, DefinitionTable& definitions,
                  const WriteSink& sink) {
  reader.Seek(extent.start);
  while (reader.position().offset < extent.end.offset) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<Frame> frame, reader.Next());
    if (!frame) {
      return Error(ErrorCode::kIoFailed, "offset ", reader.position().offset,
                   ": reads differently than a moment ago");
    }
    if (frame->type == FrameType::kDefinition) {
      ARROW_RETURN_NOT_OK(definitions.Add(DefinitionOf(*frame, reader.bytes())));
    } else if (frame->type == FrameType::kWrite) {
      const auto definition = definitions.Find(frame->definition);
      if (!definition) return Error(ErrorCode::kInternal, "a write without its definition");
      ARROW_RETURN_NOT_OK(sink(RecordOf(*frame, reader.bytes()), *definition));
    }
  }
  return Status::OK();
}

}  // namespace

Status ReadWhole(Fs& fs, const LogReport& report, const WriteSink& sink) {
  DefinitionTable definitions;
  for (const SegmentReport& segment : report.segments) {
    if (segment.extents.empty()) continue;
    const std::string name = SegmentFileName(segment.number);
    ARROW_ASSIGN_OR_RAISE(const auto file, fs.Open(report.directory + "/" + name, OpenMode::kRead));
    ARROW_ASSIGN_OR_RAISE(SegmentReader reader, SegmentReader::Read(*file));
    for (const Extent& extent : segment.extents) {
      ARROW_RETURN_NOT_OK(
          WithContext(ReadExtent(reader, extent, definitions, sink), "wal: segment " + name));
    }
  }
  return Status::OK();
}

Result<LogReport> VerifyLog(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool exists, fs.Exists(directory));
  if (!exists) return Error(ErrorCode::kNotFound, "wal: there is no log in ", directory);
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs.List(directory));
  LogReport report;
  report.directory = directory;
  ControlFile control(fs, directory);
  const Result<std::optional<LogState>> state = control.Read(OpenMode::kRead);
  if (!state.ok() && CodeOf(state.status()) != ErrorCode::kCorruption) return state.status();
  if (state.ok() && state->has_value()) {
    report.state = **state;
  } else if (!state.ok() || std::any_of(names.begin(), names.end(), [](const std::string& name) {
               return ParseSegmentFileName(name).has_value();
             })) {
    report.control_good = false;
    report.control_problem = state.ok() ? "the control file is missing" : state.status().message();
  }
  ARROW_RETURN_NOT_OK(Verifier(fs, report).Run(names));
  return report;
}

}  // namespace arka::wal
