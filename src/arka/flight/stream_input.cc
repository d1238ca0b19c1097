#include "arka/flight/stream_input.h"

#include <string>
#include <utility>
#include <variant>

#include "arka/acks/ack_cursors.h"
#include "arka/flight/path_descriptor.h"
#include "arka/protocol/batch_metadata.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/write_headers.h"

namespace arka::flight {
namespace {

constexpr int64_t kMaxWaitingBytes = 8 << 20;  // before the stream stops reading

}  // namespace

StreamInput::StreamInput(transport::ServerCall& call, acks::LoopContext& context,
                         const Clock& clock, const WriteStreamOptions& options, WriteRpc rpc,
                         std::string producer, int64_t epoch, Listener& listener)
    : call_(call),
      context_(context),
      clock_(clock),
      options_(options),
      rpc_(rpc),
      producer_name_(std::move(producer)),
      producer_epoch_(epoch),
      listener_(listener),
      self_(std::make_shared<StreamInput*>(this)),
      admission_(context, clock, options.admission_timeout,
                 [this](auto admission) { OnSettled(std::move(admission)); }) {}

void StreamInput::WriteTo(protocol::TableName table) {
  table_name_ = std::move(table);
  fixed_table_ = true;
}

void StreamInput::Add(std::shared_ptr<arrow::Buffer> message) {
  if (stopped_) return;
  bytes_ += message->size();
  messages_.push_back(std::move(message));
  Pump();
}

void StreamInput::HalfClose() {
  half_closed_ = true;
  Pump();
}

void StreamInput::Stop() {
  stopped_ = true;
  messages_.clear();
  bytes_ = 0;
  admission_.Cancel();
  full_since_.reset();
  PaceReading();
}

void StreamInput::Pump() {
  while (!busy_ && !messages_.empty()) {
    if (!listener_.HasRoomForAcks()) return WaitForAcks();
    const auto message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message->size();
    const Status taken = Take(message);
    if (!taken.ok()) return Fail(taken);
  }
  PaceReading();
  if (done()) listener_.OnInputDone();
}

Status StreamInput::Take(const std::shared_ptr<arrow::Buffer>& message) {
  ARROW_ASSIGN_OR_RAISE(const protocol::FlightData data, protocol::ParseFlightData(message));
  if (schema_header_ == nullptr) return Open(data);
  if (data.data_header == nullptr) return Status::OK();  // metadata alone is not a write
  if (data.data_body != nullptr && data.data_body->size() >= options_.decode_aside_bytes) {
    return DecodeAside(data);
  }
  ARROW_ASSIGN_OR_RAISE(auto write, decoder_->Decode(data.data_header, data.data_body));
  return write ? Admit(std::move(*write), data.app_metadata) : Status::OK();
}

// The descriptor may come with the schema, or before it in a message of its own (Arrow C++ does
// so).
Status StreamInput::Open(const protocol::FlightData& data) {
  if (data.descriptor != nullptr && !fixed_table_) {
    ARROW_ASSIGN_OR_RAISE(table_name_, TableAt(*data.descriptor));
    ARROW_RETURN_NOT_OK(call_.caller().Require(auth::Right::kWrite, table_name_->ToString()));
  }
  if (!table_name_) {
    return Error(ErrorCode::kInvalidRequest,
                 "the stream's first message has no FlightDescriptor; open ",
                 rpc_ == WriteRpc::kDoPut
                     ? "DoPut with the path of a table, such as ['sales', 'orders']"
                     : "DoExchange with the path 'streaming_write' and, if you like, a table");
  }
  if (data.data_header == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto schema, ingest::DecodeSchema(data.data_header));
  // The message's buffer is let go of; the decoder is made of a copy.
  ARROW_ASSIGN_OR_RAISE(schema_header_, data.data_header->CopySlice(0, data.data_header->size()));
  const iceberg::TableIdentifier identifier{table_name_->namespace_name, table_name_->name};
  if (auto opened = context_.engine.FindTable(identifier, *schema)) {
    return OnOpened(std::move(opened));
  }
  busy_ = true;
  context_.engine.OpenTable(
      identifier, std::move(schema),
      [post = SelfPoster()](Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
        post([opened = std::move(opened)](StreamInput& input) {
          input.busy_ = false;
          const Status status = input.OnOpened(opened);
          status.ok() ? input.Pump() : input.Fail(status);
        });
      });
  return Status::OK();
}

Result<protocol::TableName> StreamInput::TableAt(const arrow::Buffer& descriptor) const {
  ARROW_ASSIGN_OR_RAISE(const auto path, ParsePathDescriptor(descriptor));
  ARROW_ASSIGN_OR_RAISE(const auto target, protocol::ParsePath(path, options_.default_table,
                                                               options_.default_namespace));
  if (const auto* write = std::get_if<protocol::WriteTarget>(&target)) return write->table;
  const auto* table = std::get_if<protocol::TableTarget>(&target);
  if (rpc_ == WriteRpc::kDoPut && table != nullptr) return table->table;
  if (rpc_ == WriteRpc::kDoPut) {
    return Error(ErrorCode::kInvalidRequest, "DoPut writes to a table; the path '", path[0],
                 "' is the server's status");
  }
  return Error(ErrorCode::kInvalidRequest, "DoExchange writes to the path 'streaming_write'",
               " (with a table after it); '", path[0], "' is not that");
}

Status StreamInput::OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
  ARROW_ASSIGN_OR_RAISE(target_, std::move(opened));
  if (!producer_name_.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto producer,
                          context_.engine.OpenProducer(*target_, producer_name_, producer_epoch_));
    admission_.SetProducer(std::move(producer), producer_epoch_);
  }
  return ingest::StreamDecoder::Make(schema_header_, target_->schema, options_.limits)
      .Value(&decoder_);
}

Status StreamInput::DecodeAside(const protocol::FlightData& data) {
  busy_ = true;
  context_.engine.RunAside([decoder = decoder_, data, post = SelfPoster()] {
    const auto& metadata = data.app_metadata;
    auto decoded = decoder->Decode(data.data_header, data.data_body);
    post([decoded = std::move(decoded), metadata](StreamInput& input) mutable {
      input.busy_ = false;
      Status status = decoded.status();
      if (status.ok() && decoded->has_value() && !input.stopped_) {
        status = input.Admit(std::move(**decoded), metadata);
      }
      status.ok() ? input.Pump() : input.Fail(status);
    });
  });
  return Status::OK();
}

Status StreamInput::Admit(ingest::DecodedWrite write,
                          const std::shared_ptr<arrow::Buffer>& app_metadata) {
  ARROW_ASSIGN_OR_RAISE(const int64_t seq, SeqOf(app_metadata));
  const int64_t rows = write.stored->num_rows();
  ARROW_ASSIGN_OR_RAISE(const auto admission, admission_.Admit(*target_, std::move(write), seq));
  if (admission) {
    ++admitted_;
    rows_ += rows;
    listener_.OnAdmitted(*admission);
  } else {
    waiting_rows_ = rows;
    busy_ = true;
  }
  return Status::OK();
}

Result<int64_t> StreamInput::SeqOf(const std::shared_ptr<arrow::Buffer>& app_metadata) const {
  const std::string_view text =
      app_metadata == nullptr ? std::string_view() : std::string_view(*app_metadata);
  if (!producer_name_.empty()) {
    if (text.empty()) {
      return Error(ErrorCode::kInvalidRequest, "the stream has the header ",
                   protocol::kProducerHeader, ", but the batch has no seq; put {\"seq\": N} into ",
                   "the app_metadata of every batch, counted from 1");
    }
    return protocol::ParseBatchSeq(text);
  }
  // Without a producer app_metadata is the client's own business; but a seq would promise what is
  // not kept.
  if (!text.empty() && protocol::ParseBatchSeq(text).ok()) {
    return Error(ErrorCode::kInvalidRequest, "the batch has a seq, but the stream has no header ",
                 protocol::kProducerHeader, "; name the producer, or leave the seq out");
  }
  return 0;
}

void StreamInput::OnSettled(Result<ingest::Admission> admission) {
  if (admission.ok()) {
    ++admitted_;
    rows_ += waiting_rows_;
    listener_.OnAdmitted(*admission);
  }
  // What follows may be refused as well and queue up again, so it is not done in this turn.
  SelfPoster()([status = admission.status()](StreamInput& input) {
    input.busy_ = false;
    status.ok() ? input.Pump() : input.Fail(status);
  });
}

// As with memory: stop reading, and give up after a while.
void StreamInput::WaitForAcks() {
  if (full_since_) return;
  full_since_ = clock_.Now();
  PaceReading();
  context_.loop.PostAfter(options_.admission_timeout, [weak = std::weak_ptr(self_),
                                                       since = *full_since_] {
    const auto alive = weak.lock();
    if (alive == nullptr || (*alive)->full_since_ != since) return;
    (*alive)->Fail(Error(ErrorCode::kBackpressure, "the stream has sent the same batches again ",
                         acks::AckCursors::kMaxBusy,
                         " times, and their acks are still to come; wait for the acks of a batch "
                         "before sending it again"));
  });
}

void StreamInput::OnAcksSent() {
  if (!full_since_ || !listener_.HasRoomForAcks()) return;
  full_since_.reset();
  Pump();
}

void StreamInput::Fail(Status error) {
  if (stopped_) return;
  Stop();
  if (target_ != nullptr) {
    error = WithContext(error, "batch " + std::to_string(admitted_) + " of the stream");
  }
  listener_.OnInputError(std::move(error));
}

void StreamInput::PaceReading() {
  const bool full = full_since_ || admission_.waiting() || (busy_ && bytes_ > kMaxWaitingBytes);
  const bool pause = full && !stopped_;
  if (pause == paused_) return;
  paused_ = pause;
  pause ? call_.PauseReading() : call_.ResumeReading();
}

std::function<void(std::function<void(StreamInput&)>)> StreamInput::SelfPoster() {
  return
      [&loop = context_.loop, weak = std::weak_ptr(self_)](std::function<void(StreamInput&)> task) {
        loop.Post([weak, task = std::move(task)] {
          if (const auto alive = weak.lock()) task(**alive);
        });
      };
}

}  // namespace arka::flight
