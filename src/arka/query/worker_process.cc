#include "arka/query/worker_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace arka::query {
namespace {

constexpr int kSocket = 3;  // in the worker

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const WorkerOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto ends, sql::WorkerChannel::MakePair());
  std::vector<std::string> arguments = {options.program,
                                        std::to_string(kSocket),
                                        std::to_string(options.threads),
                                        std::to_string(options.memory_limit_bytes),
                                        options.catalog,
                                        options.default_namespace};
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* const no_environment[] = {nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends.second.socket(), kSocket);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The signals that end the server are the server's to handle; a terminal's Ctrl-C too.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t id = -1;
  const int failed =
      posix_spawn(&id, options.program.c_str(), &actions, &attributes, argv.data(), no_environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Error(ErrorCode::kUnavailable, "the query worker ", options.program,
                 " cannot be started: ", std::strerror(failed));
  }
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(id, std::move(ends.first)));
}

void WorkerProcess::Kill() {
  if (!waited_for_) kill(id_, SIGKILL);
}

WorkerProcess::~WorkerProcess() {
  if (waited_for_) return;
  Kill();
  while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool WorkerProcess::IsWaiting() const {
  char byte = 0;
  return recv(channel_.socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Status WorkerProcess::WhyItEnded() {
  Kill();  // where it only closed its end
  int status = 0;
  while (!waited_for_ && waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  waited_for_ = true;
  if (WIFSIGNALED(status)) {
    return Error(ErrorCode::kTooLarge, "the query was ended by the signal ", WTERMSIG(status), " (",
                 strsignal(WTERMSIG(status)),
                 "): most likely it needed more memory than query.memory_limit allows");
  }
  return Error(ErrorCode::kInternal, "the query worker ended by itself, with exit code ",
               WEXITSTATUS(status));
}

std::string WorkerProgramPath() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (self.parent_path() / "arka-query-worker").string();
}

}  // namespace arka::query
