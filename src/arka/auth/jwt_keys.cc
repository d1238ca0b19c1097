#include "arka/auth/jwt_keys.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/auth/digest.h"
#include "arka/io/file_text.h"

namespace arka::auth {
namespace {

constexpr std::chrono::minutes kAskEvery{10};
constexpr std::chrono::seconds kAskAgainAfter{30};

bool IsOfThisMachine(std::string_view url) {
  for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(host)) continue;
    const std::string_view rest = url.substr(host.size());
    if (rest.empty() || rest[0] == ':' || rest[0] == '/') return rest.find('@') == rest.npos;
  }
  return false;
}

}  // namespace

bool JwtKeys::IsUrl(std::string_view location) {
  return location.starts_with("http://") || location.starts_with("https://");
}

Result<std::unique_ptr<JwtKeys>> JwtKeys::Open(Fs& fs, HttpClient* http, const Clock& clock,
                                               std::string location) {
  const bool is_url = IsUrl(location);
  if (is_url && !location.starts_with("https://") && !IsOfThisMachine(location)) {
    return Error(ErrorCode::kInvalidRequest, "auth.jwt.keys is '", location,
                 "': expected https://, since whoever changes the keys on their way gets in");
  }
  std::unique_ptr<JwtKeys> keys(new JwtKeys(fs, http, clock, std::move(location)));
  const Status first = WithContext(keys->Refresh(), "auth.jwt.keys");
  if (!is_url) ARROW_RETURN_NOT_OK(first);
  if (!first.ok()) spdlog::error("{}; nobody gets in by a JWT until it answers", first.message());
  return keys;
}

Result<std::shared_ptr<const JsonWebKeys>> JwtKeys::current() const {
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) return current_;
  return Error(ErrorCode::kUnavailable,
               "the keys of the JWTs' issuer could not be read yet; try again in a minute");
}

bool JwtKeys::IsDue() {
  if (http_ == nullptr || !asked_at_) return true;
  const auto since = clock_.Now() - *asked_at_;
  const bool has_keys = current().ok();
  return since >= kAskEvery || (since >= kAskAgainAfter && (missed_ || !has_keys));
}

Result<std::string> JwtKeys::Read() {
  if (http_ == nullptr) return ReadFileText(fs_, location_);
  asked_at_ = clock_.Now();
  missed_ = false;
  ::arka::HttpRequest request;
  request.url = location_;
  request.headers = {{"accept", "application/json"}};
  ARROW_ASSIGN_OR_RAISE(auto response, http_->Send(request));
  if (response.status == 200) return std::move(response.body);
  return Error(ErrorCode::kUnavailable, location_, " answered with HTTP status ", response.status,
               "; expected 200 and a JSON Web Key Set");
}

Status JwtKeys::Refresh() {
  if (!IsDue()) return Status::OK();
  auto text = Read();
  const std::string digest = text.ok() ? Sha256(*text) : "unreadable: " + text.status().message();
  if (digest == seen_) return Status::OK();
  seen_ = digest;
  ARROW_RETURN_NOT_OK(text.status());
  auto parsed = ParseJsonWebKeys(*text);
  if (!parsed.ok()) return WithContext(parsed.status(), location_);
  spdlog::info("jwt: {} key(s) read from {}", parsed->size(), location_);
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<const JsonWebKeys>(*std::move(parsed));
  return Status::OK();
}

}  // namespace arka::auth
