// One writing stream: a DoExchange on a `streaming_write` path, or a DoPut on a table's.
//
// 1. Headers, and of a DoExchange the ack schema, go out at once (Go and Rust clients wait for it
//    before they send).
// 2. The first message names the table and brings the schema; the table is opened.
// 3. Every record batch is checked, gets its LSN (StreamInput), and is acknowledged tier by tier as
//    watermarks move (WriteOutput: acks, or PutResults). They are gathered per loop iteration, and
//    stop at a full send queue, never the writes.
// 4. Where memory is used up, the stream stops reading; after the admission time-out it ends with
//    RESOURCE_EXHAUSTED (WriteAdmission).
// 5. After half-close, or after a bad message, the acks that are due still go out; then the stream
//    ends with OK or with the error, which names the position of the bad message.
// Lives on its call's loop; owned by the transport.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "arka/acks/loop_context.h"
#include "arka/acks/session_registry.h"
#include "arka/flight/stream_input.h"
#include "arka/flight/write_output.h"
#include "arka/flight/write_rpc.h"
#include "arka/flight/write_stream_options.h"
#include "arka/protocol/write_headers.h"
#include "arka/transport/call.h"

namespace arka::flight {

class WriteStream : public transport::CallHandler,
                    public acks::Sleeper,
                    private StreamInput::Listener {
 public:
  /// All must outlive the stream. Sends headers (with `headers.session`) and the ack schema where
  /// there is one. Of a DoPut `headers` are those of ParsePutHeaders.
  WriteStream(transport::ServerCall& call, acks::LoopContext& context, const Clock& clock,
              acks::SessionRegistry& sessions, WriteRpc rpc, protocol::WriteHeaders headers,
              const WriteStreamOptions& options);
  ~WriteStream() override;

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override { input_.HalfClose(); }
  void OnWritable() override { ScheduleFlush(); }
  void Wake(const ingest::Progress& progress) override;

  /// No more writes; acks go on to COMMITTED, then the stream ends with UNAVAILABLE.
  void Shutdown() override;
  void EndIfIdle() override;

 private:
  bool HasRoomForAcks() const override { return output_->HasRoom(); }
  void OnAdmitted(const ingest::Admission& admission) override;
  void OnInputError(Status error) override;
  void OnInputDone() override { ScheduleFlush(); }

  void ScheduleFlush();
  void Flush();
  void TellSession();
  void SendWatermarksEvery100ms();
  void Finish(const Status& status);

  transport::ServerCall& call_;
  acks::LoopContext& context_;
  const Clock& clock_;
  const protocol::WriteHeaders headers_;
  const WriteStreamOptions& options_;
  const acks::AckScheduler::SleeperId id_;
  const std::shared_ptr<WriteStream*> self_;  // expires with the stream

  const std::unique_ptr<acks::SessionRegistry::Membership> session_;
  std::vector<acks::LsnRun> unregistered_;  // given since the session was last told
  StreamInput input_;
  const std::unique_ptr<WriteOutput> output_;
  bool flush_scheduled_ = false;
  bool finished_ = false;
  std::optional<Status> error_;  // how the stream will end, once acks are out
  Tier finish_after_;            // ... up to this tier
  SteadyTime last_activity_;
};

}  // namespace arka::flight
