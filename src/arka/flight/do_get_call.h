// DoGet: the rows that a ticket stands for, as fast as the peer takes them.
//
// A few messages at a time are read on the threads for reads, while those before them are sent;
// where much is queued, reading stops until it is taken.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "arka/flight/unary_call.h"
#include "arka/ingest/engine.h"
#include "arka/query/held_result.h"

namespace arka::flight {

class DoGetCall : public UnaryCall {
 public:
  /// All must outlive the call.
  DoGetCall(transport::ServerCall& call, ingest::Engine& engine, query::TableReads& reads)
      : UnaryCall(call), engine_(engine), reads_(reads) {}

  void OnWritable() override;
  void OnCancelled(const transport::CallStatus& why) override;

 protected:
  Status Begin(const arrow::Buffer& request) override;

 private:
  using Payloads = std::vector<arrow::ipc::IpcPayload>;
  using Reader = std::shared_ptr<query::ResultReader>;

  Status WriteStatus();
  void Open(std::shared_ptr<query::HeldResult> result, size_t part);
  std::function<void(std::function<void()>)> Runner();
  void ReadNext();
  void OnRead(Result<Payloads> payloads);

  ingest::Engine& engine_;
  query::TableReads& reads_;
  std::shared_ptr<query::HeldResult> result_;
  Reader reader_;       // used by one task at a time
  bool waits_ = false;  // for the peer to take what is queued
};

}  // namespace arka::flight
