// A DoPut, until its first message tells what it is: a stream to a table's path (WriteStream), or a
// command of Flight SQL.
//
// On the call's loop. Until then it is a writing stream, and times out like one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "arka/transport/call.h"

namespace arka::flight {

class PutDispatch : public transport::CallHandler {
 public:
  /// Makes the handler for the command in a descriptor; nullptr where the call has been finished.
  using StartCommand =
      std::function<std::unique_ptr<transport::CallHandler>(const std::string& command)>;

  PutDispatch(std::unique_ptr<transport::CallHandler> stream, StartCommand start_command)
      : handler_(std::move(stream)), start_command_(std::move(start_command)) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;
  void OnWritable() override;
  void OnCancelled(const transport::CallStatus& why) override;

 private:
  std::unique_ptr<transport::CallHandler> handler_;
  StartCommand start_command_;  // empty after the first message
};

}  // namespace arka::flight
