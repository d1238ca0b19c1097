#include "arka/http/table_writes.h"

#include <string>
#include <utility>

#include "arka/http/error_answer.h"

namespace arka::http {

transport::BodyTerms TableWrites::Admit(const transport::HttpRequest& head) const {
  if (head.method != "POST") {
    auto refusal = ErrorAnswer(405, "UNIMPLEMENTED", "rows are written with POST");
    refusal.headers.emplace_back("allow", "POST");
    return {{}, std::move(refusal)};
  }
  const std::string type = MediaType(head, "content-type");
  if (!RowFormatOf(type)) {
    return {{},
            ErrorAnswer(415, "INVALID_ARGUMENT",
                        "content-type '" + type.substr(0, 80) + "' is not taken; expected " +
                            std::string(kArrowStreamType) + ", " + std::string(kNdjsonType) +
                            " or " + std::string(kCsvType))};
  }
  if (const auto encoding = transport::Find(head.headers, "content-encoding");
      encoding && *encoding != "identity") {
    return {{},
            ErrorAnswer(415, "INVALID_ARGUMENT",
                        "content-encoding is not taken; Arrow's own compression of an IPC "
                        "stream's batches is")};
  }
  const Status checked = Check(head);
  if (!checked.ok()) return {{}, ErrorAnswer(checked)};
  return {context_.options.max_body_bytes, {}};
}

Status TableWrites::Check(const transport::HttpRequest& head) const {
  if (shutting_down_) return Error(ErrorCode::kShuttingDown, "the server is shutting down");
  ARROW_ASSIGN_OR_RAISE(const auto request, ParseWriteRequest(head));
  return head.caller->Require(auth::Right::kWrite, request.table.ToString());
}

void TableWrites::Handle(transport::HttpRequest request, transport::HttpResponder respond) {
  // Both once more: what Admit said may be news of before the body.
  const Status checked = Check(request);
  if (!checked.ok()) return respond(ErrorAnswer(checked));
  auto parsed = ParseWriteRequest(request);
  auto write = std::make_shared<TableWrite*>(nullptr);
  auto ended = [this, write] {
    // Destroyed outside the lock.
    std::shared_ptr<TableWrite> over;
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(*write);
    if (found == under_way_.end()) return;
    over = std::move(found->second);
    under_way_.erase(found);
  };
  auto owned = std::make_shared<TableWrite>(context_, std::move(*parsed), std::move(request),
                                            std::move(respond), std::move(ended));
  *write = owned.get();
  {
    const std::lock_guard lock(mutex_);
    under_way_.emplace(owned.get(), owned);
  }
  owned->Begin();
}

}  // namespace arka::http
