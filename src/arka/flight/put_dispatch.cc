#include "arka/flight/put_dispatch.h"

#include <utility>

#include "arka/flight/path_descriptor.h"
#include "arka/protocol/flight_data.h"

namespace arka::flight {
void PutDispatch::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (const auto start = std::exchange(start_command_, nullptr)) {
    const auto data = protocol::ParseFlightData(message);
    if (data.ok() && data->descriptor != nullptr) {
      if (const auto command = CommandOf(*data->descriptor)) handler_ = start(*command);
    }
  }
  if (handler_ != nullptr) handler_->OnMessage(std::move(message));
}

void PutDispatch::OnHalfClose() {
  if (handler_ != nullptr) handler_->OnHalfClose();
}

void PutDispatch::OnWritable() {
  if (handler_ != nullptr) handler_->OnWritable();
}

void PutDispatch::OnCancelled(const transport::CallStatus& why) {
  if (handler_ != nullptr) handler_->OnCancelled(why);
}

}  // namespace arka::flight
