// The program `arka-query-worker`: started by `arka serve`, not by hand. It runs the SQL of
// queries, so that nothing that a statement does can harm the server.
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <poll.h>
#include <unistd.h>

#include "arka/sql_worker/process_limits.h"
#include "arka/sql_worker/worker.h"

namespace {

constexpr int kArguments = 6;

// What the server counts on beside DuckDB's own bound: results on their way out, code, threads.
constexpr int64_t kBesideDuckDbBytes = int64_t{512} << 20;

template <typename Number>
bool ToNumber(std::string_view text, Number* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && *number > 0;
}

// A statement may run for long when the server dies.
void EndWithTheServer(int socket) {
  std::thread([socket] {
    pollfd peer{socket, POLLRDHUP, 0};
    while (poll(&peer, 1, -1) < 0) {
    }
    _exit(0);
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  arka::sql_worker::DatabaseOptions options;
  int socket = -1;
  if (argc != kArguments || !ToNumber(argv[1], &socket) || !ToNumber(argv[2], &options.threads) ||
      !ToNumber(argv[3], &options.memory_limit_bytes)) {
    std::fputs(
        "arka-query-worker is started by 'arka serve' (see query.workers in its configuration);\n"
        "usage: arka-query-worker SOCKET THREADS MEMORY_BYTES CATALOG DEFAULT_NAMESPACE\n",
        stderr);
    return 2;
  }
  options.catalog = argv[4];
  options.default_namespace = argv[5];
  arka::Status status =
      arka::sql_worker::LimitThisProcess(socket, options.memory_limit_bytes + kBesideDuckDbBytes);
  if (status.ok()) {
    EndWithTheServer(socket);
    arka::sql::WorkerChannel channel{arka::FileDescriptor(socket)};
    status = arka::sql_worker::Worker(std::move(channel), std::move(options)).Run();
  }
  if (!status.ok()) std::fprintf(stderr, "arka-query-worker: %s\n", status.message().c_str());
  // Without DuckDB's clean-up, which has nothing to save.
  _exit(status.ok() ? 0 : 1);
}
