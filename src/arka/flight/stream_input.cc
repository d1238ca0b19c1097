#include "arka/flight/stream_input.h"

#include <string>
#include <utility>
#include <variant>

#include "arka/flight/path_descriptor.h"
#include "arka/protocol/descriptor.h"

namespace arka::flight {
namespace {

constexpr int64_t kMaxWaitingBytes = 8 << 20;  // before the stream stops reading

}  // namespace

StreamInput::StreamInput(transport::ServerCall& call, LoopContext& context, const Clock& clock,
                         AckScheduler::SleeperId id, const WriteStreamOptions& options,
                         Listener& listener)
    : call_(call),
      context_(context),
      options_(options),
      listener_(listener),
      self_(std::make_shared<StreamInput*>(this)),
      admission_(context, clock, id, options.admission_timeout,
                 [this](Result<Lsn> lsn) { OnSettled(std::move(lsn)); }) {}

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
  PaceReading();
}

void StreamInput::Pump() {
  while (!busy_ && !messages_.empty()) {
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
  return write ? Admit(std::move(*write)) : Status::OK();
}

// The descriptor may come with the schema, or before it in a message of its own (Arrow C++ does
// so).
Status StreamInput::Open(const protocol::FlightData& data) {
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

Status StreamInput::OnOpened(Result<std::shared_ptr<const ingest::OpenedTable>> opened) {
  ARROW_ASSIGN_OR_RAISE(target_, std::move(opened));
  return ingest::StreamDecoder::Make(schema_header_, target_->schema, options_.limits)
      .Value(&decoder_);
}

Status StreamInput::DecodeAside(const protocol::FlightData& data) {
  busy_ = true;
  context_.engine.RunAside([decoder = decoder_, data, post = SelfPoster()] {
    auto decoded = decoder->Decode(data.data_header, data.data_body);
    post([decoded = std::move(decoded)](StreamInput& input) mutable {
      input.busy_ = false;
      Status status = decoded.status();
      if (status.ok() && decoded->has_value() && !input.stopped_) {
        status = input.Admit(std::move(**decoded));
      }
      status.ok() ? input.Pump() : input.Fail(status);
    });
  });
  return Status::OK();
}

Status StreamInput::Admit(ingest::DecodedWrite write) {
  ARROW_ASSIGN_OR_RAISE(const auto lsn, admission_.Admit(*target_, std::move(write)));
  if (lsn) {
    ++admitted_;
    listener_.OnAdmitted(*lsn);
  } else {
    busy_ = true;
  }
  return Status::OK();
}

void StreamInput::OnSettled(Result<Lsn> lsn) {
  if (lsn.ok()) {
    ++admitted_;
    listener_.OnAdmitted(*lsn);
  }
  // What follows may be refused as well and queue up again, so it is not done in this turn.
  SelfPoster()([status = lsn.status()](StreamInput& input) {
    input.busy_ = false;
    status.ok() ? input.Pump() : input.Fail(status);
  });
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
  const bool pause = !stopped_ && busy_ && (admission_.waiting() || bytes_ > kMaxWaitingBytes);
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
