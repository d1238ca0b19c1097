// Who makes a call, and what he may do: what every service asks before it does something.
//
// One per call (transport::ServerCall::caller(), transport::HttpRequest::caller). A service that
// does something to a table calls Require first, and ends the call with its error. Where no
// credentials are configured everybody may do everything, under the name "anonymous". Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "arka/auth/grants.h"
#include "arka/auth/right.h"
#include "arka/base/error.h"

namespace arka::auth {

class Caller {
 public:
  /// One that may do everything.
  static std::shared_ptr<Caller> Anyone();

  /// Without grants (null) the caller may do everything.
  Caller(std::string principal, std::shared_ptr<const Grants> grants)
      : principal_(std::move(principal)), grants_(std::move(grants)) {}

  /// The name by which the caller has proved to be known. What is his alone (sessions, tickets) is
  /// kept under it.
  const std::string& principal() const { return principal_; }

  /// kPermissionDenied, naming principal, right and table, where the caller may not; "sales.orders"
  /// is a table.
  Status Require(Right right, std::string_view table);
  /// The same for every table there is and will be.
  Status RequireOnAll(Right right);

  /// Whether Require would succeed: to leave out of a list what the caller may not see.
  bool May(Right right, std::string_view table) const;

  /// Is told of what Require decides: of every refusal, and of the first time that each thing is
  /// allowed. Before the caller is asked anything; any thread.
  using Watch = std::function<void(Right right, const std::string& table, const Status& decision)>;
  void SetWatch(Watch watch) { watch_ = std::move(watch); }

  /// From now on `grants` decide. Fails as Require does for the first thing that the caller was
  /// allowed before and may do no longer.
  Status Renew(std::shared_ptr<const Grants> grants);

 private:
  struct Need {
    Right right;
    std::string table;  // "*": all
    bool operator==(const Need&) const = default;
  };

  Status Check(const Need& need) const;  // with mutex_ held
  Status Allow(Need need);

  const std::string principal_;
  Watch watch_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Grants> grants_;  // guarded by mutex_
  std::vector<Need> allowed_;             // guarded by mutex_
};

}  // namespace arka::auth
