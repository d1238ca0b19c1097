#include "arka/flight/path_descriptor.h"

#include "arka/flight/flight.pb.h"

namespace arka::flight {

std::optional<std::string> CommandOf(const arrow::Buffer& message) {
  using Descriptor = ::arrow::flight::protocol::FlightDescriptor;
  Descriptor descriptor;
  if (!descriptor.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return std::nullopt;
  }
  if (descriptor.type() != Descriptor::CMD) return std::nullopt;
  return descriptor.cmd();
}

Result<std::vector<std::string>> ParsePathDescriptor(const arrow::Buffer& message) {
  ::arrow::flight::protocol::FlightDescriptor descriptor;
  if (!descriptor.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return Error(ErrorCode::kInvalidRequest, "the FlightDescriptor does not parse");
  }
  using Descriptor = ::arrow::flight::protocol::FlightDescriptor;
  if (descriptor.type() != Descriptor::PATH || descriptor.path().empty()) {
    return Error(ErrorCode::kInvalidRequest,
                 "the FlightDescriptor has no path; expected a path such as ['streaming_write', "
                 "'orders'] or ['status']");
  }
  return std::vector<std::string>(descriptor.path().begin(), descriptor.path().end());
}

}  // namespace arka::flight
