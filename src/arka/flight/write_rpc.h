// The two Flight calls that write: they differ in where they may write to and how they acknowledge.
#pragma once

#include <cstdint>

namespace arka::flight {

enum class WriteRpc : uint8_t {
  kDoExchange,  // to a `streaming_write` path; answers acks as record batches
  kDoPut,       // to a table's own path as well; answers one PutResult a batch
};

}  // namespace arka::flight
