// The threads that carry a stream's outbox to the server and bring back its acks.
//
// One dials, sends, and after a failure dials again and sends what is not on LOCAL_DISK once more,
// under the same seq, which the server writes once. Another reads acks for as long as there is a
// connection, whether or not anybody wants to know. The threads share the courier with the stream
// that started it, and may outlive the stream where gRPC does not let go of them in time.
#pragma once

#include "connection.h"
#include "endpoint.h"
#include "outbox.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <arrow/status.h>

namespace arka::client {

struct CourierOptions {
  std::string table;
  std::string producer;
  std::string session;
  int64_t epoch = 0;  // of a producer that was claimed; 0: was not
  std::chrono::milliseconds deadline;
  bool at_once = false;  // dials before there is something to send
};

class Courier {
 public:
  Courier(std::shared_ptr<Endpoint> endpoint, std::shared_ptr<Outbox> outbox,
          CourierOptions options);

  /// Starts the thread of `courier`.
  static void Start(const std::shared_ptr<Courier>& courier);
  /// Waits until the server has taken the stream for the first time, or the stream has failed.
  arrow::Status AwaitOpened(Deadline until);
  /// Ends the connection, and with it the thread, soon.
  void Abort();
  /// Joins the thread if it ends before `until`; else lets go of it.
  void Leave(Deadline until);

 private:
  struct Attempt;

  void Run();
  arrow::Status CarryUntilTheEnd();
  arrow::Status Carry(Attempt& attempt);
  arrow::Status FindPlace();
  arrow::Status Send(Attempt& attempt);
  void Read(Attempt& attempt);
  void SetConnection(std::shared_ptr<Connection> connection);
  std::chrono::milliseconds AttemptTimeout() const;

  const std::shared_ptr<Endpoint> endpoint_;
  const std::shared_ptr<Outbox> outbox_;
  const CourierOptions options_;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Connection> connection_;  // the present one
  bool opened_ = false;                     // the server has taken the stream once
  bool ended_ = false;
  arrow::Status end_;
};

}  // namespace arka::client
