#include "arka/cli/serve_command.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "arka/cli/stop_signals.h"
#include "arka/io/object_stores.h"
#include "arka/server/arka_server.h"
#include "arka/server/config.h"

namespace arka::cli {
namespace {

// Logs go to stderr: stdout is for the one line that says the server is ready.
void SetUpLogging(const Config& config) {
  auto logger =
      std::make_shared<spdlog::logger>("arka", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::from_str(config.log.level));
  logger->set_pattern(config.log.format == "json"
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":"%v"})"
                          : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v",
                      config.log.format == "json" ? spdlog::pattern_time_type::utc
                                                  : spdlog::pattern_time_type::local);
  spdlog::set_default_logger(std::move(logger));
}

// Every connection is an open file, and a shell's usual soft limit is 1,024 of them.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// What keeps a service manager from starting in vain, and a person from waiting in vain.
int FailedStart(const Status& status) {
  const ErrorCode code = CodeOf(status);
  const bool again = IsRetryable(code) || code == ErrorCode::kInternal;
  std::cerr << "arka: cannot start: " << status.message() << "\narka: "
            << (again ? "starting again may help (exit code 1)"
                      : "starting again does not help before that is mended (exit code 2)")
            << "\n";
  return again ? kExitTryAgain : kExitMendFirst;
}

Result<std::unique_ptr<ArkaServer>> Start(const Config& config, StartOptions options,
                                          const EdgeDecorators& decorators) {
  const StopWhileStarting stop;
  return ArkaServer::Start(config, options, decorators);
}

int RunUntilStopped(const Config& config, StartOptions options, const EdgeDecorators& decorators) {
  auto server = Start(config, options, decorators);
  if (!server.ok()) {
    return FailedStart(server.status());
  }
  std::cout << "arka " << Version() << " ready on " << (*server)->address() << " (data in "
            << std::filesystem::absolute(config.server.data_dir).lexically_normal().string() << ")"
            << std::endl;
  WaitForStopSignal([&] { (*server)->Reload(); });
  LetStopSignalsKill();
  const Status stopped = (*server)->Shutdown();
  if (!stopped.ok()) spdlog::warn("shutdown: {}", stopped.message());
  if (!stopped.ok() && (*server)->has_hanging_commit()) {
    spdlog::warn("shutdown: a commit has not returned; stopping without it");
    spdlog::default_logger()->flush();
    std::_Exit(0);
  }
  server->reset();
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int Serve(const ServeArguments& arguments, const EdgeDecorators& decorators) {
  BlockStopSignals();
  std::signal(SIGPIPE, SIG_IGN);
  const auto config = LoadConfig(arguments.config_path, arguments.settings, ProcessEnvironment());
  if (!config.ok()) {
    std::cerr << "arka: " << config.status().message() << "\n";
    return kExitMendFirst;
  }
  SetUpLogging(*config);
  RaiseFileLimit();
  const StartOptions options{arguments.recover_from_object_store, arguments.give_up_writes_of};
  const int code = RunUntilStopped(*config, options, decorators);
  const Status finalized = FinalizeObjectStores();
  if (!finalized.ok()) spdlog::warn("{}", finalized.message());
  return code;
}

}  // namespace arka::cli
