// The part of the composition root that decides who gets in: credentials and what stands before the
// services.
//
// Made before the port is bound, so that a file that does not parse stops the start.
#pragma once

#include <memory>
#include <vector>

#include "arka/auth/authenticator.h"
#include "arka/auth/credentials_file.h"
#include "arka/flight/authenticated_service.h"
#include "arka/http/authenticated_pages.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/server/config.h"
#include "arka/server/file_refresher.h"

namespace arka {

class Access {
 public:
  /// `fs` and `clock` must outlive it.
  static Result<std::unique_ptr<Access>> Open(const Config& config, Fs& fs, Clock& clock);

  /// Stands before these from now on, for the calls of `loops`, and looks at the files. Once.
  void Guard(transport::Service& service, transport::HttpHandler& pages,
             const std::vector<transport::EventLoop*>& loops);
  transport::Service& service() { return *service_; }
  transport::HttpHandler& pages() { return *pages_; }

  /// Reads what may have changed, without waiting for the next look.
  void Reload();

 private:
  explicit Access(Clock& clock) : clock_(clock) {}

  Clock& clock_;
  std::unique_ptr<auth::CredentialsFile> credentials_;  // null: everybody is let in
  std::unique_ptr<auth::Authenticator> authenticator_;  // the same
  std::unique_ptr<flight::AuthenticatedService> service_;
  std::unique_ptr<http::AuthenticatedPages> pages_;
  std::unique_ptr<FileRefresher> refresher_;
};

}  // namespace arka
