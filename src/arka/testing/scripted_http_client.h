// An HttpClient that answers what a test wrote down, in order, and keeps what it was asked.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "arka/io/http_client.h"

namespace arka {

class ScriptedHttpClient final : public HttpClient {
 public:
  void Answer(int status, std::string body, std::vector<HttpHeader> headers = {}) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(HttpResponse{status, std::move(headers), std::move(body)});
  }
  /// The next request gets no answer, but this error.
  void Fail(Status error) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(error));
  }

  Result<HttpResponse> Send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (answers_.empty()) {
      return Error(ErrorCode::kInternal, "the script has no answer to ", request.method, " ",
                   request.url);
    }
    Result<HttpResponse> answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Result<HttpResponse>> answers_;  // guarded by mutex_
  std::vector<HttpRequest> requests_;         // guarded by mutex_
};

}  // namespace arka
