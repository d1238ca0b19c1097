// HTTP/1.1 on one connection: Boost.Beast's parser, keep-alive, pipelined requests one at a time,
// answers whole or in chunks.
//
// While a request is being answered nothing more is read than what had already arrived, so a
// pipelining client cannot make the server queue. Owned by its Connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/system/error_code.hpp>

#include "arka/transport/connection.h"
#include "arka/transport/http.h"
#include "arka/transport/session.h"

namespace arka::transport {

class Http1Session final : public Session, private BodySink {
 public:
  explicit Http1Session(Connection& connection);
  ~Http1Session() override;

  bool Receive(ByteSpan bytes) override;
  void Produce(ByteQueue& out, size_t limit_bytes) override;
  void OnSent() override;
  bool wants_read() const override;
  bool finished() const override { return ending_ && !answering_ && output_.empty(); }
  bool OnPeerClosed() override;
  void Drain() override;
  void EndCalls(const CallStatus& why) override;
  std::optional<SteadyTime> stalled_since() const override { return stalled_since_; }
  std::optional<SteadyTime> idle_since() const override { return idle_since_; }

  void Respond(uint64_t request_number, HttpResponse response);

 private:
  struct Parser;

  EventLoop& loop() override;
  void Write(std::shared_ptr<arrow::Buffer> bytes) override;
  size_t queued_bytes() const override { return output_.size(); }
  void Finish() override;
  void Abort() override;

  void Parse();
  void BeginRequest();
  bool OnHead();
  void Dispatch();
  void RefuseMalformed(const boost::system::error_code& error);
  void Refuse(HttpResponse response);
  void Send(HttpResponse response);
  void SendStream(std::shared_ptr<BodyStream> stream);
  void OnAnswered();
  void CloseBody();

  Connection& connection_;
  std::unique_ptr<Parser> parser_;  // of the request that is arriving; null while none is
  std::string input_;               // arrived, not yet parsed
  ByteQueue output_;
  uint64_t request_number_ = 0;
  std::optional<SteadyTime> stalled_since_;
  std::optional<SteadyTime> idle_since_;
  std::shared_ptr<const bool> client_;  // of the request that is being answered
  std::optional<OpenCall> open_;        // while it is
  std::shared_ptr<BodyStream> stream_;  // where its answer is one
  bool above_low_water_ = false;
  bool head_request_ = false;
  bool http_1_0_ = false;
  bool answering_ = false;
  bool ending_ = false;  // no further request is taken
  bool peer_closed_ = false;
};

}  // namespace arka::transport
