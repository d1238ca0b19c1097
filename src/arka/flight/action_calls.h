// DoAction and ListActions: finds the action that a call names (docs/spec/wire.md, "Actions").
#pragma once

#include <memory>

#include "arka/flight/action.h"
#include "arka/transport/call.h"

namespace arka::flight {

class DoActionCall : public transport::CallHandler {
 public:
  explicit DoActionCall(const ActionContext& context) : context_(context) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;
  void OnWritable() override;
  void OnCancelled(const transport::CallStatus& why) override;

 private:
  Status Begin();

  const ActionContext context_;
  std::shared_ptr<arrow::Buffer> request_;
  std::unique_ptr<Action> action_;
};

class ListActionsCall : public transport::CallHandler {
 public:
  explicit ListActionsCall(transport::ServerCall& call) : call_(call) {}

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override {}
  void OnHalfClose() override;

 private:
  transport::ServerCall& call_;
};

}  // namespace arka::flight
