// The C++ client's part of `./dev bench clients` (bench/clients/README.md).
#include "arka_client/client.h"
#include "contents.h"
#include "raw.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace arka::client::bench {
namespace {

using arrow::Result;
using nlohmann::json;
using std::chrono::steady_clock;

Result<std::unique_ptr<Stream>> OpenStream(Client& client, const Asked& asked) {
  StreamOptions options;
  options.schema = Schema();
  return client.Open(asked.table, std::move(options));
}

Result<json> Writes(const Asked& asked) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Client::Connect(asked.url));
  ARROW_ASSIGN_OR_RAISE(const auto stream, OpenStream(*client, asked));
  const Clock clock(asked.seconds);
  Contents contents(asked.rows);
  while (!clock.over()) {
    ARROW_ASSIGN_OR_RAISE(auto batch, contents.Next());
    ARROW_RETURN_NOT_OK(stream->Write(std::move(batch)).status());
  }
  ARROW_RETURN_NOT_OK(stream->WaitForDurability(Tier::kLocalDisk));
  const json counted = {{"writes", stream->written()}, {"seconds", clock.seconds()}};
  ARROW_RETURN_NOT_OK(stream->Close());
  return counted;
}

Result<json> Latency(const Asked& asked) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Client::Connect(asked.url));
  ARROW_ASSIGN_OR_RAISE(const auto stream, OpenStream(*client, asked));
  const Clock clock(asked.seconds);
  Contents contents(asked.rows);
  Latencies latencies;
  while (!clock.over()) {
    const auto began = steady_clock::now();
    ARROW_ASSIGN_OR_RAISE(auto batch, contents.Next());
    ARROW_ASSIGN_OR_RAISE(const auto write, stream->Write(std::move(batch)));
    ARROW_RETURN_NOT_OK(write.Lsn().status());
    latencies.Add(steady_clock::now() - began);
  }
  ARROW_RETURN_NOT_OK(stream->Close());
  return latencies.ToJson();
}

Result<json> Rows(const Asked& asked) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Client::Connect(asked.url));
  AppenderOptions options;
  options.stream.schema = Schema();
  ARROW_ASSIGN_OR_RAISE(const auto appender, client->OpenAppender(asked.table, std::move(options)));
  const Clock clock(asked.seconds);
  int64_t rows = 0;
  char text[kTextBytes + 1];
  for (; rows % 256 != 0 || !clock.over(); ++rows) {
    FormatText(rows, text);
    ARROW_RETURN_NOT_OK(appender->Append({rows, std::string_view(text, kTextBytes)}));
  }
  ARROW_RETURN_NOT_OK(appender->Flush(Tier::kLocalDisk));
  const json counted = {{"rows", rows}, {"seconds", clock.seconds()}};
  ARROW_RETURN_NOT_OK(appender->Close());
  return counted;
}

int Main(int argc, char** argv) {
  Asked asked;
  std::string mode;
  CLI::App app{"Writes to a server and measures"};
  app.add_option("MODE", mode)
      ->required()
      ->check(CLI::IsMember({"raw-writes", "writes", "raw-latency", "latency", "appender"}));
  app.add_option("--url", asked.url)->required();
  app.add_option("--table", asked.table)->required();
  app.add_option("--rows", asked.rows);
  app.add_option("--seconds", asked.seconds);
  app.add_option("--in-flight", asked.in_flight);
  CLI11_PARSE(app, argc, argv);

  const Result<json> measured = mode == "raw-writes"    ? RawWrites(asked)
                                : mode == "raw-latency" ? RawLatency(asked)
                                : mode == "writes"      ? Writes(asked)
                                : mode == "latency"     ? Latency(asked)
                                                        : Rows(asked);
  if (!measured.ok()) {
    std::cerr << measured.status() << "\n";
    return 1;
  }
  std::cout << *measured << std::endl;
  return 0;
}

}  // namespace
}  // namespace arka::client::bench

int main(int argc, char** argv) { return arka::client::bench::Main(argc, argv); }
