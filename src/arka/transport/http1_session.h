// HTTP/1.1 on one connection: Boost.Beast's parser, keep-alive, pipelined requests one at a time.
//
// While a request is being answered nothing more is read than what had already arrived, so a
// pipelining client cannot make the server queue. Owned by its Connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "arka/transport/connection.h"
#include "arka/transport/http.h"
#include "arka/transport/session.h"

namespace arka::transport {

class Http1Session final : public Session {
 public:
  explicit Http1Session(Connection& connection);
  ~Http1Session() override;

  bool Receive(ByteSpan bytes) override;
  void Produce(ByteQueue& out, size_t limit_bytes) override;
  void OnSent() override { Parse(); }
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

  void Parse();
  void Dispatch();
  void Refuse(int status, std::string_view text);
  void Send(HttpResponse response);

  Connection& connection_;
  std::unique_ptr<Parser> parser_;  // of the request that is arriving; null while none is
  std::string input_;               // arrived, not yet parsed
  ByteQueue output_;
  uint64_t request_number_ = 0;
  std::optional<SteadyTime> stalled_since_;
  std::optional<SteadyTime> idle_since_;
  bool head_request_ = false;
  bool http_1_0_ = false;
  bool answering_ = false;
  bool ending_ = false;  // no further request is taken
  bool peer_closed_ = false;
};

}  // namespace arka::transport
