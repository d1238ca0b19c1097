#include "arka/auth/credentials_file.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "arka/auth/digest.h"
#include "arka/io/file_text.h"

namespace arka::auth {

Result<std::unique_ptr<CredentialsFile>> CredentialsFile::Open(Fs& fs, std::string path) {
  std::unique_ptr<CredentialsFile> file(new CredentialsFile(fs, std::move(path)));
  ARROW_RETURN_NOT_OK(WithContext(file->Refresh(), "auth.credentials"));
  return file;
}

std::shared_ptr<const Credentials> CredentialsFile::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Status CredentialsFile::Refresh() {
  auto text = ReadFileText(fs_, path_);
  const std::string digest = text.ok() ? Sha256(*text) : "unreadable: " + text.status().message();
  if (digest == seen_) return Status::OK();
  seen_ = digest;
  ARROW_RETURN_NOT_OK(text.status());
  ARROW_ASSIGN_OR_RAISE(Credentials parsed, ParseCredentials(*text, path_));
  spdlog::info("credentials: {} read: {} password(s), {} token(s)", path_, parsed.passwords.size(),
               parsed.token_users.size());
  {
    const std::lock_guard lock(mutex_);
    current_ = std::make_shared<const Credentials>(std::move(parsed));
  }
  generation_.fetch_add(1, std::memory_order_release);
  return Status::OK();
}

}  // namespace arka::auth
