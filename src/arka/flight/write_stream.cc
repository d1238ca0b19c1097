#include "arka/flight/write_stream.h"

#include <algorithm>
#include <utility>

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "arka/base/check.h"
#include "arka/flight/path_descriptor.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/ack_batch.h"

namespace arka::flight {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kMaxAckRows = 4096;          // of one ack batch
constexpr size_t kMaxQueuedBytes = 256 << 10;  // of acks; the rest stays in the cursor
constexpr int64_t kMaxInputBytes = 8 << 20;    // that waits before the stream stops reading
constexpr milliseconds kWatermarkInterval{100};

std::vector<std::shared_ptr<arrow::Buffer>> SchemaMessage() {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(*protocol::AckSchema());
  ARKA_CHECK(arrow::ipc::GetSchemaPayload(*protocol::AckSchema(),
                                          arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload)
                 .ok());
  return protocol::EncodeFlightData(payload);
}

std::vector<std::shared_ptr<arrow::Buffer>> BatchMessage(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  ARKA_CHECK(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload)
          .ok());
  return protocol::EncodeFlightData(payload);
}

Tier HighestAwaited(const protocol::WriteHeaders& headers) {
  Tier highest = headers.ack_until;
  for (Tier tier : kAllTiers) {
    if (headers.acks[IndexOf(tier)]) highest = std::max(highest, tier);
  }
  return highest;
}

}  // namespace

WriteStream::WriteStream(transport::ServerCall& call, LoopContext& context, const Clock& clock,
                         protocol::WriteHeaders headers, const WriteStreamOptions& options)
    : call_(call),
      context_(context),
      clock_(clock),
      headers_(std::move(headers)),
      options_(options),
      id_(context.scheduler.Add(*this)),
      self_(std::make_shared<WriteStream*>(this)),
      acks_(headers_.acks),
      finish_after_(headers_.ack_until),
      last_activity_(clock.Now()) {
  call_.SendHeaders({{std::string(protocol::kSessionHeader), headers_.session}});
  static const auto schema_message = SchemaMessage();
  call_.Write(schema_message);
  if (headers_.watermarks) SendWatermarksEvery100ms();
}

WriteStream::~WriteStream() {
  context_.scheduler.Remove(id_);
  std::erase(context_.waiting_for_room, id_);
}

void WriteStream::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (error_ || finished_) return;
  last_activity_ = clock_.Now();
  input_bytes_ += message->size();
  input_.push_back(std::move(message));
  Pump();
}

void WriteStream::OnHalfClose() {
  half_closed_ = true;
  Pump();
}

void WriteStream::OnWritable() { ScheduleFlush(); }

void WriteStream::Wake(const ingest::Progress& progress) {
  if (finished_) return;
  Flush();
  if (progress.failed && !finished_) Finish(context_.engine.failure());
}

void WriteStream::Pump() {
  while (!busy_ && !input_.empty() && !error_) {
    const auto message = std::move(input_.front());
    input_.pop_front();
    input_bytes_ -= message->size();
    const Status taken = Take(message);
    if (!taken.ok()) return Fail(taken);
  }
  PaceReading();
  if (half_closed_ && input_.empty() && !busy_) ScheduleFlush();
}

Status WriteStream::Take(const std::shared_ptr<arrow::Buffer>& message) {
  ARROW_ASSIGN_OR_RAISE(const protocol::FlightData data, protocol::ParseFlightData(message));
  if (schema_header_ == nullptr) return Open(data);
  if (data.data_header == nullptr) return Status::OK();  // metadata alone is not a write
  if (data.data_body != nullptr && data.data_body->size() >= options_.decode_aside_bytes) {
    return DecodeAside(data);
  }
  ARROW_ASSIGN_OR_RAISE(auto write, decoder_->Decode(data.data_header, data.data_body));
  return write ? Admit(std::move(*write)) : Status::OK();
}

// The descriptor may come with the schema, or before it in a message of its own (Arrow C++ does
// so).
Status WriteStream::Open(const protocol::FlightData& data) {
  if (data.descriptor != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto path, ParsePathDescriptor(*data.descriptor));
    ARROW_ASSIGN_OR_RAISE(const auto target, protocol::ParsePath(path, options_.default_table,
                                                                 options_.default_namespace));
    const auto* write_target = std::get_if<protocol::WriteTarget>(&target);
    if (write_target == nullptr) {
      return Error(ErrorCode::kInvalidRequest, "DoExchange writes to the path 'streaming_write'",
                   " (with a table after it); '", path[0], "' is not that");
    }
    table_name_ = write_target->table;
  }
  if (!table_name_) {
    return Error(ErrorCode::kInvalidRequest,
                 "the stream's first message has no FlightDescriptor; open DoExchange with the "
                 "path 'streaming_write' and, if you like, a table");
  }
  if (data.data_header == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto schema, ingest::DecodeSchema(data.data_header));
  // The message's buffer is let go of; the decoder is made of a copy.
  ARROW_ASSIGN_OR_RAISE(schema_header_, data.data_header->CopySlice(0, data.data_header->size()));
  const iceberg::TableIdentifier identifier{table_name_->namespace_name, table_name_->name};
  if (auto opened = context_.engine.FindTable(identifier, *schema)) {
    target_ = std::move(opened);
    ARROW_ASSIGN_OR_RAISE(
        decoder_, ingest::StreamDecoder::Make(schema_header_, target_->schema, options_.limits));
    return Status::OK();
  }
  busy_ = true;
  context_.engine.OpenTable(
      identifier, std::move(schema),
      [post = SelfPoster()](Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
        post([opened = std::move(opened)](WriteStream& stream) { stream.OnOpened(opened); });
      });
  return Status::OK();
}

void WriteStream::OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
  busy_ = false;
  if (!opened.ok()) return Fail(opened.status());
  target_ = std::move(*opened);
  auto decoder = ingest::StreamDecoder::Make(schema_header_, target_->schema, options_.limits);
  if (!decoder.ok()) return Fail(decoder.status());
  decoder_ = std::move(*decoder);
  Pump();
}

Status WriteStream::DecodeAside(const protocol::FlightData& data) {
  busy_ = true;
  context_.engine.RunAside([decoder = decoder_, data, post = SelfPoster()] {
    auto decoded = decoder->Decode(data.data_header, data.data_body);
    post([decoded = std::move(decoded)](WriteStream& stream) mutable {
      stream.busy_ = false;
      Status status = decoded.status();
      if (status.ok() && decoded->has_value() && !stream.error_) {
        status = stream.Admit(std::move(**decoded));
      }
      if (!status.ok()) return stream.Fail(status);
      stream.Pump();
    });
  });
  return Status::OK();
}

Status WriteStream::Admit(ingest::DecodedWrite write) {
  const auto lsn = context_.engine.Write(*target_, write);
  if (!lsn.ok()) {
    if (CodeOf(lsn.status()) != ErrorCode::kBackpressure) return lsn.status();
    refused_ = std::move(write);
    WaitForRoom(lsn.status());
    return Status::OK();
  }
  Admitted(*lsn);
  return Status::OK();
}

void WriteStream::Admitted(Lsn lsn) {
  ++messages_;
  acks_.Add(lsn);
  ScheduleFlush();
}

void WriteStream::WaitForRoom(Status why) {
  busy_ = true;
  refused_at_ = clock_.Now();
  context_.waiting_for_room.push_back(id_);
  context_.loop.PostAfter(options_.admission_timeout, [weak = std::weak_ptr(self_),
                                                       since = refused_at_, why = std::move(why)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    WriteStream& stream = **alive;
    if (!stream.refused_ || stream.refused_at_ != since) return;
    stream.Fail(WithContext(why, "no room within write_buffer.admission_timeout"));
  });
}

bool WriteStream::OnRoom() {
  if (!refused_) return true;
  const auto lsn = context_.engine.Write(*target_, *refused_);
  if (!lsn.ok() && CodeOf(lsn.status()) == ErrorCode::kBackpressure) return false;
  refused_.reset();
  if (lsn.ok()) Admitted(*lsn);
  // What follows may be refused as well and queue up again, so it is not done in this turn.
  context_.loop.Post([weak = std::weak_ptr(self_), status = lsn.status()] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    WriteStream& stream = **alive;
    stream.busy_ = false;
    if (!status.ok()) return stream.Fail(status);
    stream.Pump();
  });
  return true;
}

void WriteStream::PaceReading() {
  const bool pause = busy_ && (refused_ || input_bytes_ > kMaxInputBytes) && !error_;
  if (pause == paused_) return;
  paused_ = pause;
  pause ? call_.PauseReading() : call_.ResumeReading();
}

void WriteStream::ScheduleFlush() {
  if (flush_scheduled_ || finished_) return;
  flush_scheduled_ = true;
  context_.loop.Defer([weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    (*alive)->flush_scheduled_ = false;
    (*alive)->Flush();
  });
}

void WriteStream::Flush() {
  if (finished_) return;
  const ingest::Progress progress = context_.engine.progress();
  const auto commits = [this](Lsn lsn) -> std::optional<CommittedRange> {
    const auto event = target_->table->CommitOf(lsn);
    if (!event) return std::nullopt;
    return CommittedRange{event->through, event->snapshot_id, event->timestamp_us};
  };
  const auto& reached = progress.watermarks;
  while (call_.queued_bytes() < kMaxQueuedBytes) {
    const auto runs = acks_.Take({reached.last_lsn, reached.disk_lsn, reached.s3_lsn},
                                 progress.moved_at_us, commits, kMaxAckRows);
    if (runs.empty()) break;
    last_activity_ = clock_.Now();
    call_.Write(BatchMessage(*protocol::MakeAckBatch(runs, std::nullopt, 0)));
  }
  MaybeFinish(progress);
  if (!finished_) AwaitTiers();
}

void WriteStream::AwaitTiers() {
  const Tier highest = std::max(HighestAwaited(headers_), finish_after_);
  for (Tier tier : {Tier::kLocalDisk, Tier::kObjectStorage, Tier::kCommitted}) {
    if (tier > highest) break;
    const Lsn lsn = acks_.FirstPending(tier);
    if (lsn != kNoLsn) context_.scheduler.Await(id_, tier, lsn, target_->table);
  }
}

void WriteStream::SendWatermarksEvery100ms() {
  context_.loop.PostAfter(kWatermarkInterval, [weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr || (*alive)->finished_) return;
    WriteStream& stream = **alive;
    const ingest::Progress progress = stream.context_.engine.progress();
    if (stream.sent_watermarks_ != progress.watermarks &&
        stream.call_.queued_bytes() < kMaxQueuedBytes) {
      stream.sent_watermarks_ = progress.watermarks;
      const int64_t at =
          *std::max_element(progress.moved_at_us.begin(), progress.moved_at_us.end());
      stream.call_.Write(BatchMessage(*protocol::MakeAckBatch({}, progress.watermarks, at)));
    }
    stream.SendWatermarksEvery100ms();
  });
}

void WriteStream::MaybeFinish(const ingest::Progress& progress) {
  const bool input_done = error_ || (half_closed_ && input_.empty() && !busy_);
  if (!input_done || !acks_.AllTakenThrough(finish_after_)) return;
  if (headers_.watermarks && sent_watermarks_ != progress.watermarks) {
    const int64_t at = *std::max_element(progress.moved_at_us.begin(), progress.moved_at_us.end());
    call_.Write(BatchMessage(*protocol::MakeAckBatch({}, progress.watermarks, at)));
  }
  Finish(error_.value_or(Status::OK()));
}

// The acks of every write before the bad message still go out, as far as they come soon.
void WriteStream::Fail(Status error) {
  if (error_ || finished_) return;
  const bool position = schema_header_ != nullptr && target_ != nullptr;
  error_ = position ? WithContext(error, "batch " + std::to_string(messages_) + " of the stream")
                    : std::move(error);
  finish_after_ = std::min(finish_after_, Tier::kObjectStorage);
  input_.clear();
  input_bytes_ = 0;
  refused_.reset();
  PaceReading();
  ScheduleFlush();
}

void WriteStream::Shutdown() {
  if (error_ || finished_) return;
  if (half_closed_ && input_.empty() && !busy_) return ScheduleFlush();
  error_ = Error(ErrorCode::kShuttingDown,
                 "the server is shutting down; what was acknowledged is safe, send the rest again "
                 "once it is back");
  finish_after_ = Tier::kCommitted;
  input_.clear();
  refused_.reset();
  ScheduleFlush();
}

void WriteStream::Finish(const Status& status) {
  finished_ = true;
  call_.Finish(ToCallStatus(status));
}

void WriteStream::EndIfIdle() {
  if (finished_ || clock_.Now() - last_activity_ < options_.idle_timeout) return;
  Finish(Error(ErrorCode::kUnavailable, "nothing moved on the stream for ",
               options_.idle_timeout.count() / 1000,
               " s (server.stream_idle_timeout); open another one when there is more"));
}

std::function<void(std::function<void(WriteStream&)>)> WriteStream::SelfPoster() {
  return
      [&loop = context_.loop, weak = std::weak_ptr(self_)](std::function<void(WriteStream&)> task) {
        loop.Post([weak, task = std::move(task)] {
          if (const auto alive = weak.lock()) task(**alive);
        });
      };
}

}  // namespace arka::flight
