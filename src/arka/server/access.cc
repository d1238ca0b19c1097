#include "arka/server/access.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/auth/digest.h"
#include "arka/io/curl_http_client.h"
#include "arka/io/file_text.h"

namespace arka {
namespace {

constexpr std::chrono::milliseconds kLookEvery{1'000};
constexpr std::chrono::seconds kKeysPatience{5};
constexpr int64_t kMaxKeysBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<Access>> Access::Open(const Config& config, Fs& fs, Clock& clock) {
  std::unique_ptr<Access> access(new Access(config, fs, clock));
  if (config.server.allow_insecure) {
    spdlog::warn("server.allow_insecure is set: whoever reaches {} is let in, or heard, or both",
                 FormatListenAddress(config.server.listen));
  }
  if (config.auth.credentials_path.empty()) return access;
  ARROW_ASSIGN_OR_RAISE(access->credentials_,
                        auth::CredentialsFile::Open(fs, config.auth.credentials_path));
  if (!config.log.audit_path.empty()) {
    ARROW_ASSIGN_OR_RAISE(access->audit_, auth::AuditLog::Open(clock, config.log.audit_path));
  }
  ARROW_RETURN_NOT_OK(access->OpenJwtKeys());
  auth::AuthenticatorOptions options;
  options.token_lifetime = config.auth.token_lifetime;
  options.jwt_keys = access->jwt_keys_.get();
  options.jwt_rules = {.issuer = config.auth.jwt_issuer,
                       .audience = config.auth.jwt_audience,
                       .principal_claim = config.auth.jwt_principal_claim};
  access->authenticator_ =
      std::make_unique<auth::Authenticator>(*access->credentials_, clock, options);
  return access;
}

Status Access::OpenJwtKeys() {
  const std::string& location = config_.auth.jwt_keys;
  if (location.empty()) return Status::OK();
  if (auth::JwtKeys::IsUrl(location)) {
    CurlHttpOptions http;
    http.connect_timeout = kKeysPatience;
    http.request_timeout = kKeysPatience;
    http.max_response_bytes = kMaxKeysBytes;
    ARROW_ASSIGN_OR_RAISE(jwt_http_, CurlHttpClient::Make(http));
  }
  return auth::JwtKeys::Open(fs_, jwt_http_.get(), clock_, location).Value(&jwt_keys_);
}

void Access::Guard(transport::Service& service, transport::HttpHandler& pages,
                   transport::Server& server) {
  service_ =
      std::make_unique<flight::AuthenticatedService>(authenticator_.get(), audit_.get(), service);
  service_->Bind(server.loops());
  pages_ = std::make_unique<http::AuthenticatedPages>(authenticator_.get(), audit_.get(), pages);
  std::vector<RefreshedFile> files;
  if (credentials_ != nullptr) {
    files.push_back({"credentials", [this] { return credentials_->Refresh(); }});
  }
  if (!config_.server.tls_cert_path.empty()) {
    files.push_back({"certificates", [this, &server] { return RefreshTls(server); }});
  }
  if (!files.empty()) {
    refreshers_.push_back(std::make_unique<FileRefresher>(clock_, kLookEvery, std::move(files)));
  }
  if (jwt_keys_ == nullptr) return;
  // On a thread of their own: who has the keys may be slow.
  refreshers_.push_back(std::make_unique<FileRefresher>(
      clock_, kLookEvery,
      std::vector<RefreshedFile>{{"keys of JWTs", [this] { return jwt_keys_->Refresh(); }}}));
}

/// What the start has read is read once more: the files may have changed since.
Status Access::RefreshTls(transport::Server& server) {
  std::string all;
  for (const std::string* path : {&config_.server.tls_cert_path, &config_.server.tls_key_path,
                                  &config_.server.tls_client_ca_path}) {
    if (path->empty()) continue;
    const auto text = ReadFileText(fs_, *path);
    all += auth::Sha256(text.ok() ? *text : text.status().message());
  }
  if (all == tls_seen_) return Status::OK();
  const bool is_first = tls_seen_.empty();
  tls_seen_ = all;
  ARROW_RETURN_NOT_OK(server.ReloadTls());
  if (!is_first) spdlog::info("certificates: read again, for connections to come");
  return Status::OK();
}

void Access::Reload() {
  for (const auto& refresher : refreshers_) refresher->RefreshSoon();
}

}  // namespace arka
