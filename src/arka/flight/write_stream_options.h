// What an operator decides about writing streams.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "arka/ingest/stream_decoder.h"
#include "arka/protocol/table_name.h"

namespace arka::flight {

struct WriteStreamOptions {
  protocol::TableName default_table{"arka", "my_table"};
  std::string default_namespace = "arka";
  ingest::DecodeLimits limits;
  std::chrono::milliseconds admission_timeout{30'000};
  std::chrono::milliseconds idle_timeout{3'600'000};  // 0: never
  std::chrono::milliseconds ack_retention{300'000};   // of sessions that have ended
  int64_t decode_aside_bytes = 256 << 10;  // messages of this size are checked off the loop
};

}  // namespace arka::flight
