#include "arka/ingest/pressure_gate.h"

#include <utility>

#include <pthread.h>
#include <spdlog/spdlog.h>

namespace arka::ingest {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};
constexpr std::chrono::hours kLong{1};

}  // namespace

PressureGate::PressureGate(PressureLimits limits, ProcessMemory* memory, MemoryBudget& budget,
                           Clock& clock, std::function<void()> on_open)
    : limits_(limits),
      memory_(memory),
      budget_(budget),
      clock_(clock),
      on_open_(std::move(on_open)) {}

PressureGate::~PressureGate() { Stop(); }

void PressureGate::Start() {
  if (limits_.log_bytes == 0 && limits_.memory_bytes == 0) return;
  thread_ = std::jthread([this](std::stop_token stop) {
    pthread_setname_np(pthread_self(), "arka-pressure");
    while (!stop.stop_requested()) wake_.WaitUntil(clock_, Step());
  });
}

void PressureGate::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake_.Notify();
  thread_.join();
}

SteadyTime PressureGate::Step() {
  LookAtMemory();
  // One look later at the earliest: whoever is told and refused again must not be told at once.
  const bool may_tell = std::exchange(seen_refused_, refused_.load());
  if (may_tell && !above_memory_limit_ && LogHasRoom() && refused_.exchange(false)) {
    seen_refused_ = false;
    on_open_();
  }
  const bool watches = limits_.memory_bytes > 0 || refused_;
  return clock_.Now() + (watches ? std::chrono::microseconds(kLookEvery) : kLong);
}

Status PressureGate::Check() {
  if (above_memory_limit_) {
    refused_ = true;
    return Error(ErrorCode::kBackpressure, "the server uses ", resident_bytes_.load(),
                 " bytes of memory, and may use ", limits_.memory_bytes,
                 " (server.memory_limit); it takes writes again once it has written some out");
  }
  if (LogHasRoom()) return Status::OK();
  OnRefusedByLog();
  return Error(ErrorCode::kBackpressure, "the log takes ", log_.load()->used_bytes(),
               " bytes of disk for writes that are not committed yet, and may take ",
               limits_.log_bytes,
               " (wal.max_bytes); it has room again once object store and catalog have taken some");
}

void PressureGate::OnRefusedByLog() {
  if (!refused_.exchange(true)) wake_.Notify();
}

bool PressureGate::LogHasRoom() const {
  const wal::Log* log = log_;
  if (limits_.log_bytes == 0 || log == nullptr) return true;
  return log->used_bytes() + log->pending_bytes() + limits_.segment_bytes <= limits_.log_bytes;
}

void PressureGate::LookAtMemory() {
  if (limits_.memory_bytes == 0 || memory_ == nullptr) return;
  const auto resident = memory_->ResidentBytes();
  if (!resident.ok()) return;  // what is not known closes nothing
  resident_bytes_ = *resident;
  const bool was_above = above_memory_limit_;
  const int64_t opens_below = limits_.memory_bytes / 10 * 9;
  const bool above = *resident > (was_above ? opens_below : limits_.memory_bytes);
  if (above) memory_->Purge();
  if (above == was_above) return;
  if (above) {
    spdlog::warn("memory: {} MB are used, more than server.memory_limit, {} MB: writes wait",
                 *resident >> 20, limits_.memory_bytes >> 20);
  } else {
    spdlog::info("memory: {} MB are used again: writes go on", *resident >> 20);
  }
  budget_.Press(above);
  above_memory_limit_ = above;
}

}  // namespace arka::ingest
