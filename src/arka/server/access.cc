#include "arka/server/access.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace arka {
namespace {

constexpr std::chrono::milliseconds kLookEvery{1'000};

}  // namespace

Result<std::unique_ptr<Access>> Access::Open(const Config& config, Fs& fs, Clock& clock) {
  std::unique_ptr<Access> access(new Access(clock));
  if (config.server.allow_insecure) {
    spdlog::warn("server.allow_insecure is set: whoever reaches {} is let in, or heard, or both",
                 FormatListenAddress(config.server.listen));
  }
  if (config.auth.credentials_path.empty()) return access;
  ARROW_ASSIGN_OR_RAISE(access->credentials_,
                        auth::CredentialsFile::Open(fs, config.auth.credentials_path));
  auth::AuthenticatorOptions options;
  options.token_lifetime = config.auth.token_lifetime;
  access->authenticator_ =
      std::make_unique<auth::Authenticator>(*access->credentials_, clock, options);
  return access;
}

void Access::Guard(transport::Service& service, transport::HttpHandler& pages,
                   const std::vector<transport::EventLoop*>& loops) {
  service_ = std::make_unique<flight::AuthenticatedService>(authenticator_.get(), service);
  service_->Bind(loops);
  pages_ = std::make_unique<http::AuthenticatedPages>(authenticator_.get(), pages);
  std::vector<RefreshedFile> files;
  if (credentials_ != nullptr) {
    files.push_back({"credentials", [this] { return credentials_->Refresh(); }});
  }
  if (files.empty()) return;
  refresher_ = std::make_unique<FileRefresher>(clock_, kLookEvery, std::move(files));
}

void Access::Reload() {
  if (refresher_ != nullptr) refresher_->RefreshSoon();
}

}  // namespace arka
