#include "arka/base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace arka {

void YieldToOtherThreads() {
  constexpr int kNice = 5;
  // On Linux, niceness belongs to the thread (sched(7)).
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

}  // namespace arka
