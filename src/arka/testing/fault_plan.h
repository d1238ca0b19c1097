// What goes wrong, and when: a list of faults that the faulty decorators (FaultyFs,
// FaultyObjectStore, and whoever else decorates a seam) ask before every operation, and the log of
// everything that was asked.
//
//   FaultPlan plan;
//   plan.Add({.matches = OfKind("sync"), .nth = 3, .effect = Effect::kFull});
//   FaultyFs fs(memory_fs, plan);      // the third Sync reaches the disk, yet answers an error
//
// A sweep fails operation 1, 2, 3 … until a run no longer reaches the fault (!plan.fired()).
// Thread-safe. The plan outlives its decorators.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka {

/// One call of a seam. `kind` is the method's name in snake case: "write", "sync_dir", "put".
struct Operation {
  std::string kind;
  std::string target;  // a path or key; for a rename "from -> to"
  int64_t offset = 0;
  int64_t size_bytes = 0;
  int64_t number = 0;  // 1, 2, 3 … over the plan; set by the plan
};

/// How much of an operation happens before it answers the error.
enum class Effect {
  kNone,
  kPartial,  // of a file's write the first half of the bytes; of anything else nothing
  kFull,     // everything: the outcome that the caller takes for a failure
};

using OperationMatcher = std::function<bool(const Operation&)>;

OperationMatcher AnyOperation();
OperationMatcher OfKind(std::string kind);
/// Operations whose target contains `text`.
OperationMatcher OnTarget(std::string text);
OperationMatcher Both(OperationMatcher first, OperationMatcher second);
/// Each operation with probability 1 / `one_in`, the same ones for the same seed.
OperationMatcher AtRandom(uint64_t seed, uint64_t one_in);

inline constexpr int64_t kForGood = std::numeric_limits<int64_t>::max();

struct Fault {
  OperationMatcher matches = AnyOperation();
  int64_t nth = 1;    // the first matching operation that fails, counted from 1
  int64_t times = 1;  // how many from there on; kForGood: all of them
  Effect effect = Effect::kNone;
  Status error = Error(ErrorCode::kIoFailed, "injected fault");
  std::function<void(const Operation&)> then = {};  // called when it has hit, after the effect
};

class FaultPlan {
 public:
  /// What a decorator is to do with one operation: nothing special where `error` is OK.
  struct Verdict {
    Status error;
    Effect effect = Effect::kFull;
    std::function<void(const Operation&)> then = {};
  };
  struct LogEntry {
    Operation operation;
    Status status;  // what the caller was answered
  };
  enum class Moment { kBefore, kAfter };
  /// Called before and after every operation, outside the plan's lock. May block (a slow disk),
  /// copy the state of the seam (a kill point) or call the plan.
  using Observer = std::function<void(Moment, const Operation&)>;

  void Add(Fault fault);
  /// Forgets all faults; the log stays.
  void Clear();
  void Observe(Observer observer);

  /// For decorators: numbers the operation, tells the observer, answers the verdict of the first
  /// fault that hits.
  Verdict Begin(Operation& operation);
  /// For decorators: the other end of Begin; answers `status`.
  Status End(const Operation& operation, Status status);

  /// Operations begun so far.
  int64_t operation_count() const;
  /// Whether any fault has hit.
  bool fired() const;
  /// Ended operations, in the order in which they ended.
  std::vector<LogEntry> Log() const;

 private:
  struct ArmedFault {
    Fault fault;
    int64_t matched = 0;
  };

  Observer observer() const;

  mutable std::mutex mutex_;
  std::vector<ArmedFault> faults_;
  std::vector<LogEntry> log_;
  Observer observer_;
  int64_t operation_count_ = 0;
  bool fired_ = false;
};

}  // namespace arka
