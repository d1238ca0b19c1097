// Feeds bytes to the deframer twice, whole and in pieces that the input chooses, some of them
// through target(): both must find the same messages and failures, and charge nothing in the end.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "arka/base/check.h"
#include "arka/transport/grpc_framing.h"

namespace arka::transport {
namespace {

struct Outcome {
  std::vector<std::string> messages;
  bool failed = false;
  bool mid_message = false;

  bool operator==(const Outcome&) const = default;
};

void Take(GrpcDeframer& deframer, ByteSpan bytes, Outcome& outcome) {
  while (!bytes.empty() && !deframer.failure()) {
    if (const auto message = deframer.Next(bytes)) {
      ARKA_CHECK(reinterpret_cast<uintptr_t>(message->data() + message->size()) % 64 == 0);
      outcome.messages.push_back(message->ToString());
    }
  }
  outcome.failed = deframer.failure().has_value();
  outcome.mid_message = deframer.mid_message();
}

Outcome Whole(ByteSpan bytes, MessageBudget& budget) {
  GrpcDeframer deframer(1 << 16, budget);
  Outcome outcome;
  Take(deframer, bytes, outcome);
  return outcome;
}

Outcome InPieces(ByteSpan bytes, size_t piece_bytes, MessageBudget& budget) {
  GrpcDeframer deframer(1 << 16, budget);
  Outcome outcome;
  while (!bytes.empty() && !outcome.failed) {
    const MutableByteSpan target = deframer.target();
    ByteSpan piece = bytes.first(std::min(piece_bytes, bytes.size()));
    if (!target.empty()) {
      piece = piece.first(std::min(piece.size(), target.size()));
      std::memcpy(target.data(), piece.data(), piece.size());
      Take(deframer, target.first(piece.size()), outcome);
    } else {
      Take(deframer, piece, outcome);
    }
    bytes = bytes.subspan(piece.size());
  }
  return outcome;
}

}  // namespace
}  // namespace arka::transport

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arka::transport;
  if (size < 1) return 0;
  const arka::ByteSpan bytes{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  MessageBudget budget(1 << 20);
  const Outcome whole = Whole(bytes, budget);
  const Outcome pieces = InPieces(bytes, size_t{data[0]} % 31 + 1, budget);
  ARKA_CHECK(whole == pieces);
  ARKA_CHECK(budget.used() == 0);
  return 0;
}
