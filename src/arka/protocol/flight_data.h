// The FlightData message of Flight.proto, read and written by hand so that bodies are never copied.
//
// Source: Apache Arrow's Flight.proto, message FlightData: flight_descriptor = 1, data_header = 2,
// app_metadata = 3, data_body = 1000; all length-delimited.
#pragma once

#include <memory>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>

#include "arka/base/error.h"

namespace arka::protocol {

/// Slices of the message they were read from; null where the field was not there.
struct FlightData {
  std::shared_ptr<arrow::Buffer> descriptor;   // a serialized FlightDescriptor
  std::shared_ptr<arrow::Buffer> data_header;  // an IPC message's metadata
  std::shared_ptr<arrow::Buffer> app_metadata;
  std::shared_ptr<arrow::Buffer> data_body;
};

/// Reads `message` in place; unknown fields are skipped, of a repeated field the last one counts.
/// kInvalidRequest, naming the offset, where it is not a protobuf message.
Result<FlightData> ParseFlightData(const std::shared_ptr<arrow::Buffer>& message);

/// The FlightData message that carries `payload`, in the parts that make it up: small pieces are
/// gathered, large body buffers are passed on as they are.
std::vector<std::shared_ptr<arrow::Buffer>> EncodeFlightData(const arrow::ipc::IpcPayload& payload);

}  // namespace arka::protocol
