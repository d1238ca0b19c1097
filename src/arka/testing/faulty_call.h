// How every decorator carries out one operation under a FaultPlan.
#pragma once

#include <utility>

#include "arka/testing/fault_plan.h"

namespace arka {

namespace internal {
inline Status StatusOf(const Status& status) { return status; }
template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.status();
}
}  // namespace internal

/// Runs `full` (which answers a Status or a Result), or what the plan's verdict says instead:
/// `partial` for Effect::kPartial, nothing for kNone; then answers the fault's error.
template <typename Full, typename Partial>
auto CallUnderPlan(FaultPlan& plan, Operation operation, Full full, Partial partial)
    -> decltype(full()) {
  const FaultPlan::Verdict verdict = plan.Begin(operation);
  if (verdict.error.ok()) {
    auto outcome = full();
    (void)plan.End(operation, internal::StatusOf(outcome));
    return outcome;
  }
  if (verdict.effect == Effect::kFull) (void)full();
  if (verdict.effect == Effect::kPartial) (void)partial();
  if (verdict.then) verdict.then(operation);
  return plan.End(operation, verdict.error);
}

template <typename Full>
auto CallUnderPlan(FaultPlan& plan, Operation operation, Full full) -> decltype(full()) {
  return CallUnderPlan(plan, std::move(operation), std::move(full), [] { return 0; });
}

}  // namespace arka
