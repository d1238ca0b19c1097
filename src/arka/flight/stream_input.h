// The input side of a writing stream: messages come in, writes with an LSN come out, in order.
//
// The first message names the table and brings the schema; the table is opened, off the loop where
// the catalog has to be asked. Every batch after it is checked (large ones off the loop) and
// admitted. What arrives meanwhile waits, and the peer is paused where too much does. Owned by the
// WriteStream; on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "arka/acks/loop_context.h"
#include "arka/acks/write_admission.h"
#include "arka/flight/write_rpc.h"
#include "arka/flight/write_stream_options.h"
#include "arka/ingest/engine.h"
#include "arka/protocol/flight_data.h"
#include "arka/transport/call.h"

namespace arka::flight {

class StreamInput {
 public:
  /// Who is told what becomes of the input.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Whether the acks of one more batch can be kept.
    virtual bool HasRoomForAcks() const = 0;
    /// The stream's next batch is in MEMORY, or was written before.
    virtual void OnAdmitted(const ingest::Admission& admission) = 0;
    /// The input ends here, with an error that names the batch.
    virtual void OnInputError(Status error) = 0;
    /// The peer has half-closed, and all that it sent has been admitted.
    virtual void OnInputDone() = 0;
  };

  /// All must outlive the input. `rpc` decides which paths may be written to. With a `producer`
  /// (not empty; `epoch` as in its header) every batch must have a seq, without one none may.
  StreamInput(transport::ServerCall& call, acks::LoopContext& context, const Clock& clock,
              const WriteStreamOptions& options, WriteRpc rpc, std::string producer, int64_t epoch,
              Listener& listener);

  /// The table is that one, whatever descriptors come; before the first message.
  void WriteTo(protocol::TableName table);

  void Add(std::shared_ptr<arrow::Buffer> message);
  void HalfClose();
  /// There may be room for acks again: goes on where the input waited for it.
  void OnAcksSent();
  /// Drops what waits; whatever still comes is ignored.
  void Stop();

  /// Whether the peer has half-closed and all has been admitted.
  bool done() const { return half_closed_ && messages_.empty() && !busy_; }
  /// The stream's table; nullptr before it is open.
  const ingest::OpenedTable* target() const { return target_.get(); }
  /// Rows of the batches that have been admitted.
  int64_t rows() const { return rows_; }

 private:
  // Each takes the next step; where that ends later, busy_ is set.
  void Pump();
  Status Take(const std::shared_ptr<arrow::Buffer>& message);
  Status Open(const protocol::FlightData& data);
  Result<protocol::TableName> TableAt(const arrow::Buffer& descriptor) const;
  Status OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened);
  Status DecodeAside(const protocol::FlightData& data);
  Status Admit(ingest::DecodedWrite write, const std::shared_ptr<arrow::Buffer>& app_metadata);
  Result<int64_t> SeqOf(const std::shared_ptr<arrow::Buffer>& app_metadata) const;
  void OnSettled(Result<ingest::Admission> admission);
  void WaitForAcks();
  void Fail(Status error);
  void PaceReading();

  // Runs a task on the loop if the stream is still there; for any thread.
  std::function<void(std::function<void(StreamInput&)>)> SelfPoster();

  transport::ServerCall& call_;
  acks::LoopContext& context_;
  const Clock& clock_;
  const WriteStreamOptions& options_;
  const WriteRpc rpc_;
  const std::string producer_name_;
  const int64_t producer_epoch_;
  Listener& listener_;
  const std::shared_ptr<StreamInput*> self_;  // expires with the input
  acks::WriteAdmission admission_;

  std::deque<std::shared_ptr<arrow::Buffer>> messages_;
  int64_t bytes_ = 0;                     // of messages_
  bool busy_ = false;                     // opening, checking aside or waiting for room
  std::optional<SteadyTime> full_since_;  // no acks of one more batch can be kept
  bool paused_ = false;
  bool half_closed_ = false;
  bool stopped_ = false;
  int64_t admitted_ = 0;
  int64_t rows_ = 0;
  int64_t waiting_rows_ = 0;  // of the batch that waits for room
  bool fixed_table_ = false;
  std::optional<protocol::TableName> table_name_;
  std::shared_ptr<arrow::Buffer> schema_header_;
  std::shared_ptr<const ingest::OpenedTable> target_;
  std::shared_ptr<ingest::StreamDecoder> decoder_;
};

}  // namespace arka::flight
