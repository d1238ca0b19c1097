#include "arka/cli/wal_command.h"

#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include "arka/io/posix_fs.h"
#include "arka/io/system_clock.h"
#include "arka/wal/log_repair.h"
#include "arka/wal/log_verifier.h"

namespace arka::cli {
namespace {

using nlohmann::ordered_json;
using wal::Hole;
using wal::LogReport;
using wal::SegmentReport;

std::string LogDirectory(const WalArguments& arguments) { return arguments.data_dir + "/log"; }

int Fail(const Status& status, int code) {
  std::cerr << "arka: " << status.message() << "\n";
  return code;
}

// The lock, or nothing where no server ever ran here: looking must not leave traces.
Result<std::unique_ptr<FileLock>> LockIfThere(Fs& fs, const WalArguments& arguments) {
  const std::string path = arguments.data_dir + "/lock";
  ARROW_ASSIGN_OR_RAISE(const bool exists, fs.Exists(path));
  if (!exists) return std::unique_ptr<FileLock>();
  auto lock = fs.Lock(path);
  if (lock.ok() || CodeOf(lock.status()) != ErrorCode::kUnavailable) return lock;
  return Error(ErrorCode::kUnavailable, lock.status().message(),
               ": stop that server first; its log cannot be judged while it is written");
}

std::string Lsns(Lsn first, Lsn last) {
  if (last < first) return "none";
  return std::to_string(first.value) + ".." + std::to_string(last.value);
}

std::string StateOf(const SegmentReport& segment) {
  if (!segment.present) return "MISSING";
  if (!segment.holes.empty()) return "DAMAGED";
  if (segment.torn_bytes > 0) return "torn tail, will be cut";
  return "ok";
}

void Print(const Hole& hole) {
  std::cout << "  " << wal::SegmentFileName(hole.segment) << ", offset " << hole.offset << ": "
            << hole.problem << "\n    lost: ";
  if (hole.last_lost < hole.first_lost) {
    std::cout << "what followed from LSN " << hole.first_lost.value
              << " on; nothing says how many writes that were\n";
  } else {
    std::cout << "LSN " << Lsns(hole.first_lost, hole.last_lost) << ", at most "
              << hole.last_lost.value - hole.first_lost.value + 1 << " write(s)\n";
  }
}

void Print(const LogReport& report) {
  for (const SegmentReport& segment : report.segments) {
    std::cout << wal::SegmentFileName(segment.number);
    if (segment.header) std::cout << "  epoch " << segment.header->epoch;
    std::cout << "  LSN " << Lsns(segment.first_lsn(), segment.last_lsn()) << "  "
              << segment.writes() << " write(s)  " << segment.end_offset() << " of "
              << segment.size_bytes << " bytes  " << StateOf(segment);
    if (segment.torn_bytes > 0 && segment.holes.empty()) {
      std::cout << ": " << segment.torn_bytes << " bytes from offset " << segment.end_offset();
    }
    std::cout << "\n";
  }
  std::cout << report.segments.size() << " segment(s), " << report.writes() << " write(s), "
            << report.size_bytes() << " bytes; epoch " << report.state.epoch
            << ", LSNs reserved through " << report.state.reserved_through.value << "\n";
  if (!report.control_good) std::cout << "control file: " << report.control_problem << "\n";
  for (const Hole& hole : report.holes()) Print(hole);
}

ordered_json ToJson(const Hole& hole) {
  ordered_json json = {
      {"segment", hole.segment}, {"offset", hole.offset}, {"problem", hole.problem}};
  if (hole.last_lost >= hole.first_lost) {
    json["first_lost_lsn"] = hole.first_lost.value;
    json["last_lost_lsn"] = hole.last_lost.value;
  }
  return json;
}

ordered_json ToJson(const LogReport& report) {
  ordered_json segments = ordered_json::array();
  for (const SegmentReport& segment : report.segments) {
    ordered_json json = {{"number", segment.number},
                         {"state", !segment.present         ? "missing"
                                   : !segment.holes.empty() ? "damaged"
                                   : segment.torn_bytes > 0 ? "torn_tail"
                                                            : "ok"},
                         {"bytes", segment.size_bytes},
                         {"end_offset", segment.end_offset()},
                         {"torn_bytes", segment.torn_bytes},
                         {"writes", segment.writes()}};
    if (segment.header) json["epoch"] = segment.header->epoch;
    if (segment.writes() > 0) {
      json["first_lsn"] = segment.first_lsn().value;
      json["last_lsn"] = segment.last_lsn().value;
    }
    json["damage"] = ordered_json::array();
    for (const Hole& hole : segment.holes) json["damage"].push_back(ToJson(hole));
    segments.push_back(std::move(json));
  }
  return {{"damaged", report.damaged()},
          {"writes", report.writes()},
          {"bytes", report.size_bytes()},
          {"epoch", report.state.epoch},
          {"reserved_through", report.state.reserved_through.value},
          {"control_problem", report.control_problem},
          {"segments", std::move(segments)}};
}

std::string AsideDirectory(const WalArguments& arguments, Clock& clock) {
  const std::time_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.WallNow().time_since_epoch()).count();
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc);
  return arguments.data_dir + "/damaged-" + text;
}

void Print(const wal::RepairPlan& plan, Fs& fs, const WalArguments& arguments) {
  if (plan.interrupted) {
    std::cout << "An earlier repair was interrupted; it only has to be finished.\n";
    return;
  }
  std::cout << "The start refuses this log. A repair keeps " << plan.kept_writes
            << " write(s), before and behind the damage, and gives up, at most, "
            << plan.lost_writes << ":\n";
  for (const Hole& hole : plan.holes) Print(hole);
  std::cout
      << "What of these is in a table already is not lost there, and what the object store has,\n"
         "the next start takes from it.\n"
      << "No LSN up to " << plan.reserved_through.value << " is given again. The old files go to "
      << arguments.data_dir << "/damaged-<time>. The new log takes up to " << plan.kept_bytes
      << " bytes";
  const auto free_bytes = fs.FreeBytes(arguments.data_dir);
  if (free_bytes.ok()) std::cout << "; " << *free_bytes << " are free";
  std::cout << ".\n";
}

}  // namespace

int WalVerify(const WalArguments& arguments) {
  PosixFs fs;
  const auto lock = LockIfThere(fs, arguments);
  if (!lock.ok()) return Fail(lock.status(), kExitUsage);
  const Status pending = wal::CheckNoRepairPending(fs, LogDirectory(arguments));
  if (!pending.ok()) return Fail(pending, kExitDamage);
  const auto report = wal::VerifyLog(fs, LogDirectory(arguments));
  if (!report.ok()) {
    const bool absent = CodeOf(report.status()) == ErrorCode::kNotFound;
    return Fail(report.status(), absent ? kExitUsage : kExitDamage);
  }
  if (arguments.json) {
    std::cout << ToJson(*report).dump(2, ' ', false, ordered_json::error_handler_t::replace)
              << "\n";
  } else {
    Print(*report);
    std::cout << (report->damaged() ? "damaged: a start refuses this log; `arka wal repair "
                                      "--dry-run` says what can be kept\n"
                                    : "ok: a start takes this log\n");
  }
  return report->damaged() ? kExitDamage : 0;
}

int WalRepair(const WalArguments& arguments) {
  PosixFs fs;
  SystemClock clock;
  const auto lock = LockIfThere(fs, arguments);
  if (!lock.ok()) return Fail(lock.status(), kExitUsage);
  const auto plan = wal::PlanRepair(fs, LogDirectory(arguments));
  if (!plan.ok()) {
    const bool absent = CodeOf(plan.status()) == ErrorCode::kNotFound;
    return Fail(plan.status(), absent ? kExitUsage : kExitDamage);
  }
  if (!plan->needed) {
    std::cout << "ok: nothing to repair, a start takes this log\n";
    return 0;
  }
  Print(*plan, fs, arguments);
  if (arguments.dry_run || !arguments.yes_lose_data) {
    std::cout << "Nothing was changed. To repair: arka wal repair --yes-lose-data --data-dir "
              << arguments.data_dir << "\n";
    return kExitDamage;
  }
  const std::string aside = AsideDirectory(arguments, clock);
  const Status repaired = wal::RepairLog(fs, clock, LogDirectory(arguments), aside);
  if (!repaired.ok()) return Fail(repaired, kExitDamage);
  std::cout << "Repaired. The old files are in " << aside << "; start the server.\n";
  return 0;
}

}  // namespace arka::cli
