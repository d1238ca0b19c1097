#include "arka/auth/failure_limit.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace arka::auth {
namespace {

std::string AddressOf(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  std::string host(peer.substr(0, colon));
  if (!host.starts_with('[') || !host.ends_with(']')) return host;
  host = host.substr(1, host.size() - 2);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return host;
  return {bytes.data(), bytes.size() / 2};
}

}  // namespace

void FailureLimit::Add(std::string_view peer) {
  const SteadyTime now = clock_.Now();
  const std::lock_guard lock(mutex_);
  SteadyTime& forgiven_at = forgiven_at_[AddressOf(peer)];
  forgiven_at = std::max(forgiven_at, now) + options_.one_every;
  if (forgiven_at_.size() > options_.max_addresses) ForgetOld(now);
}

bool FailureLimit::IsReached(std::string_view peer) {
  const std::lock_guard lock(mutex_);
  const auto found = forgiven_at_.find(AddressOf(peer));
  return found != forgiven_at_.end() &&
         found->second - clock_.Now() > (options_.at_once - 1) * options_.one_every;
}

void FailureLimit::ForgetOld(SteadyTime now) {
  std::erase_if(forgiven_at_, [&](const auto& entry) { return entry.second <= now; });
  while (forgiven_at_.size() > options_.max_addresses) {
    forgiven_at_.erase(
        std::ranges::min_element(forgiven_at_, {}, [](const auto& entry) { return entry.second; }));
  }
}

}  // namespace arka::auth
