#include "arka/io/process_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include <unistd.h>

// jemalloc's control call, where the program links it.
extern "C" int mallctl(const char* name, void* old, size_t* old_size, void* value,
                       size_t value_size) __attribute__((weak));

namespace arka {
namespace {

// A limit file of a control group: a number, or "max" (and in version 1 a huge number) for none.
int64_t LimitIn(const std::string& path, int64_t otherwise) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return otherwise;
  int64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size() || limit <= 0) return otherwise;
  return std::min(limit, otherwise);
}

}  // namespace

Result<int64_t> OwnMemory::ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0, resident = 0;
  if (!(file >> total >> resident)) {
    return Error(ErrorCode::kIoFailed, "/proc/self/statm cannot be read");
  }
  return resident * sysconf(_SC_PAGESIZE);
}

void OwnMemory::Purge() {
  if (mallctl == nullptr) return;
  // 4096 is MALLCTL_ARENAS_ALL.
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
}

Result<int64_t> AvailableMemoryBytes() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  if (pages <= 0) return Error(ErrorCode::kIoFailed, "the machine's memory cannot be told");
  int64_t bytes = pages * sysconf(_SC_PAGESIZE);
  // Within a container the group's own directory is what is mounted at the root.
  bytes = LimitIn("/sys/fs/cgroup/memory.max", bytes);
  bytes = LimitIn("/sys/fs/cgroup/memory/memory.limit_in_bytes", bytes);
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const bool unified = line.starts_with("0::/");
    const size_t memory = line.find(":memory:/");
    if (!unified && memory == std::string::npos) continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::string name = unified ? "/memory.max" : "/memory.limit_in_bytes";
    std::string path = line.substr(unified ? 3 : memory + 8);
    for (; path.size() > 1; path.resize(path.rfind('/')))
      bytes = LimitIn(root + path + name, bytes);
  }
  return bytes;
}

}  // namespace arka
