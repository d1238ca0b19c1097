#include "arka/ingest/memory_budget.h"

namespace arka::ingest {

bool MemoryBudget::TryTake(int64_t bytes) {
  const auto fits = [&] {
    int64_t taken = taken_.load();
    while (taken == 0 || taken + bytes <= limit_bytes_) {
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
  if (!refused_.load(std::memory_order_relaxed) || !refused_.exchange(false)) return false;
  on_room_();
  return true;
}

}  // namespace arka::ingest
