#include "arka/ingest/admission_turns.h"

#include <algorithm>
#include <utility>

namespace arka::ingest {

AdmissionTurns::Ticket AdmissionTurns::Join(std::function<void()> your_turn) {
  std::lock_guard lock(mutex_);
  queue_.push_back({++last_ticket_, std::move(your_turn)});
  ++waiting_;
  ++total_waited_;
  // Room that was made between the refusal and now would otherwise go unnoticed.
  if (queue_.size() == 1) TellFirst();
  return last_ticket_;
}

void AdmissionTurns::Leave(Ticket ticket, bool refused) {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(queue_.begin(), queue_.end(),
                                  [&](const Waiter& waiter) { return waiter.ticket == ticket; });
  if (found == queue_.end()) return;
  const bool was_first = found == queue_.begin();
  queue_.erase(found);
  --waiting_;
  if (refused) ++total_refused_;
  if (was_first) TellFirst();
}

void AdmissionTurns::OnRoom() {
  std::lock_guard lock(mutex_);
  TellFirst();
}

void AdmissionTurns::Close() {
  std::lock_guard lock(mutex_);
  queue_.clear();
  waiting_ = 0;
}

void AdmissionTurns::TellFirst() {
  if (!queue_.empty()) queue_.front().your_turn();
}

}  // namespace arka::ingest
