// The part of the composition root that decides who gets in: credentials and what stands before the
// services.
//
// Made before the port is bound, so that a file that does not parse stops the start.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/auth/audit_log.h"
#include "arka/auth/authenticator.h"
#include "arka/auth/credentials_file.h"
#include "arka/auth/jwt_keys.h"
#include "arka/flight/authenticated_service.h"
#include "arka/http/authenticated_pages.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/io/http_client.h"
#include "arka/server/config.h"
#include "arka/server/file_refresher.h"
#include "arka/transport/server.h"

namespace arka {

class Access {
 public:
  /// `fs` and `clock` must outlive it.
  static Result<std::unique_ptr<Access>> Open(const Config& config, Fs& fs, Clock& clock);

  /// Stands before these from now on, for the calls of `server`, which must outlive it, and looks
  /// at the files. Once.
  void Guard(transport::Service& service, transport::HttpHandler& pages, transport::Server& server);
  transport::Service& service() { return *service_; }
  transport::HttpHandler& pages() { return *pages_; }

  /// Reads what may have changed, without waiting for the next look.
  void Reload();

 private:
  Access(const Config& config, Fs& fs, Clock& clock) : config_(config), fs_(fs), clock_(clock) {}
  Status OpenJwtKeys();
  Status RefreshTls(transport::Server& server);

  const Config config_;
  Fs& fs_;
  Clock& clock_;
  std::string tls_seen_;                     // digest of the certificates' files
  std::unique_ptr<auth::AuditLog> audit_;    // null: none
  std::unique_ptr<HttpClient> jwt_http_;     // null: the keys are in a file, or there are none
  std::unique_ptr<auth::JwtKeys> jwt_keys_;  // null: JWTs are not known
  std::unique_ptr<auth::CredentialsFile> credentials_;  // null: everybody is let in
  std::unique_ptr<auth::Authenticator> authenticator_;  // the same
  std::unique_ptr<flight::AuthenticatedService> service_;
  std::unique_ptr<http::AuthenticatedPages> pages_;
  std::vector<std::unique_ptr<FileRefresher>> refreshers_;
};

}  // namespace arka
