#include "arka/wal/log_repair.h"

#include <algorithm>
#include <utility>

#include "arka/wal/log_rewriter.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

constexpr std::string_view kControl = "control";
// In the new log's directory: it is whole, and takes the old one's place from now on.
constexpr std::string_view kComplete = "/complete";
// Where the control file is lost nobody knows which LSNs were given: more than a server gives
// between two syncs of its segments, and next to nothing of the numbers there are.
constexpr int64_t kLsnsToSkip = int64_t{1} << 32;
constexpr int64_t kLeastSegmentBytes = 2 * kSegmentHeaderBytes;

std::string NewDirectory(const std::string& directory) { return directory + ".repair"; }

bool IsLogFile(const std::string& name) {
  return name == kControl || ParseSegmentFileName(name).has_value();
}

// The state that the new log begins with: no LSN and no epoch of the old one comes again.
LogState NextState(const LogReport& report) {
  LogState state = report.state;
  Lsn last = state.tail.last_lsn;
  for (const SegmentReport& segment : report.segments) {
    if (segment.header) {
      state.epoch = std::max(state.epoch, segment.header->epoch);
      last = std::max(last, segment.header->first_lsn.previous());
    }
    last = std::max(last, segment.last_lsn());
    for (const Hole& hole : segment.holes) last = std::max(last, hole.last_lost);
  }
  state.reserved_through = std::max(state.reserved_through, last);
  if (!report.control_good) {
    state.reserved_through = Lsn{std::max(last, state.reserved_through).value + kLsnsToSkip};
  }
  state.tail.last_lsn = last;
  return state;
}

Status CopyExtent(SegmentReader& reader, const Extent& extent, DefinitionTable& definitions,
                  LogRewriter& to) {
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
      ARROW_RETURN_NOT_OK(to.Add(RecordOf(*frame, reader.bytes()), *definition));
    }
  }
  return Status::OK();
}

Status WriteNewLog(Fs& fs, Clock& clock, const LogReport& report) {
  const std::string directory = NewDirectory(report.directory);
  ARROW_RETURN_NOT_OK(fs.CreateDirs(directory));
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> leftovers, fs.List(directory));
  for (const std::string& name : leftovers) ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + name));

  LogRewriter::Options options{.directory = directory, .segment_bytes = kLeastSegmentBytes};
  for (const SegmentReport& segment : report.segments) {
    if (segment.header) options.node = segment.header->node;
    options.segment_bytes = std::max(options.segment_bytes, segment.size_bytes / 64 * 64);
    options.first_number = segment.number + 1;
  }
  if (!report.segments.empty() && report.segments.front().header) {
    options.begins_after = report.segments.front().header->predecessor.last_lsn;
  }
  const LogState state = NextState(report);
  options.first_epoch = state.epoch + 1;
  ARROW_ASSIGN_OR_RAISE(const auto rewriter, LogRewriter::Make(fs, clock, options));
  DefinitionTable definitions;
  for (const SegmentReport& segment : report.segments) {
    if (segment.extents.empty()) continue;
    const std::string name = SegmentFileName(segment.number);
    ARROW_ASSIGN_OR_RAISE(const auto file, fs.Open(report.directory + "/" + name, OpenMode::kRead));
    ARROW_ASSIGN_OR_RAISE(SegmentReader reader, SegmentReader::Read(*file));
    for (const Extent& extent : segment.extents) {
      ARROW_RETURN_NOT_OK(
          WithContext(CopyExtent(reader, extent, definitions, *rewriter), "wal: segment " + name));
    }
  }
  ARROW_RETURN_NOT_OK(rewriter->Finish(state));
  ARROW_ASSIGN_OR_RAISE(const LogReport written, VerifyLog(fs, directory));
  if (written.damaged() || written.writes() != report.writes()) {
    return Error(ErrorCode::kInternal, "wal: the repaired log in ", directory, " holds ",
                 written.writes(), " writes, ", report.writes(), " were to be kept");
  }
  ARROW_RETURN_NOT_OK(fs.Open(directory + std::string(kComplete), OpenMode::kCreateNew));
  return fs.SyncDir(directory);
}

// Every file of the old log that is still there; never one of the new log.
Status MoveOldAside(Fs& fs, const std::string& directory, const std::string& aside) {
  ControlFile control(fs, NewDirectory(directory));
  ARROW_ASSIGN_OR_RAISE(const std::optional<LogState> next, control.Read(OpenMode::kRead));
  const bool empty = !next || next->tail.segment == 0;
  ARROW_RETURN_NOT_OK(fs.CreateDirs(directory));
  ARROW_RETURN_NOT_OK(fs.CreateDirs(aside));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> names, fs.List(directory));
  std::erase_if(names, [&](const std::string& name) {
    const std::optional<int64_t> number = ParseSegmentFileName(name);
    return !IsLogFile(name) || (number && !empty && *number >= next->first_segment);
  });
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == kControl; });
  for (const std::string& name : names) {
    ARROW_RETURN_NOT_OK(fs.Rename(directory + "/" + name, aside + "/" + name));
    // From the first on: without its control file the old log is no log that could start.
    if (name == kControl) ARROW_RETURN_NOT_OK(fs.SyncDir(directory));
  }
  ARROW_RETURN_NOT_OK(fs.SyncDir(aside));
  return fs.SyncDir(directory);
}

Status MoveNewIn(Fs& fs, const std::string& directory) {
  const std::string from = NewDirectory(directory);
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs.List(from));
  for (const std::string& name : names) {
    if (!ParseSegmentFileName(name)) continue;
    ARROW_RETURN_NOT_OK(fs.Rename(from + "/" + name, directory + "/" + name));
  }
  ARROW_RETURN_NOT_OK(fs.SyncDir(directory));
  ARROW_RETURN_NOT_OK(fs.Rename(from + "/control", directory + "/control"));
  return fs.SyncDir(directory);
}

Status Conclude(Fs& fs, const std::string& directory) {
  const std::string from = NewDirectory(directory);
  ARROW_RETURN_NOT_OK(fs.SyncDir(directory));
  ARROW_RETURN_NOT_OK(fs.SyncDir(from));
  ARROW_RETURN_NOT_OK(fs.Remove(from + std::string(kComplete)));
  return fs.SyncDir(from);
}

Result<bool> IsPending(Fs& fs, const std::string& directory) {
  return fs.Exists(NewDirectory(directory) + std::string(kComplete));
}

}  // namespace

Status CheckNoRepairPending(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool pending, IsPending(fs, directory));
  if (!pending) return Status::OK();
  return Error(ErrorCode::kCorruption, "wal: a repair of ", directory,
               " was interrupted; run it again, it goes on where it stopped");
}

Result<RepairPlan> PlanRepair(Fs& fs, const std::string& directory) {
  RepairPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.interrupted, IsPending(fs, directory));
  if (plan.interrupted) {
    plan.needed = true;
    return plan;
  }
  ARROW_ASSIGN_OR_RAISE(const LogReport report, VerifyLog(fs, directory));
  plan.needed = report.damaged();
  plan.kept_writes = report.writes();
  plan.holes = report.holes();
  plan.reserved_through = NextState(report).reserved_through;
  for (const SegmentReport& segment : report.segments) {
    if (segment.writes() > 0) plan.kept_bytes += segment.size_bytes;
  }
  for (const Hole& hole : plan.holes) {
    plan.lost_writes += std::max<int64_t>(0, hole.last_lost.value - hole.first_lost.value + 1);
  }
  return plan;
}

Status RepairLog(Fs& fs, Clock& clock, const std::string& directory, const std::string& aside) {
  ARROW_ASSIGN_OR_RAISE(const bool pending, IsPending(fs, directory));
  if (!pending) {
    ARROW_ASSIGN_OR_RAISE(const LogReport report, VerifyLog(fs, directory));
    if (!report.damaged()) return Status::OK();
    ARROW_RETURN_NOT_OK(WriteNewLog(fs, clock, report));
  }
  // The new control file moves last: where it is in its place, only the marker is left.
  ARROW_ASSIGN_OR_RAISE(const bool to_move, fs.Exists(NewDirectory(directory) + "/control"));
  if (to_move) {
    ARROW_RETURN_NOT_OK(MoveOldAside(fs, directory, aside));
    ARROW_RETURN_NOT_OK(MoveNewIn(fs, directory));
  }
  return Conclude(fs, directory);
}

}  // namespace arka::wal
