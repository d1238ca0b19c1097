#include "arka/auth/audit_log.h"

#include <array>
#include <ctime>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace arka::auth {
namespace {

constexpr int64_t kMaxWaiting = 100'000;  // lines; a disk that hangs must not fill the memory

std::string TimeText(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t whole = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string millis = std::to_string(1000 + (time - seconds).count() / 1000).substr(1);
  return std::string(text.data(), size) + "." + millis + "Z";
}

std::string LineOf(const AuditEntry& entry, WallTime now) {
  nlohmann::ordered_json line = {{"time", TimeText(now)}};
  for (const auto& [name, value] :
       {std::pair("principal", &entry.principal), std::pair("proof", &entry.proof),
        std::pair("peer", &entry.peer), std::pair("call", &entry.call),
        std::pair("right", &entry.right), std::pair("table", &entry.table),
        std::pair("result", &entry.result)}) {
    line[name] = value->empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(*value);
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string AuditResultOf(const Status& status) {
  if (status.ok()) return "OK";
  switch (CodeOf(status)) {
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    case ErrorCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorCode::kBackpressure:
      return "RESOURCE_EXHAUSTED";
    default:
      return "UNAVAILABLE";
  }
}

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const Clock& clock, std::string path) {
  if (!std::ofstream(path, std::ios::app)) {
    return Error(ErrorCode::kInvalidRequest, "log.audit: cannot write to '", path, "'");
  }
  return std::unique_ptr<AuditLog>(new AuditLog(clock, std::move(path)));
}

void AuditLog::Add(AuditEntry entry) {
  if (waiting_.fetch_add(1) >= kMaxWaiting) {
    waiting_.fetch_sub(1);
    dropped_.fetch_add(1);
    return;
  }
  thread_.Post([this, entry = std::move(entry), now = clock_.WallNow()] {
    Write(LineOf(entry, now));
    waiting_.fetch_sub(1);
  });
}

void AuditLog::Write(const std::string& line) {
  std::ofstream file(path_, std::ios::app);
  if (const int64_t dropped = dropped_.exchange(0); dropped > 0) {
    file << R"({"time":null,"dropped":)" << dropped << "}\n";
  }
  file << line << "\n";
  file.close();
  if (!file && !failing_) spdlog::error("audit: cannot write to {}; calls go on", path_);
  failing_ = !file;
}

}  // namespace arka::auth
