#include "arka/protocol/ack_json.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace arka::protocol {

std::string IsoTime(int64_t timestamp_us) {
  constexpr int64_t kMicros = 1'000'000;
  int64_t micros = timestamp_us % kMicros;
  if (micros < 0) micros += kMicros;
  const std::time_t seconds = (timestamp_us - micros) / kMicros;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text;
  size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  size += std::snprintf(text.data() + size, text.size() - size, ".%06dZ", static_cast<int>(micros));
  return std::string(text.data(), size);
}

std::string EventsJson(const std::vector<AckRun>& runs) {
  std::string json = "[";
  for (const AckRun& run : runs) {
    std::string rest = R"(,"durability_level":")";
    rest += TierName(run.tier);
    rest += R"(","is_durability_update":)";
    rest += run.tier == Tier::kMemory ? "false" : "true";
    rest += R"(,"timestamp":")" + IsoTime(run.timestamp_us) + R"(","snapshot_id":)";
    rest += run.snapshot_id == 0 ? "null" : std::to_string(run.snapshot_id);
    for (int64_t lsn = run.first.value; lsn <= run.last.value; ++lsn) {
      if (json.size() > 1) json += ',';
      json += R"({"lsn":)" + std::to_string(lsn) + rest + '}';
    }
  }
  return json + ']';
}

}  // namespace arka::protocol
