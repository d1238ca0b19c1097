#include "arka/transport/http2_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "arka/base/check.h"
#include "arka/transport/grpc_stream.h"
#include "arka/transport/plain_stream.h"

namespace arka::transport {
namespace {

constexpr uint32_t kMaxFrameBytes = 1 << 20;
constexpr uint32_t kStreamWindowBytes = 16 << 20;
constexpr int32_t kConnectionWindowBytes = 64 << 20;
constexpr size_t kSendFrameBytes = 256 << 10;
// A client may cancel thousands of calls at once, but not for ever.
constexpr uint64_t kResetBurst = 5000;
constexpr uint64_t kResetsPerSecond = 200;
// PING, SETTINGS, PRIORITY, empty DATA: clients that probe the bandwidth send one a round trip.
constexpr double kIdleFrameBurst = 20'000;
constexpr double kIdleFramesPerSecond = 10'000;
constexpr double kOwnResetBurst = 1000;
constexpr double kOwnResetsPerSecond = 50;
constexpr size_t kMaxQueuedFrames = 20'000;  // that a peer who does not read makes us queue
constexpr std::chrono::seconds kDrainTime{1};
constexpr size_t kFrameHeaderBytes = 9;

Http2Session& SessionOf(void* user_data) { return *static_cast<Http2Session*>(user_data); }

Http2Stream* StreamOf(nghttp2_session* session, int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::vector<nghttp2_nv> NameValues(const Metadata& metadata) {
  std::vector<nghttp2_nv> values;
  values.reserve(metadata.size());
  for (const auto& [name, value] : metadata) {
    auto* name_data = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
    auto* value_data = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
    values.push_back({name_data, value_data, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return values;
}

CallStatus StatusOfClose(uint32_t code) {
  GrpcCode grpc = GrpcCode::kCancelled;
  if (code == NGHTTP2_REFUSED_STREAM) grpc = GrpcCode::kUnavailable;
  return {grpc, std::string("the stream was reset (") + nghttp2_http2_strerror(code) + ")", {}};
}

}  // namespace

void Http2Stream::Wake() { session_.Resume(*this); }

void Http2Stream::DropOutput() {
  ByteQueue promised;
  output_.MoveTo(promised, promised_bytes_);
  output_ = std::move(promised);
}

nghttp2_session_callbacks* Http2Session::MakeCallbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  ARKA_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame*, void* self) {
        SessionOf(self).head_ = {};
        return 0;
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
         const uint8_t* value, size_t value_size, uint8_t, void* self) {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers mean nothing to gRPC
        Http2Session& session = SessionOf(self);
        session.head_.Add(Text(name, name_size), Text(value, value_size),
                          session.connection_.context().server.options.max_header_bytes);
        return 0;
      });
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame_hd* header, void* self) {
        SessionOf(self).OnBeginFrame(*header);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        return SessionOf(self).OnFrame(*frame);
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks,
      [](nghttp2_session* raw, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self) {
        Http2Session& session = SessionOf(self);
        session.received_data_ += size;
        if (session.receiving_ != nullptr) {
          session.receiving_left_ -= std::min(size, session.receiving_left_);
        }
        if (Http2Stream* stream = StreamOf(raw, id)) {
          stream->OnData({reinterpret_cast<const std::byte*>(data), size});
        } else {
          nghttp2_session_consume_stream(raw, id, size);
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, int32_t id, uint32_t code, void* self) {
        SessionOf(self).OnStreamClosed(id, code);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        SessionOf(self).OnFrameSent(*frame);
        return 0;
      });
  nghttp2_session_callbacks_set_send_data_callback(
      callbacks, [](nghttp2_session*, nghttp2_frame*, const uint8_t* frame_header, size_t size,
                    nghttp2_data_source* source, void* self) {
        return SessionOf(self).SendData(*static_cast<Http2Stream*>(source->ptr), frame_header,
                                        size);
      });
  nghttp2_session_callbacks_set_data_source_read_length_callback(
      callbacks,
      [](nghttp2_session*, uint8_t, int32_t, int32_t session_window, int32_t stream_window,
         uint32_t max_frame, void*) -> ssize_t {
        const int32_t window = std::max(0, std::min(session_window, stream_window));
        return static_cast<ssize_t>(
            std::min<size_t>({static_cast<size_t>(window), max_frame, kSendFrameBytes}));
      });
  return callbacks;
}

Http2Session::Http2Session(Connection& connection)
    : connection_(connection),
      idle_frames_(kIdleFrameBurst, kIdleFramesPerSecond, connection.context().loop.now()),
      own_resets_(kOwnResetBurst, kOwnResetsPerSecond, connection.context().loop.now()),
      idle_since_(connection.context().loop.now()) {
  nghttp2_option* option = nullptr;
  ARKA_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetsPerSecond);
  nghttp2_session_callbacks* callbacks = MakeCallbacks();
  ARKA_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, option) == 0);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);

  const ServerOptions& options = connection_.context().server.options;
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrameBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(options.max_header_bytes)},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
}

Http2Session::~Http2Session() {
  const CallStatus lost{GrpcCode::kCancelled, "the connection was lost", {}};
  auto streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) stream->OnClosed(lost);
  streams.clear();
  nghttp2_session_del(session_);
}

bool Http2Session::Receive(ByteSpan bytes) {
  if (broken_) return false;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (received_data_ > 0) {
    nghttp2_session_consume_connection(session_, std::exchange(received_data_, 0));
  }
  if (taken == static_cast<ssize_t>(bytes.size()) && !broken_ &&
      nghttp2_session_get_outbound_queue_size(session_) < kMaxQueuedFrames) {
    return true;
  }
  broken_ = true;
  nghttp2_session_terminate_session(session_, taken >= 0 || taken == NGHTTP2_ERR_FLOODED
                                                  ? NGHTTP2_ENHANCE_YOUR_CALM
                                                  : NGHTTP2_PROTOCOL_ERROR);
  return false;
}

MutableByteSpan Http2Session::read_target() {
  if (receiving_ == nullptr) return {};
  const MutableByteSpan target = receiving_->read_target();
  return target.first(std::min(target.size(), receiving_left_));
}

void Http2Session::Produce(ByteQueue& out, size_t limit_bytes) {
  out_ = &out;
  out_limit_ = limit_bytes;
  while (out.size() < limit_bytes) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) {
      if (size < 0) broken_ = true;
      break;
    }
    out.AppendCopy(data, static_cast<size_t>(size));
  }
  out_ = nullptr;
}

void Http2Session::OnSent() {
  for (const int32_t id : std::exchange(sent_, {})) {
    if (Http2Stream* stream = FindStream(id)) stream->OnOutputTaken();
  }
}

/// With the memory for messages nearly used up, a connection whose own paused streams hold some of
/// it waits until they go on: better than failing their calls. Others must be read, since only then
/// can their messages become whole and leave.
bool Http2Session::wants_read() const {
  const MessageBudget& budget = connection_.context().server.budget;
  return held_bytes_ == 0 || budget.used() < budget.limit() / 4 * 3;
}

void Http2Session::ReleaseHeld(size_t bytes) {
  if (bytes == 0) return;
  held_bytes_ -= bytes;
  connection_.MarkDirty();
}

bool Http2Session::finished() const {
  return broken_ ||
         (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

void Http2Session::Drain() {
  if (draining_) return;
  draining_ = true;
  // RFC 9113 section 6.8: announce first, and name the last stream once the peer must have heard.
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  Connection& connection = connection_;
  EpollLoop& loop = connection.context().loop;
  loop.Schedule(loop.now() + kDrainTime, [self = connection.weak()] {
    if (const auto alive = self.lock()) {
      if (auto* session = static_cast<Http2Session*>((*alive)->session())) session->FinishDrain();
    }
  });
}

void Http2Session::FinishDrain() {
  if (drained_) return;
  drained_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  connection_.MarkDirty();
}

void Http2Session::EndCalls(const CallStatus& why) {
  std::vector<Http2Stream*> streams;
  streams.reserve(streams_.size());
  for (auto& [id, stream] : streams_) streams.push_back(stream.get());
  for (Http2Stream* stream : streams) stream->End(why);
}

void Http2Session::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  connection_.MarkDirty();
}

std::optional<SteadyTime> Http2Session::stalled_since() const {
  if (established_) return std::nullopt;
  return connection_.accepted_at();
}

void Http2Session::SubmitHeaders(Http2Stream& stream, const Metadata& headers, bool ends) {
  const std::vector<nghttp2_nv> values = NameValues(headers);
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = [](nghttp2_session*, int32_t, uint8_t*, size_t capacity, uint32_t* flags,
                              nghttp2_data_source* source, void* self) -> ssize_t {
    return SessionOf(self).PullData(*static_cast<Http2Stream*>(source->ptr), capacity, flags);
  };
  nghttp2_submit_response(session_, stream.id_, values.data(), values.size(),
                          ends ? nullptr : &provider);
  connection_.MarkDirty();
}

void Http2Session::SubmitContinue(int32_t id) {
  const std::vector<nghttp2_nv> values = NameValues({{":status", "100"}});
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, values.data(), values.size(),
                         nullptr);
  connection_.MarkDirty();
}

void Http2Session::Resume(Http2Stream& stream) {
  if (!stream.deferred_) return;
  stream.deferred_ = false;
  nghttp2_session_resume_data(session_, stream.id_);
  connection_.MarkDirty();
}

void Http2Session::ConsumeStream(int32_t id, size_t bytes) {
  nghttp2_session_consume_stream(session_, id, bytes);
  connection_.MarkDirty();
}

void Http2Session::Reset(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  connection_.MarkDirty();
}

void Http2Session::Revisit(int32_t id) {
  revisits_.push_back(id);
  if (revisits_.size() > 1) return;
  connection_.context().loop.Post([self = connection_.weak()] {
    const auto alive = self.lock();
    if (!alive || (*alive)->session() == nullptr) return;
    auto& session = static_cast<Http2Session&>(*(*alive)->session());
    for (const int32_t stream_id : std::exchange(session.revisits_, {})) {
      if (Http2Stream* stream = session.FindStream(stream_id)) stream->OnRevisit();
    }
  });
}

Http2Stream* Http2Session::FindStream(int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Http2Session::OnBeginFrame(const nghttp2_frame_hd& header) {
  receiving_ = nullptr;
  if (header.type == NGHTTP2_HEADERS) {
    // RFC 9113 section 5.1.1: an id below a used one can never be opened. nghttp2 would ignore it.
    if (header.stream_id <= last_id_ &&
        nghttp2_session_find_stream(session_, header.stream_id) == nullptr) {
      nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
      broken_ = true;
    }
    last_id_ = std::max(last_id_, header.stream_id);
  }
  if (header.type != NGHTTP2_DATA || (header.flags & NGHTTP2_FLAG_PADDED) != 0) return;
  receiving_ = StreamOf(session_, header.stream_id);
  receiving_left_ = header.length;
}

int Http2Session::OnFrame(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_DATA:
      receiving_ = nullptr;
      if (frame.hd.length == 0 && !ends && !WithinLimits(idle_frames_)) return 0;
      break;
    case NGHTTP2_HEADERS:
      if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) OnRequest(frame.hd.stream_id);
      break;
    case NGHTTP2_SETTINGS:
      established_ = true;
      [[fallthrough]];
    case NGHTTP2_PING:
      if (draining_ && frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        FinishDrain();
      }
      [[fallthrough]];
    default:
      if (frame.hd.type != NGHTTP2_WINDOW_UPDATE && frame.hd.type != NGHTTP2_RST_STREAM) {
        WithinLimits(idle_frames_);
      }
      return 0;
  }
  if (!ends) return 0;
  Http2Stream* stream = StreamOf(session_, frame.hd.stream_id);
  if (stream == nullptr || stream->peer_ended_) return 0;
  stream->peer_ended_ = true;
  stream->OnPeerEnd();
  return 0;
}

void Http2Session::OnRequest(int32_t id) {
  ServerState& server = connection_.context().server;
  if (!server.accepting.load(std::memory_order_relaxed) || drained_) {
    return Reset(id, NGHTTP2_REFUSED_STREAM);
  }
  RequestHead head = std::exchange(head_, {});
  if (IsGrpc(head)) {
    auto owned = std::make_unique<GrpcStream>(*this, id);
    GrpcStream& stream = *owned;
    streams_[id] = std::move(owned);
    nghttp2_session_set_stream_user_data(session_, id, static_cast<Http2Stream*>(&stream));
    idle_since_.reset();
    stream.Start(std::move(head));
    return;
  }
  auto owned = std::make_unique<PlainStream>(*this, id);
  PlainStream& stream = *owned;
  streams_[id] = std::move(owned);
  nghttp2_session_set_stream_user_data(session_, id, static_cast<Http2Stream*>(&stream));
  idle_since_.reset();
  stream.Start(std::move(head));
}

void Http2Session::OnFrameSent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_RST_STREAM && frame.rst_stream.error_code != NGHTTP2_NO_ERROR &&
      frame.rst_stream.error_code != NGHTTP2_REFUSED_STREAM) {
    WithinLimits(own_resets_);
  }
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!ends || (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA)) return;
  const Http2Stream* stream = StreamOf(session_, frame.hd.stream_id);
  // RFC 9113 section 8.1: the answer is complete; what the peer still sends is not wanted.
  if (stream != nullptr && !stream->peer_ended_) Reset(frame.hd.stream_id, NGHTTP2_NO_ERROR);
}

void Http2Session::OnStreamClosed(int32_t id, uint32_t code) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const std::unique_ptr<Http2Stream> stream = std::move(found->second);
  streams_.erase(found);
  if (receiving_ == stream.get()) receiving_ = nullptr;
  nghttp2_session_set_stream_user_data(session_, id, nullptr);
  if (streams_.empty()) idle_since_ = connection_.context().loop.now();
  stream->OnClosed(StatusOfClose(code));
}

ssize_t Http2Session::PullData(Http2Stream& stream, size_t capacity, uint32_t* flags) {
  const size_t size = std::min(capacity, stream.output_.size());
  if (size == stream.output_.size() && stream.output_ended_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.trailers_.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp2_nv> values = NameValues(stream.trailers_);
      nghttp2_submit_trailer(session_, stream.id_, values.data(), values.size());
    }
  } else if (size == 0) {
    stream.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  if (size > 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  stream.promised_bytes_ = size;
  return static_cast<ssize_t>(size);
}

int Http2Session::SendData(Http2Stream& stream, const uint8_t* frame_header, size_t size_bytes) {
  if (out_->size() >= out_limit_) return NGHTTP2_ERR_WOULDBLOCK;
  out_->AppendCopy(frame_header, kFrameHeaderBytes);
  stream.output_.MoveTo(*out_, size_bytes);
  stream.promised_bytes_ = 0;
  sent_.push_back(stream.id_);
  return 0;
}

bool Http2Session::WithinLimits(TokenBucket& bucket) {
  if (bucket.Take(connection_.context().loop.now())) return true;
  broken_ = true;
  return false;
}

}  // namespace arka::transport
