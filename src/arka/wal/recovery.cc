#include "arka/wal/recovery.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "arka/wal/log_repair.h"
#include "arka/wal/record.h"
#include "arka/wal/replay.h"

namespace arka::wal {

namespace {

Status CheckOptions(const LogOptions& options) {
  if (options.node.size() > kMaxNodeBytes || options.segment_bytes < 2 * kSegmentHeaderBytes ||
      options.segment_bytes % kFrameHeaderBytes != 0 || options.lsn_block < 1 ||
      options.max_group_bytes < 1) {
    return Error(ErrorCode::kInvalidRequest, "wal: node of at most ", kMaxNodeBytes,
                 " bytes, segment_bytes a multiple of 64 from 1024, lsn_block and max_group_bytes"
                 " above 0 wanted");
  }
  return Status::OK();
}

Status CheckAgainst(const LogState& state, const Replayed& replayed) {
  if (replayed.max_epoch > state.epoch) {
    return Error(ErrorCode::kCorruption, "wal: a segment of epoch ", replayed.max_epoch,
                 ", but the control file knows ", state.epoch);
  }
  if (replayed.last_lsn > state.reserved_through) {
    return Error(ErrorCode::kCorruption, "wal: LSN ", replayed.last_lsn, " was written, but only ",
                 state.reserved_through, " reserved");
  }
  return Status::OK();
}

Status RewriteLastGroup(const Replayed& replayed) {
  if (replayed.segments.empty()) return Status::OK();
  File& file = replayed.segments.back()->file();
  const int64_t offset = replayed.last_group.offset;
  std::vector<std::byte> bytes(static_cast<size_t>(replayed.end.offset - offset));
  ARROW_ASSIGN_OR_RAISE(const size_t read, file.Read(offset, bytes));
  if (read != bytes.size()) return Error(ErrorCode::kIoFailed, "wal: the last group reads short");
  const std::array<ByteSpan, 1> parts = {bytes};
  if (!bytes.empty()) ARROW_RETURN_NOT_OK(file.Write(offset, parts));
  return file.Sync();
}

Status RemoveLeftovers(Fs& fs, const std::string& directory, const std::vector<std::string>& names,
                       const Replayed& replayed) {
  for (const std::string& name : replayed.obsolete) {
    ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + name));
  }
  for (const char* unfinished : {"control.tmp", "fresh.tmp"}) {
    if (std::find(names.begin(), names.end(), unfinished) == names.end()) continue;
    ARROW_RETURN_NOT_OK(fs.Remove(directory + "/" + unfinished));
  }
  return Status::OK();
}

}  // namespace

Result<Recovered> Recover(Fs& fs, Clock& clock, const LogOptions& options, ReplayVisitor& visitor) {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  ARROW_RETURN_NOT_OK(CheckNoRepairPending(fs, options.directory));
  ARROW_RETURN_NOT_OK(fs.CreateDirs(options.directory));
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs.List(options.directory));

  Recovered recovered{.control = std::make_unique<ControlFile>(fs, options.directory),
                      .definitions = std::make_unique<DefinitionTable>(),
                      .pool = nullptr,
                      .segments = {},
                      .end = {}};
  ARROW_ASSIGN_OR_RAISE(const std::optional<LogState> found, recovered.control->Read());
  const LogState state = found.value_or(LogState{});
  const bool any_segment = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return ParseSegmentFileName(name).has_value();
  });
  if (!found && any_segment) {
    return Error(ErrorCode::kCorruption, "wal: ", options.directory,
                 " holds segments, but its control file is missing");
  }
  ARROW_ASSIGN_OR_RAISE(Replayed replayed, Replay(fs, options.directory, names, state,
                                                  *recovered.definitions, visitor));
  ARROW_RETURN_NOT_OK(CheckAgainst(state, replayed));

  ARROW_RETURN_NOT_OK(RewriteLastGroup(replayed));
  ARROW_RETURN_NOT_OK(RemoveLeftovers(fs, options.directory, names, replayed));
  int64_t used_bytes = 0;
  for (const auto& segment : replayed.segments) used_bytes += segment->size_bytes();
  ARROW_ASSIGN_OR_RAISE(recovered.pool,
                        SegmentPool::Make(fs, clock,
                                          {.directory = options.directory,
                                           .segment_bytes = options.segment_bytes,
                                           .spare_segments = options.spare_segments,
                                           .recycled_segments = options.recycled_segments,
                                           .max_bytes = options.max_bytes,
                                           .used_bytes = used_bytes,
                                           .keep_free_bytes = options.keep_free_bytes,
                                           .copies_on_disk = options.copies_on_disk},
                                          names));
  ARROW_RETURN_NOT_OK(fs.SyncDir(options.directory));
  recovered.segments = std::move(replayed.segments);
  recovered.end = replayed.end;
  // A log that was made out of objects does not begin with the first LSN of all.
  if (recovered.end.segment == 0) recovered.end.last_lsn = state.tail.last_lsn;
  // Where all that was written is released already, only the header of an empty segment knows.
  recovered.last_lsn = std::max({replayed.last_lsn, recovered.end.last_lsn, state.tail.last_lsn,
                                 state.lost_through});
  ARROW_RETURN_NOT_OK(recovered.control->Update([&](LogState& next) {
    ++next.epoch;
    next.clean = false;
    if (recovered.end.segment != 0) next.tail = recovered.end;
  }));
  return recovered;
}

}  // namespace arka::wal
