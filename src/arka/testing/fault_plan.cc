#include "arka/testing/fault_plan.h"

#include <memory>
#include <utility>

#include "arka/testing/seeded_random.h"

namespace arka {

OperationMatcher AnyOperation() {
  return [](const Operation&) { return true; };
}

OperationMatcher OfKind(std::string kind) {
  return [kind = std::move(kind)](const Operation& operation) { return operation.kind == kind; };
}

OperationMatcher OnTarget(std::string text) {
  return [text = std::move(text)](const Operation& operation) {
    return operation.target.find(text) != std::string::npos;
  };
}

OperationMatcher Both(OperationMatcher first, OperationMatcher second) {
  return [first = std::move(first), second = std::move(second)](const Operation& operation) {
    return first(operation) && second(operation);
  };
}

OperationMatcher AtRandom(uint64_t seed, uint64_t one_in) {
  return [random = std::make_shared<SeededRandom>(seed), one_in](const Operation&) {
    return random->Next() % one_in == 0;
  };
}

void FaultPlan::Add(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({std::move(fault)});
}

void FaultPlan::Clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void FaultPlan::Observe(Observer observer) {
  const std::lock_guard lock(mutex_);
  observer_ = std::move(observer);
}

FaultPlan::Observer FaultPlan::observer() const {
  const std::lock_guard lock(mutex_);
  return observer_;
}

FaultPlan::Verdict FaultPlan::Begin(Operation& operation) {
  Verdict verdict;
  {
    const std::lock_guard lock(mutex_);
    operation.number = ++operation_count_;
    for (ArmedFault& armed : faults_) {
      if (!armed.fault.matches(operation)) continue;
      const int64_t since_nth = ++armed.matched - armed.fault.nth;
      if (since_nth < 0 || since_nth >= armed.fault.times || !verdict.error.ok()) continue;
      verdict = {armed.fault.error, armed.fault.effect, armed.fault.then};
      fired_ = true;
    }
  }
  if (const Observer observe = observer()) observe(Moment::kBefore, operation);
  return verdict;
}

Status FaultPlan::End(const Operation& operation, Status status) {
  if (const Observer observe = observer()) observe(Moment::kAfter, operation);
  const std::lock_guard lock(mutex_);
  log_.push_back({operation, status});
  return status;
}

int64_t FaultPlan::operation_count() const {
  const std::lock_guard lock(mutex_);
  return operation_count_;
}

bool FaultPlan::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

std::vector<FaultPlan::LogEntry> FaultPlan::Log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace arka
