#include "arka/ingest/memory_budget.h"

namespace arka::ingest {

bool MemoryBudget::TryTake(int64_t bytes) {
  const auto fits = [&] {
    int64_t taken = taken_.load();
    const int64_t limit = keeps_all_ ? rows_bytes() : limit_bytes_;
    const int64_t least = keeps_all_ || bytes <= limit_bytes_ - rows_bytes() ? 0 : rows_bytes();
    while (taken <= least || taken + bytes <= limit) {
      if (taken_.compare_exchange_weak(taken, taken + bytes)) return true;
    }
    return false;
  };
  if (fits()) return true;
  refused_.store(true);
  return fits();  // room made between the look and the note would otherwise go unnoticed
}

bool MemoryBudget::GiveBack(int64_t bytes) {
  taken_.fetch_sub(bytes);
  return TellOfRoom();
}

void MemoryBudget::KeepAll(bool keep_all) {
  keeps_all_ = keep_all;
  if (!keep_all) TellOfRoom();
}

bool MemoryBudget::TellOfRoom() {
  if (!refused_.load(std::memory_order_relaxed) || !refused_.exchange(false)) return false;
  on_room_();
  return true;
}

}  // namespace arka::ingest
