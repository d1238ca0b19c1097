#include "arka/sql_worker/process_limits.h"

#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arka/io/errno_status.h"

namespace arka::sql_worker {
namespace {

constexpr int kNiceness = 10;
constexpr int kFirstToBeKilled = 1000;  // of oom_score_adj

Status Limit(__rlimit_resource resource, const char* what, rlim_t most) {
  const rlimit limit{most, most};
  if (setrlimit(resource, &limit) != 0) return ErrnoStatus(errno, "limit", what);
  return Status::OK();
}

}  // namespace

Status LimitThisProcess(int keep, int64_t memory_bytes) {
  if (keep > 3) close_range(3, static_cast<unsigned>(keep - 1), 0);
  close_range(static_cast<unsigned>(keep + 1), ~0U, 0);
  ARROW_RETURN_NOT_OK(Limit(RLIMIT_CORE, "core files", 0));
  ARROW_RETURN_NOT_OK(Limit(RLIMIT_FSIZE, "the size of files", 0));
#ifndef __SANITIZE_ADDRESS__  // whose shadow alone is larger than any limit
  ARROW_RETURN_NOT_OK(Limit(RLIMIT_DATA, "memory", static_cast<rlim_t>(memory_bytes)));
#endif
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "give up", "privileges");
  }
  if (setpriority(PRIO_PROCESS, 0, kNiceness) != 0) return ErrnoStatus(errno, "lower", "priority");
  // Where the system has no such file, nothing is lost.
  std::ofstream("/proc/self/oom_score_adj") << kFirstToBeKilled;
  return Status::OK();
}

}  // namespace arka::sql_worker
