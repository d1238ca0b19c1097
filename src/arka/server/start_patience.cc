#include "arka/server/start_patience.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

namespace arka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{5000};

// Something is there that answers, though it has nothing to say.
bool Answers(const Status& probed) { return probed.ok() || CodeOf(probed) == ErrorCode::kNotFound; }

}  // namespace

void StartPatience::Need(std::string name, std::function<Status()> probe) {
  edges_.push_back({std::move(name), std::move(probe)});
}

Status StartPatience::Await(const Edge& edge) {
  milliseconds pause = kFirstPause;
  bool waited = false;
  for (;;) {
    const Status probed = edge.probe();
    if (Answers(probed)) {
      if (waited) spdlog::info("starting: {} answers", edge.name);
      gate_.SetWaitingFor("");
      return Status::OK();
    }
    if (!IsRetryable(CodeOf(probed))) return WithContext(probed, edge.name);
    waited = true;
    gate_.SetWaitingFor(edge.name + ": " + probed.message());
    spdlog::warn("starting: waiting for {}: {}; trying again in {} ms", edge.name, probed.message(),
                 pause.count());
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

Status StartPatience::AwaitAll() {
  for (const Edge& edge : edges_) ARROW_RETURN_NOT_OK(Await(edge));
  return Status::OK();
}

bool StartPatience::AllAnswer() const {
  return std::all_of(edges_.begin(), edges_.end(),
                     [](const Edge& edge) { return Answers(edge.probe()); });
}

Status StartPatience::Run(const std::function<Status()>& start) {
  for (;;) {
    ARROW_RETURN_NOT_OK(AwaitAll());
    const Status started = start();
    if (started.ok() || !IsRetryable(CodeOf(started)) || AllAnswer()) return started;
    spdlog::warn("starting: {}", started.message());
  }
}

}  // namespace arka
