#include "arka/wal/lsn_reservation.h"

#include <algorithm>

namespace arka::wal {

LsnReservation::LsnReservation(ControlFile& control, int64_t block)
    : control_(control),
      block_(std::max<int64_t>(block, 1)),
      next_(control.state().reserved_through.value + 1),
      limit_(control.state().reserved_through.value) {}

Result<Lsn> LsnReservation::Take() {
  const int64_t lsn = next_.load(std::memory_order_relaxed);
  if (lsn > limit_.load(std::memory_order_acquire)) ARROW_RETURN_NOT_OK(Extend(0));
  next_.store(lsn + 1, std::memory_order_relaxed);
  return Lsn{lsn};
}

Status LsnReservation::ExtendIfLow() { return Extend(block_ / 2); }

Status LsnReservation::Extend(int64_t free_at_most) {
  const std::lock_guard lock(extending_);
  const int64_t limit = limit_.load();
  const int64_t next = next_.load();
  if (limit - next + 1 > free_at_most) return Status::OK();
  const Lsn reserved{std::max(limit, next - 1) + block_};
  ARROW_RETURN_NOT_OK(control_.Update([&](LogState& state) { state.reserved_through = reserved; }));
  limit_.store(reserved.value, std::memory_order_release);
  return Status::OK();
}

}  // namespace arka::wal
