// Why no write may be taken now, besides the memory of writes: the log has reached its bound on
// disk, or the process its bound of memory.
//
// A loop of its own looks ten times a second. Above the memory limit it closes the gate, makes the
// committer write buffers out and the allocator give pages back; the gate opens below nine tenths.
// Nothing is dropped and nothing is killed: writes wait, then are refused as retryable. Owned by
// the Engine; thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "arka/base/error.h"
#include "arka/ingest/memory_budget.h"
#include "arka/ingest/wake_signal.h"
#include "arka/io/clock.h"
#include "arka/io/process_memory.h"
#include "arka/wal/log.h"

namespace arka::ingest {

struct PressureLimits {
  int64_t log_bytes = 0;      // of the log on disk; 0: no bound
  int64_t segment_bytes = 0;  // by how much the log may grow at a time
  int64_t memory_bytes = 0;   // of the process; 0: no bound
};

class PressureGate {
 public:
  /// `memory` may be null where there is no bound of it. `on_open` is called, on the gate's thread,
  /// when writes that were refused may try again. All must outlive the gate.
  PressureGate(PressureLimits limits, ProcessMemory* memory, MemoryBudget& budget, Clock& clock,
               std::function<void()> on_open);
  ~PressureGate();

  /// The log whose bound it is; before Start or Check. It must outlive the gate's use.
  void Watch(const wal::Log& log) { log_ = &log; }
  /// Starts the loop, which needs a bound of either kind: without one nobody is told anything.
  void Start();
  void Stop();
  /// One look. Answers when to look again.
  SteadyTime Step();

  /// OK where a write may be taken, else kBackpressure with the reason.
  Status Check();
  /// The log itself refused a write, for a reason that may have gone at one of the next looks.
  void OnRefusedByLog();

  /// Of the process when it was last looked at; 0 where there is no bound of it.
  int64_t resident_bytes() const { return resident_bytes_; }
  const PressureLimits& limits() const { return limits_; }

 private:
  bool LogHasRoom() const;
  void LookAtMemory();

  const PressureLimits limits_;
  ProcessMemory* const memory_;
  MemoryBudget& budget_;
  Clock& clock_;
  const std::function<void()> on_open_;
  std::atomic<const wal::Log*> log_{nullptr};

  std::atomic<int64_t> resident_bytes_{0};
  std::atomic<bool> above_memory_limit_{false};
  std::atomic<bool> refused_{false};  // by this gate or by the log, since it last told
  bool seen_refused_ = false;         // at the last look; the loop's own
  WakeSignal wake_;
  std::jthread thread_;
};

}  // namespace arka::ingest
