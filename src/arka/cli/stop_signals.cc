#include "arka/cli/stop_signals.h"

#include <csignal>
#include <cstdlib>
#include <cstring>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace arka::cli {
namespace {

// Wakes the thread of StopWhileStarting when it is no longer wanted.
constexpr int kWake = SIGUSR2;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

sigset_t StopSignalsAnd(int other) {
  sigset_t signals = StopSignals();
  sigaddset(&signals, other);
  return signals;
}

}  // namespace

void BlockStopSignals() {
  sigset_t signals = StopSignalsAnd(kWake);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void WaitForStopSignal(const std::function<void()>& on_hangup) {
  const sigset_t signals = StopSignalsAnd(SIGHUP);
  int signal = 0;
  for (sigwait(&signals, &signal); signal == SIGHUP; sigwait(&signals, &signal)) {
    spdlog::info("{}: reading credentials and certificates again", strsignal(signal));
    on_hangup();
  }
  spdlog::info("{}: shutting down; once more to stop at once", strsignal(signal));
}

void LetStopSignalsKill() {
  std::thread([] {
    const sigset_t signals = StopSignals();
    int signal = 0;
    sigwait(&signals, &signal);
    std::_Exit(128 + signal);
  }).detach();
}

StopWhileStarting::StopWhileStarting()
    : thread_([this] {
        const sigset_t signals = StopSignalsAnd(kWake);
        int signal = 0;
        sigwait(&signals, &signal);
        if (signal == kWake) return;
        if (started_) {
          kill(getpid(), signal);
          return;
        }
        spdlog::info("{}: stopped before the start was complete; the next one goes on",
                     strsignal(signal));
        spdlog::default_logger()->flush();
        std::_Exit(0);
      }) {}

StopWhileStarting::~StopWhileStarting() {
  started_ = true;
  pthread_kill(thread_.native_handle(), kWake);
  thread_.join();
}

}  // namespace arka::cli
