#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace arka::bench {

// What one run of the benchmark client does. Filled from the command line in client.cc and not
// changed afterwards, so every thread may read it.
struct ClientOptions {
  int port = 0;
  std::string table = "bench";
  // Levels whose acks are checked, in their order; the first is the one a write must reach first.
  std::vector<std::string> levels = {"LOCAL_DISK"};
  // Asks the server for these levels only and to keep the stream open until the last of them
  // (headers arka-acks, arka-ack-until). The echo ignores headers, so false only documents intent.
  bool send_headers = true;

  std::string batch = "narrow";  // or "realistic"
  int64_t rows = 1;
  int streams = 1;
  double seconds = 0;   // pipelined, ping-pong, steady, open: how long to write
  int64_t writes = 0;   // pipelined, ping-pong: writes per stream instead of seconds
  double rate = 10000;  // steady: writes a second, all streams together
  int streams_per_connection = 1;
  std::chrono::seconds patience{120};  // for acks after the last write; then the run has failed
};

}  // namespace arka::bench
