#include "arka/flight/unary_call.h"

#include "arka/flight/status_mapping.h"

namespace arka::flight {

void UnaryCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (request_ == nullptr) request_ = std::move(message);
}

void UnaryCall::OnHalfClose() {
  const Status begun = request_ == nullptr
                           ? Error(ErrorCode::kInvalidRequest, "the call came without its message")
                           : Begin(*request_);
  request_.reset();
  if (!begun.ok()) Finish(begun);
}

void UnaryCall::Finish(const Status& status) { call_.Finish(ToCallStatus(status)); }

}  // namespace arka::flight
