// GetFlightInfo and DoGet: today, of the server's status alone.
#pragma once

#include <memory>

#include "arka/ingest/engine.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// A call that takes one message: gathers it, answers at half-close.
class UnaryCall : public transport::CallHandler {
 public:
  UnaryCall(transport::ServerCall& call, ingest::Engine& engine) : call_(call), engine_(engine) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;

 protected:
  /// Writes the answer to `request`; the call then ends with what comes back.
  virtual Status Answer(const arrow::Buffer& request) = 0;

  transport::ServerCall& call_;
  ingest::Engine& engine_;

 private:
  std::shared_ptr<arrow::Buffer> request_;
};

class GetFlightInfoCall : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

 protected:
  Status Answer(const arrow::Buffer& request) override;
};

class DoGetCall : public UnaryCall {
 public:
  using UnaryCall::UnaryCall;

 protected:
  Status Answer(const arrow::Buffer& request) override;
};

}  // namespace arka::flight
