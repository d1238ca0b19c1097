#include "arka/server/file_refresher.h"

#include <utility>

#include <spdlog/spdlog.h>

namespace arka {

FileRefresher::FileRefresher(Clock& clock, std::chrono::milliseconds interval,
                             std::vector<RefreshedFile> files)
    : clock_(clock), interval_(interval), files_(std::move(files)), thread_([this] { Run(); }) {}

FileRefresher::~FileRefresher() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void FileRefresher::RefreshSoon() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  wake_.notify_all();
}

void FileRefresher::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    clock_.WaitUntil(lock, wake_, clock_.Now() + interval_,
                     [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    wanted_ = false;
    lock.unlock();
    for (const RefreshedFile& file : files_) {
      const Status refreshed = file.refresh();
      if (!refreshed.ok()) {
        spdlog::error("{}: not taken, what was read before stays: {}", file.name,
                      refreshed.message());
      }
    }
    lock.lock();
  }
}

}  // namespace arka
