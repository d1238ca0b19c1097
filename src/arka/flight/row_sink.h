// Writes the rows of one call to a table and tells when they are on disk: for the calls of Flight
// SQL that write. Every batch is a write like any other, with the same checks, LSNs and limits.
//
// On the call's loop; owned by the call. Where a batch is refused, those before it stay written,
// and the error says so.
#pragma once

#include <functional>
#include <memory>

#include "arka/acks/ack_scheduler.h"
#include "arka/flight/stream_input.h"

namespace arka::flight {

class RowSink : public acks::Sleeper, private StreamInput::Listener {
 public:
  /// `done` is told once how many rows were written, all on LOCAL_DISK, or why not; it may destroy
  /// the sink. What is referred to must outlive it.
  RowSink(transport::ServerCall& call, acks::LoopContext& context, const Clock& clock,
          const WriteStreamOptions& options, protocol::TableName table,
          std::function<void(Result<int64_t>)> done);
  ~RowSink() override;

  /// A FlightData message: the schema first, then batches.
  void Add(std::shared_ptr<arrow::Buffer> message) { input_.Add(std::move(message)); }
  /// That was all.
  void Finish() { input_.HalfClose(); }

  void Wake(const ingest::Progress& progress) override { Look(progress); }
  void Shutdown() override;

 private:
  bool HasRoomForAcks() const override { return true; }
  void OnAdmitted(const ingest::Admission& admission) override { last_ = admission.lsn; }
  void OnInputError(Status error) override;
  void OnInputDone() override { Look(context_.engine.progress()); }
  void Look(const ingest::Progress& progress);
  void End(Result<int64_t> rows);

  acks::LoopContext& context_;
  const std::function<void(Result<int64_t>)> done_;
  const acks::AckScheduler::SleeperId id_;
  StreamInput input_;
  Lsn last_ = kNoLsn;
  bool has_ended_ = false;
};

}  // namespace arka::flight
