// DoGet: the rows that a ticket stands for, as fast as the peer takes them.
//
// One batch at a time is read on the threads for reads, while those before it are sent; where much
// is queued, reading stops until it is taken.
#pragma once

#include <memory>
#include <vector>

#include "arka/flight/unary_call.h"
#include "arka/ingest/engine.h"
#include "arka/query/table_scan.h"

namespace arka::flight {

class DoGetCall : public UnaryCall {
 public:
  /// All must outlive the call.
  DoGetCall(transport::ServerCall& call, ingest::Engine& engine, query::TableReads& reads)
      : UnaryCall(call), engine_(engine), reads_(reads) {}

  void OnWritable() override;

 protected:
  Status Begin(const arrow::Buffer& request) override;

 private:
  using Messages = std::vector<std::vector<std::shared_ptr<arrow::Buffer>>>;

  Status WriteStatus();
  void ReadNext();
  void OnRead(Result<Messages> messages);

  ingest::Engine& engine_;
  query::TableReads& reads_;
  std::shared_ptr<query::TableScan> scan_;  // used by one task at a time
  bool waits_ = false;                      // for the peer to take what is queued
};

}  // namespace arka::flight
