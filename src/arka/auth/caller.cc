#include "arka/auth/caller.h"

#include <algorithm>
#include <utility>

namespace arka::auth {
namespace {

constexpr std::string_view kAll = "*";

}  // namespace

std::shared_ptr<Caller> Caller::Anyone() { return std::make_shared<Caller>("anonymous", nullptr); }

Status Caller::Require(Right right, std::string_view table) {
  return Allow({right, std::string(table)});
}

Status Caller::RequireOnAll(Right right) { return Allow({right, std::string(kAll)}); }

bool Caller::May(Right right, std::string_view table) const {
  const std::lock_guard lock(mutex_);
  return Check({right, std::string(table)}).ok();
}

Status Caller::Renew(std::shared_ptr<const Grants> grants) {
  const std::lock_guard lock(mutex_);
  grants_ = std::move(grants);
  for (const Need& need : allowed_) ARROW_RETURN_NOT_OK(Check(need));
  return Status::OK();
}

Status Caller::Allow(Need need) {
  const std::lock_guard lock(mutex_);
  Status decision = Check(need);
  const bool is_new = std::ranges::find(allowed_, need) == allowed_.end();
  if (watch_ && (is_new || !decision.ok())) watch_(need.right, need.table, decision);
  if (is_new && decision.ok()) allowed_.push_back(std::move(need));
  return decision;
}

Status Caller::Check(const Need& need) const {
  if (grants_ == nullptr) return Status::OK();
  const bool all = need.table == kAll;
  const bool allowed = all ? grants_->AllowOnAll(principal_, need.right)
                           : grants_->Allow(principal_, need.right, need.table);
  if (allowed) return Status::OK();
  return Error(ErrorCode::kPermissionDenied, "'", principal_, "' has no '", RightName(need.right),
               "' right on ", all ? "all tables (a grant on '*')" : "table '" + need.table + "'",
               "; the operator gives it in the credentials file's grants");
}

}  // namespace arka::auth
