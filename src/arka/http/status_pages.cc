#include "arka/http/status_pages.h"

#include <sstream>
#include <string>
#include <utility>

#include "arka/protocol/server_status.h"

namespace arka::http {
namespace {

using transport::HttpRequest;
using transport::HttpResponse;

bool WantsJson(const HttpRequest& request) {
  const auto accept = transport::Find(request.headers, "accept");
  return accept && accept->find("application/json") != std::string_view::npos;
}

HttpResponse Json(const protocol::ServerStatus& status) {
  HttpResponse response;
  response.content_type = "application/json";
  response.body = protocol::ToJson(status) + "\n";
  return response;
}

HttpResponse Text(int code, std::string body) {
  HttpResponse response;
  response.status = code;
  response.body = std::move(body);
  return response;
}

// A line for every table whose writes are not committed.
std::string Problems(const protocol::ServerStatus& status) {
  std::ostringstream lines;
  for (const auto& table : status.tables) {
    if (table.problem.empty()) continue;
    lines << "\ntable " << table.name << ": " << table.pending_writes << " write(s) of about "
          << table.pending_bytes << " bytes wait: " << table.problem << "\n";
  }
  return lines.str();
}

std::string Page(const protocol::ServerStatus& status) {
  std::ostringstream page;
  page << "Arka " << status.version << ", node " << status.node
       << (status.ready ? ": taking writes" : ": NOT taking writes") << "\n\n"
       << "last LSN         " << status.watermarks.last_lsn << "\n"
       << "LOCAL_DISK       " << status.watermarks.disk_lsn << "\n"
       << "OBJECT_STORAGE   " << status.watermarks.s3_lsn << "\n"
       << "COMMITTED        " << status.watermarks.committed_lsn << "\n"
       << "lag              " << status.lag_seconds << " s\n";
  if (!status.problem.empty()) page << "\nproblem: " << status.problem << "\n";
  page << Problems(status);
  page << "\nThis port speaks Arrow Flight (grpc://). As JSON: /api/v1/status\n";
  return page.str();
}

// Of the tables those that the caller may read.
protocol::ServerStatus VisibleStatus(const ingest::Engine& engine, const HttpRequest& request) {
  auto status = engine.status();
  std::erase_if(status.tables, [&](const auto& table) {
    return !request.caller->May(auth::Right::kRead, table.name);
  });
  return status;
}

}  // namespace

void StatusPages::Handle(HttpRequest request, transport::HttpResponder respond) {
  respond(Answer(request));
}

HttpResponse StatusPages::Answer(const HttpRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refusal = Text(405, "only GET and HEAD are answered here\n");
    refusal.headers.emplace_back("allow", "GET, HEAD");
    return refusal;
  }
  if (request.path == "/healthz") return Text(200, "ok\n");
  if (request.path == "/readyz") {
    if (shutting_down_) return Text(503, "shutting down\n");
    const auto status = VisibleStatus(engine_, request);
    return status.ready ? Text(200, "ready\n" + Problems(status))
                        : Text(503, status.problem + "\n");
  }
  if (request.path == "/api/v1/status") return Json(VisibleStatus(engine_, request));
  if (request.path == "/") {
    const auto status = VisibleStatus(engine_, request);
    return WantsJson(request) ? Json(status) : Text(200, Page(status));
  }
  return Text(404, "nothing here; try /, /healthz, /readyz or /api/v1/status\n");
}

}  // namespace arka::http
