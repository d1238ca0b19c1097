// The two ends of one in-process call and what lies between them. Part of in_process.cc.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arka/transport/in_process.h"
#include "arka/transport/local_loop.h"

namespace arka::transport {

/// What the server sent; written on the loop, read by the client. Thread-safe.
class InProcessMailbox {
 public:
  void PutHeaders(Metadata headers);
  void PutMessage(std::shared_ptr<arrow::Buffer> message);
  /// The first status stays.
  void PutStatus(CallStatus status);

  std::optional<Metadata> headers() const;
  std::optional<CallStatus> status() const;
  std::shared_ptr<arrow::Buffer> TakeMessage();
  std::shared_ptr<arrow::Buffer> WaitForMessage(std::chrono::milliseconds timeout);
  std::optional<CallStatus> WaitForStatus(std::chrono::milliseconds timeout);

 private:
  std::shared_ptr<arrow::Buffer> TakeLocked();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Metadata> headers_;  // guarded by mutex_, as the rest
  std::deque<std::shared_ptr<arrow::Buffer>> messages_;
  std::optional<CallStatus> status_;
};

/// The server's end; everything on the loop. Kept alive by the transport until the call is over.
class InProcessServerCall final : public ServerCall,
                                  public std::enable_shared_from_this<InProcessServerCall> {
 public:
  InProcessServerCall(LocalLoop& loop, std::string method, Metadata metadata,
                      std::optional<SteadyTime> deadline,
                      std::shared_ptr<InProcessMailbox> mailbox);

  /// `on_over` is called once, when the handler has been destroyed.
  void Start(Service& service, std::function<void()> on_over);
  void Receive(std::shared_ptr<arrow::Buffer> message);
  void ReceiveHalfClose();
  void End(const CallStatus& why);
  void SetHeld(bool held);

  std::string_view method() const override { return method_; }
  const Metadata& metadata() const override { return metadata_; }
  std::string_view peer() const override { return "in-process"; }
  std::optional<SteadyTime> deadline() const override { return deadline_; }
  EventLoop& loop() override { return loop_; }
  void SendHeaders(Metadata metadata) override;
  void Write(std::vector<std::shared_ptr<arrow::Buffer>> parts) override;
  size_t queued_bytes() const override { return queued_bytes_; }
  void Finish(CallStatus status) override;
  void PauseReading() override { paused_ = true; }
  void ResumeReading() override;

 private:
  void Deliver();
  void DrainOutput();
  void Over();

  LocalLoop& loop_;
  const std::string method_;
  const Metadata metadata_;
  const std::optional<SteadyTime> deadline_;
  const std::shared_ptr<InProcessMailbox> mailbox_;
  std::function<void()> on_over_;
  std::unique_ptr<CallHandler> handler_;
  std::deque<std::shared_ptr<arrow::Buffer>> input_;
  std::deque<std::shared_ptr<arrow::Buffer>> output_;
  size_t queued_bytes_ = 0;
  std::optional<CallStatus> final_status_;  // set by Finish or End
  bool headers_sent_ = false;
  bool half_close_due_ = false;
  bool paused_ = false;
  bool held_ = false;
  bool above_low_water_ = false;
  bool drain_due_ = false;
};

}  // namespace arka::transport
