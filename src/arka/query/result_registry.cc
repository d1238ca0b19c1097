#include "arka/query/result_registry.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace arka::query {
namespace {

constexpr size_t kNameBytes = 36;  // of a UUID

std::string_view NameOf(std::string_view ticket) { return ticket.substr(0, kNameBytes); }

}  // namespace

std::vector<std::string> ResultRegistry::Hold(std::string principal,
                                              std::shared_ptr<HeldResult> result, size_t parts) {
  const std::string name = MakeUuid(random_);
  std::vector<std::string> tickets;
  for (size_t i = 0; i < parts; ++i) tickets.push_back(name + "/" + std::to_string(i));
  std::lock_guard lock(mutex_);
  if (held_.size() >= options_.max_results) ForgetOldest();
  held_[name] = {std::move(principal), std::move(result), parts, clock_.Now()};
  return tickets;
}

Result<ResultRegistry::Found> ResultRegistry::Find(std::string_view principal,
                                                   std::string_view ticket) {
  std::lock_guard lock(mutex_);
  const auto held = held_.find(NameOf(ticket));
  if (held != held_.end() && held->second.principal == principal &&
      ticket.size() > kNameBytes + 1 && ticket[kNameBytes] == '/') {
    const std::string_view number = ticket.substr(kNameBytes + 1);
    size_t part = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), part);
    if (parsed.ec == std::errc() && parsed.ptr == number.data() + number.size() &&
        part < held->second.parts) {
      held->second.last_used = clock_.Now();
      return Found{held->second.result, part};
    }
  }
  return Error(ErrorCode::kNotFound,
               "no such ticket, or one that has expired: tickets are forgotten ",
               std::chrono::duration_cast<std::chrono::seconds>(options_.lifetime).count(),
               " s after their last use. GetFlightInfo gives new ones out");
}

bool ResultRegistry::Cancel(std::string_view principal, std::string_view ticket) {
  std::lock_guard lock(mutex_);
  const auto held = held_.find(NameOf(ticket));
  if (held == held_.end() || held->second.principal != principal) return false;
  held->second.result->Cancel();
  held_.erase(held);
  return true;
}

void ResultRegistry::Sweep() {
  const SteadyTime oldest = clock_.Now() - options_.lifetime;
  std::lock_guard lock(mutex_);
  std::erase_if(held_, [&](const auto& entry) { return entry.second.last_used < oldest; });
}

void ResultRegistry::ForgetOldest() {
  held_.erase(std::ranges::min_element(held_, {},
                                       [](const auto& entry) { return entry.second.last_used; }));
}

size_t ResultRegistry::size() const {
  std::lock_guard lock(mutex_);
  return held_.size();
}

}  // namespace arka::query
