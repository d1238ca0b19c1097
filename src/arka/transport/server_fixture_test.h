// A real server on a free port, with a service whose methods each show one behaviour.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/io/system_clock.h"
#include "arka/transport/server.h"

namespace arka::transport {

/// What handlers saw, for the test's thread to wait for. Thread-safe.
class Journal {
 public:
  void Add(std::string event);
  /// Whether `event` has come `count` times within ten seconds.
  bool Await(const std::string& event, size_t count = 1);
  size_t Count(const std::string& event) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;  // guarded by mutex_
};

/// /t/Echo answers every message with itself and half-close with OK; /t/Hang answers nothing;
/// /t/Refuse ends at once; /t/First ends at the first message; /t/Pause pauses at the first message
/// until Resume; /t/Pour writes 1 MiB messages as fast as they are taken, 64 of them.
class TestService final : public Service {
 public:
  explicit TestService(Journal& journal) : journal_(journal) {}
  std::unique_ptr<CallHandler> Start(ServerCall& call) override;
  /// Resumes the last call to /t/Pause.
  void Resume();

  Journal& journal_;
  std::function<void()> resume_;  // set on the loop before "paused" is in the journal
};

/// "/later" answers from another thread; "/pour" streams 64 MiB as fast as they are taken, "/break"
/// a piece and then no end, "/hang" a piece and then nothing; "/never" is not answered; "/large"
/// takes a body of 1 MiB, "/refused" none; everything else "<method> <path> <body>".
class TestHttpHandler final : public HttpHandler {
 public:
  explicit TestHttpHandler(Journal& journal) : journal_(journal) {}
  ~TestHttpHandler() override;
  BodyTerms Admit(const HttpRequest& head) override;
  void Handle(HttpRequest request, HttpResponder respond) override;
  /// Forgets the requests to /never.
  void LetGo();
  bool AllClientsGone() const;

 private:
  Journal& journal_;
  std::vector<std::thread> threads_;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> unanswered_;  // guarded by mutex_
};

class ServerTest : public testing::Test {
 protected:
  void StartServer(ServerOptions options = {});
  uint16_t port() const { return server_->port(); }
  /// Whether the counters show no call and no received bytes within ten seconds.
  bool AwaitIdle();

  SystemClock clock_;
  Journal journal_;
  TestService service_{journal_};
  TestHttpHandler http_{journal_};
  std::unique_ptr<Server> server_;
};

}  // namespace arka::transport
