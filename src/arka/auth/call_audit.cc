#include "arka/auth/call_audit.h"

#include <utility>

namespace arka::auth {

CallAudit::CallAudit(AuditLog* log, std::string peer, std::string call) : log_(log) {
  entry_.peer = std::move(peer);
  entry_.call = std::move(call);
}

CallAudit::~CallAudit() {
  if (!said_ && !entry_.principal.empty()) Say(Status::OK());
}

void CallAudit::Watch(const Identity& identity, Caller& caller) {
  entry_.principal = identity.principal;
  entry_.proof = ProofName(identity.proof);
  if (log_ == nullptr) return;
  caller.SetWatch(
      [self = shared_from_this()](Right right, const std::string& table, const Status& decision) {
        self->Add(std::string(RightName(right)), table, decision);
      });
}

void CallAudit::WatchForRefusals(const Identity& identity, Caller& caller) {
  said_ = true;
  Watch(identity, caller);
  only_refusals_ = true;
}

void CallAudit::Say(const Status& outcome) { Add("", "", outcome); }

void CallAudit::Add(std::string right, std::string table, const Status& outcome) {
  said_ = true;
  if (log_ == nullptr || (only_refusals_ && outcome.ok())) return;
  AuditEntry entry = entry_;
  entry.right = std::move(right);
  entry.table = std::move(table);
  entry.result = AuditResultOf(outcome);
  log_->Add(std::move(entry));
}

}  // namespace arka::auth
