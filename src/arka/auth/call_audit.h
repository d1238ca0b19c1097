// The audit lines of one call: of everything that its caller was let do or was refused; where
// nothing was asked for, one line that he was let in.
//
// Shared by whoever asks on the call's behalf; the last line is written when the last of them has
// let go. Without a log nothing is written.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "arka/auth/audit_log.h"
#include "arka/auth/caller.h"
#include "arka/auth/identity.h"

namespace arka::auth {

class CallAudit : public std::enable_shared_from_this<CallAudit> {
 public:
  /// `log` (null: none) must outlive it.
  CallAudit(AuditLog* log, std::string peer, std::string call);
  ~CallAudit();

  /// Before anybody else holds it.
  void SetCall(std::string call) { entry_.call = std::move(call); }
  /// Who calls: from now on what he asks for is written.
  void Watch(const Identity& identity, Caller& caller);
  /// The same of what he is refused only: he is asked again, and watched, where he is not.
  void WatchForRefusals(const Identity& identity, Caller& caller);
  /// He was refused, or let in where there is no more to be asked, or put out later.
  void Say(const Status& outcome);

 private:
  void Add(std::string right, std::string table, const Status& outcome);

  AuditLog* const log_;
  AuditEntry entry_;
  std::atomic<bool> said_{false};
  bool only_refusals_ = false;
};

}  // namespace arka::auth
