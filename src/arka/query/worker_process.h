// A query worker's process, and the channel to it. Ends the process when it is destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include "arka/base/error.h"
#include "arka/sql/worker_channel.h"

namespace arka::query {

struct WorkerOptions {
  std::string program;  // the path of arka-query-worker
  int threads = 2;
  int64_t memory_limit_bytes = int64_t{1} << 30;
  std::string catalog = "lake";
  std::string default_namespace = "arka";
};

class WorkerProcess {
 public:
  /// Starts the program, with no environment: it may hold secrets. kUnavailable where it cannot be
  /// started.
  static Result<std::unique_ptr<WorkerProcess>> Start(const WorkerOptions& options);

  /// Kills it, and waits for its end.
  ~WorkerProcess();

  /// It ends some time after this; does not wait.
  void Kill();

  /// Whether it still waits for work; of one that does.
  bool IsWaiting() const;

  sql::WorkerChannel& channel() { return channel_; }
  pid_t id() const { return id_; }

  /// What became of a worker that no longer answers: kTooLarge where it was killed, as the system
  /// does for want of memory.
  Status WhyItEnded();

 private:
  WorkerProcess(pid_t id, sql::WorkerChannel channel) : id_(id), channel_(std::move(channel)) {}

  const pid_t id_;
  sql::WorkerChannel channel_;
  bool waited_for_ = false;
};

/// Where the program should be: beside the one that runs.
std::string WorkerProgramPath();

}  // namespace arka::query
