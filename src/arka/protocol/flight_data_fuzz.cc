// Any bytes as a FlightData message: an error or slices within the message, never a crash.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "arka/base/check.h"
#include "arka/protocol/flight_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = std::make_shared<arrow::Buffer>(data, static_cast<int64_t>(size));
  const auto parsed = arka::protocol::ParseFlightData(message);
  if (!parsed.ok()) return 0;
  for (const auto& field :
       {parsed->descriptor, parsed->data_header, parsed->app_metadata, parsed->data_body}) {
    if (field == nullptr) continue;
    ARKA_CHECK(field->data() >= data && field->data() + field->size() <= data + size);
  }
  return 0;
}
