// What a Stream is put together from (Client::Open does it).
#pragma once

#include "arka_client/options.h"
#include "courier.h"
#include "endpoint.h"
#include "outbox.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace arka::client {

/// The thread that calls on_ack, so that a slow one holds up neither acks nor writes. It shares
/// what it needs, and may outlive the stream for the one call in which it is.
class Teller {
 public:
  Teller(std::shared_ptr<Outbox> outbox, std::function<void(const Ack&)> on_ack);

  /// Waits until the stream has ended and all is told, or until then.
  void AwaitEnd(Deadline until);
  /// Makes no further call, and waits for the one that is under way until then.
  void Leave(Deadline until);

 private:
  struct Shared {
    std::atomic<bool> leaving = false;
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::thread thread_;
};

struct StreamParts {
  std::string table;
  std::string producer;
  std::string session;
  std::shared_ptr<Endpoint> endpoint;
  std::shared_ptr<Outbox> outbox;
  std::shared_ptr<Courier> courier;
  std::unique_ptr<Teller> teller;  // null without on_ack
};

}  // namespace arka::client
