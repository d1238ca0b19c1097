// One writing stream: a DoExchange on a `streaming_write` path.
//
// 1. The ack schema goes out at once (Go and Rust clients wait for it before they send).
// 2. The first message names the table and brings the schema; the table is opened, off the loop
//    where the catalog has to be asked. What arrives meanwhile waits.
// 3. Every record batch is checked, gets its LSN, and is acknowledged tier by tier as watermarks
//    move. Acks are gathered per loop iteration, and stop at a full send queue, never the writes.
// 4. Where memory is used up, the stream stops reading; after the admission time-out it ends with
//    RESOURCE_EXHAUSTED.
// 5. After half-close, or after a bad message, the acks that are due still go out; then the stream
//    ends with OK or with the error, which names the position of the bad message.
// Lives on its call's loop; owned by the transport.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "arka/flight/ack_cursor.h"
#include "arka/flight/loop_context.h"
#include "arka/ingest/engine.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/write_headers.h"
#include "arka/transport/call.h"

namespace arka::flight {

struct WriteStreamOptions {
  protocol::TableName default_table{"arka", "my_table"};
  std::string default_namespace = "arka";
  ingest::DecodeLimits limits;
  std::chrono::milliseconds admission_timeout{30'000};
  std::chrono::milliseconds idle_timeout{3'600'000};  // 0: never
  int64_t decode_aside_bytes = 256 << 10;  // messages of this size are checked off the loop
};

class WriteStream : public transport::CallHandler, public Sleeper {
 public:
  /// All must outlive the stream. Sends headers (with `headers.session`) and the ack schema.
  WriteStream(transport::ServerCall& call, LoopContext& context, const Clock& clock,
              protocol::WriteHeaders headers, const WriteStreamOptions& options);
  ~WriteStream() override;

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;
  void OnWritable() override;
  void Wake(const ingest::Progress& progress) override;

  /// Tries again the write that memory was refused to.
  bool OnRoom() override;
  /// No more writes; acks go on to COMMITTED, then the stream ends with UNAVAILABLE.
  void Shutdown() override;
  void EndIfIdle() override;

 private:
  // Input: each takes the next step and answers whether the queue can go on at once.
  void Pump();
  Status Take(const std::shared_ptr<arrow::Buffer>& message);
  Status Open(const protocol::FlightData& data);
  void OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened);
  Status DecodeAside(const protocol::FlightData& data);
  Status Admit(ingest::DecodedWrite write);
  void Admitted(Lsn lsn);
  void WaitForRoom(Status why);
  void PaceReading();

  // Output.
  void ScheduleFlush();
  void Flush();
  void AwaitTiers();
  void SendWatermarksEvery100ms();
  void MaybeFinish(const ingest::Progress& progress);
  void Fail(Status error);
  void Finish(const Status& status);

  // Something that runs a task on the loop if the stream is still there; for any thread.
  std::function<void(std::function<void(WriteStream&)>)> SelfPoster();

  transport::ServerCall& call_;
  LoopContext& context_;
  const Clock& clock_;
  const protocol::WriteHeaders headers_;
  const WriteStreamOptions& options_;
  const AckScheduler::SleeperId id_;
  const std::shared_ptr<WriteStream*> self_;  // expires with the stream

  std::deque<std::shared_ptr<arrow::Buffer>> input_;
  int64_t input_bytes_ = 0;
  bool busy_ = false;  // opening, checking aside or waiting for room
  bool paused_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
  int64_t messages_ = 0;  // taken out of input_, the schema apart
  std::optional<protocol::TableName> table_name_;
  std::shared_ptr<arrow::Buffer> schema_header_;
  std::shared_ptr<const ingest::OpenedTable> target_;
  std::shared_ptr<ingest::StreamDecoder> decoder_;
  std::optional<ingest::DecodedWrite> refused_;  // waits for room
  SteadyTime refused_at_{};

  AckCursor acks_;
  bool flush_scheduled_ = false;
  std::optional<Status> error_;  // how the stream will end, once acks are out
  Tier finish_after_;            // ... up to this tier
  std::optional<protocol::Watermarks> sent_watermarks_;
  SteadyTime last_activity_;
};

}  // namespace arka::flight
