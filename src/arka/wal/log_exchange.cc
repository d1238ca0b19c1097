#include "arka/wal/log_exchange.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "arka/wal/control_file.h"
#include "arka/wal/segment.h"

namespace arka::wal {

namespace {

constexpr const char* kComplete = "/complete";

bool IsLogFile(const std::string& name) {
  return name == kControlFileName || ParseSegmentFileName(name).has_value();
}

}  // namespace

LogExchange::LogExchange(Fs& fs, std::string directory, const std::string& suffix)
    : fs_(fs), directory_(std::move(directory)), fresh_(directory_ + suffix) {}

Status LogExchange::Prepare() {
  ARROW_RETURN_NOT_OK(fs_.CreateDirs(fresh_));
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> leftovers, fs_.List(fresh_));
  for (const std::string& name : leftovers) ARROW_RETURN_NOT_OK(fs_.Remove(fresh_ + "/" + name));
  return Status::OK();
}

Status LogExchange::MarkComplete() {
  ARROW_RETURN_NOT_OK(fs_.Open(fresh_ + kComplete, OpenMode::kCreateNew));
  return fs_.SyncDir(fresh_);
}

Result<bool> LogExchange::IsPending() { return fs_.Exists(fresh_ + kComplete); }

Status LogExchange::Run(const std::string& aside) {
  // The new control file moves last: where it is in its place, only the mark is left.
  ARROW_ASSIGN_OR_RAISE(const bool to_move, fs_.Exists(fresh_ + "/" + kControlFileName));
  if (to_move) {
    ARROW_RETURN_NOT_OK(MoveOldAside(aside));
    ARROW_RETURN_NOT_OK(MoveNewIn());
  }
  ARROW_RETURN_NOT_OK(fs_.SyncDir(directory_));
  ARROW_RETURN_NOT_OK(fs_.SyncDir(fresh_));
  ARROW_RETURN_NOT_OK(fs_.Remove(fresh_ + kComplete));
  return fs_.SyncDir(fresh_);
}

// Every file of the old log that is still there; never one of the new log.
Status LogExchange::MoveOldAside(const std::string& aside) {
  ControlFile control(fs_, fresh_);
  ARROW_ASSIGN_OR_RAISE(const std::optional<LogState> next, control.Read(OpenMode::kRead));
  const bool empty = !next || next->tail.segment == 0;
  ARROW_RETURN_NOT_OK(fs_.CreateDirs(directory_));
  ARROW_RETURN_NOT_OK(fs_.CreateDirs(aside));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> names, fs_.List(directory_));
  std::erase_if(names, [&](const std::string& name) {
    const std::optional<int64_t> number = ParseSegmentFileName(name);
    return !IsLogFile(name) || (number && !empty && *number >= next->first_segment);
  });
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == kControlFileName; });
  for (const std::string& name : names) {
    ARROW_RETURN_NOT_OK(fs_.Rename(directory_ + "/" + name, aside + "/" + name));
    // From the first on: without its control file the old log is no log that could start.
    if (name == kControlFileName) ARROW_RETURN_NOT_OK(fs_.SyncDir(directory_));
  }
  ARROW_RETURN_NOT_OK(fs_.SyncDir(aside));
  return fs_.SyncDir(directory_);
}

Status LogExchange::MoveNewIn() {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs_.List(fresh_));
  for (const std::string& name : names) {
    if (!ParseSegmentFileName(name)) continue;
    ARROW_RETURN_NOT_OK(fs_.Rename(fresh_ + "/" + name, directory_ + "/" + name));
  }
  ARROW_RETURN_NOT_OK(fs_.SyncDir(directory_));
  ARROW_RETURN_NOT_OK(
      fs_.Rename(fresh_ + "/" + kControlFileName, directory_ + "/" + kControlFileName));
  return fs_.SyncDir(directory_);
}

}  // namespace arka::wal
