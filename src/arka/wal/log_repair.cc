#include "arka/wal/log_repair.h"

#include <algorithm>
#include <utility>

#include "arka/wal/log_exchange.h"
#include "arka/wal/log_rewriter.h"

namespace arka::wal {

namespace {

// Where the control file is lost nobody knows which LSNs were given: more than a server gives
// between two syncs of its segments, and next to nothing of the numbers there are.
constexpr int64_t kLsnsToSkip = int64_t{1} << 32;
constexpr int64_t kLeastSegmentBytes = 2 * kSegmentHeaderBytes;

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
  state.lost_through = std::max(state.lost_through, last);
  state.incomplete = true;
  return state;
}

Status WriteNewLog(Fs& fs, Clock& clock, const LogReport& report, const std::string& directory) {
  LogRewriter::Options options{.directory = directory, .segment_bytes = kLeastSegmentBytes};
  for (const SegmentReport& segment : report.segments) {
    if (segment.header) options.node = segment.header->node;
    options.segment_bytes = std::max(options.segment_bytes, segment.size_bytes / 64 * 64);
    options.first_number = segment.number + 1;
  }
  options.begins_after = report.begins_after();
  const LogState state = NextState(report);
  options.first_epoch = state.epoch + 1;
  ARROW_ASSIGN_OR_RAISE(const auto rewriter, LogRewriter::Make(fs, clock, options));
  ARROW_RETURN_NOT_OK(ReadWhole(fs, report, [&](WriteRecord record, const Definition& definition) {
    return rewriter->Add(std::move(record), definition);
  }));
  ARROW_RETURN_NOT_OK(rewriter->Finish(state));
  ARROW_ASSIGN_OR_RAISE(const LogReport written, VerifyLog(fs, directory));
  if (written.damaged() || written.writes() != report.writes()) {
    return Error(ErrorCode::kInternal, "wal: the repaired log in ", directory, " holds ",
                 written.writes(), " writes, ", report.writes(), " were to be kept");
  }
  return Status::OK();
}

// Half of one log and half of another are not judged.
Status CheckNoRefillPending(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool pending, LogExchange(fs, directory, kRefillSuffix).IsPending());
  if (!pending) return Status::OK();
  return Error(ErrorCode::kCorruption, "wal: the start after a repair of ", directory,
               " was interrupted; start the server, it goes on where it stopped");
}

}  // namespace

Status CheckNoRepairPending(Fs& fs, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const bool pending, LogExchange(fs, directory, kRepairSuffix).IsPending());
  if (!pending) return CheckNoRefillPending(fs, directory);
  return Error(ErrorCode::kCorruption, "wal: a repair of ", directory,
               " was interrupted; run it again, it goes on where it stopped");
}

Result<RepairPlan> PlanRepair(Fs& fs, const std::string& directory) {
  RepairPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.interrupted, LogExchange(fs, directory, kRepairSuffix).IsPending());
  if (plan.interrupted) {
    plan.needed = true;
    return plan;
  }
  ARROW_RETURN_NOT_OK(CheckNoRefillPending(fs, directory));
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
  LogExchange exchange(fs, directory, kRepairSuffix);
  ARROW_ASSIGN_OR_RAISE(const bool pending, exchange.IsPending());
  if (!pending) {
    ARROW_RETURN_NOT_OK(CheckNoRefillPending(fs, directory));
    ARROW_ASSIGN_OR_RAISE(const LogReport report, VerifyLog(fs, directory));
    if (!report.damaged()) return Status::OK();
    ARROW_RETURN_NOT_OK(exchange.Prepare());
    ARROW_RETURN_NOT_OK(WriteNewLog(fs, clock, report, exchange.fresh()));
    ARROW_RETURN_NOT_OK(exchange.MarkComplete());
  }
  return exchange.Run(aside);
}

}  // namespace arka::wal
