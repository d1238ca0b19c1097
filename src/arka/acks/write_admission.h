// How a checked write of one stream gets into the engine, or waits for room there.
//
// Where there is no room the write waits its turn among all streams of the server; after the
// admission time-out it fails with RESOURCE_EXHAUSTED. At most one write of a stream waits. Owned
// by the StreamInput; on the loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "arka/acks/loop_context.h"
#include "arka/ingest/engine.h"
#include "arka/io/clock.h"

namespace arka::acks {

class WriteAdmission {
 public:
  /// `settled` is told how a write that had to wait ended; not called for any other.
  /// All must outlive the admission.
  WriteAdmission(LoopContext& context, const Clock& clock, std::chrono::milliseconds timeout,
                 std::function<void(Result<ingest::Admission>)> settled);
  ~WriteAdmission();

  /// From now on every write is that producer's under that epoch, and has a seq.
  void SetProducer(std::shared_ptr<ingest::Producer> producer, int64_t epoch) {
    producer_ = std::move(producer);
    epoch_ = epoch;
  }

  /// What became of the write; nothing where it waits for room now, for which `target` must stay.
  /// `seq` counts only where there is a producer.
  Result<std::optional<ingest::Admission>> Admit(const ingest::OpenedTable& target,
                                                 ingest::DecodedWrite write, int64_t seq);

  bool waiting() const { return refused_.has_value(); }

  /// Gives up what waits; nobody is told.
  void Cancel() { Leave(/*refused=*/true); }

 private:
  Result<ingest::Admission> TryWrite(ingest::DecodedWrite& write, int64_t seq);
  void Wait();
  void StartTimeout();
  // It is its turn, and there may be room.
  void OnTurn();
  void Leave(bool refused);

  LoopContext& context_;
  const Clock& clock_;
  const std::chrono::milliseconds timeout_;
  const std::function<void(Result<ingest::Admission>)> settled_;
  const std::shared_ptr<WriteAdmission*> self_;  // expires with the admission

  const ingest::OpenedTable* target_ = nullptr;
  std::shared_ptr<ingest::Producer> producer_;  // nullptr: writes are not deduplicated
  int64_t epoch_ = 0;                           // of the producer
  std::optional<ingest::DecodedWrite> refused_;
  int64_t refused_seq_ = 0;
  Status why_;                                     // it was refused the last time
  std::shared_ptr<ingest::AdmissionTurns> turns_;  // that it waits in
  SteadyTime refused_at_{};
};

}  // namespace arka::acks
