// How a DoPut of Flight SQL says how many rows it has written.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/buffer.h>

namespace arka::flight {

/// A PutResult whose app_metadata is a DoPutUpdateResult.
std::shared_ptr<arrow::Buffer> UpdateResultMessage(int64_t rows);

}  // namespace arka::flight
