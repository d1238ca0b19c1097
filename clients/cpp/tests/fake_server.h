// A Flight server in this process that answers writes as Arka does, from memory: every seq is
// written once and acknowledged at all levels. What a test wants otherwise it sets beforehand.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <arrow/flight/server.h>
#include <arrow/record_batch.h>

#include "arka/base/tier.h"

namespace arka::client {

class FakeServer : public arrow::flight::FlightServerBase {
 public:
  /// Listens on a port of 127.0.0.1 that the kernel picks.
  static std::unique_ptr<FakeServer> Start();
  ~FakeServer() override;

  std::string url() const;

  // What it does. By default it is a good server.
  std::atomic<bool> silent = false;                 // reads, and acknowledges nothing
  std::atomic<int> cut_after_batches = 0;           // connections are ended after so many; 0: never
  std::atomic<int> cuts = 1 << 30;                  // how many of them are
  std::atomic<bool> cut_behind_acks = false;        // the last batch is acknowledged before
  std::atomic<Tier> acks_until = Tier::kCommitted;  // the last level that it acknowledges
  std::atomic<int> broken_answers = 0;              // of last_seq; a fault of the way to the server
  std::atomic<int64_t> last_seq = 0;                // what it says of a producer that is claimed
  /// Every DoExchange ends with this at its first batch, unless it is OK.
  arrow::Status refusal;

  // What it has seen.
  struct Write {
    int64_t seq;
    std::shared_ptr<arrow::RecordBatch> batch;
  };
  std::vector<Write> writes() const;  // each seq once, in the order of arrival
  int64_t rows() const;
  std::atomic<int> connections = 0;
  std::vector<std::string> actions() const;
  std::vector<std::string> path() const;  // of the last DoExchange
  /// A header of the last DoExchange; empty where it had none.
  std::string header(const std::string& name) const;

  arrow::Status DoExchange(const arrow::flight::ServerCallContext& context,
                           std::unique_ptr<arrow::flight::FlightMessageReader> reader,
                           std::unique_ptr<arrow::flight::FlightMessageWriter> writer) override;
  arrow::Status DoAction(const arrow::flight::ServerCallContext& context,
                         const arrow::flight::Action& action,
                         std::unique_ptr<arrow::flight::ResultStream>* result) override;

 private:
  int64_t LsnOf(int64_t seq, std::shared_ptr<arrow::RecordBatch> batch);

  mutable std::mutex mutex_;
  std::vector<Write> writes_;
  std::map<int64_t, int64_t> lsns_;  // by seq
  std::vector<std::string> actions_;
  std::map<std::string, std::string> headers_;
  std::vector<std::string> path_;
};

}  // namespace arka::client
