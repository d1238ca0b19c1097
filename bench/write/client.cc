// The load generator of `./dev bench write`: a Flight client as any C++ user would write it, on
// Arrow's own library, against Arka or the echo. Prints one JSON object. Exit codes: 0 every write
// was acknowledged as it should be, 1 it was not, 2 the command line is wrong.

#include "modes.h"

#include <iostream>
#include <map>

#include <CLI/CLI.hpp>

namespace {

using arka::bench::ClientOptions;
using Mode = arrow::Result<nlohmann::json> (*)(const ClientOptions&);

const std::map<std::string, Mode> kModes = {{"pipelined", arka::bench::RunPipelined},
                                            {"ping-pong", arka::bench::RunPingPong},
                                            {"steady", arka::bench::RunSteady},
                                            {"open-streams", arka::bench::RunOpenStreams}};

}  // namespace

int main(int argc, char** argv) {
  ClientOptions options;
  std::string mode;
  bool json = false;
  CLI::App app{"Load on a Flight server that acknowledges writes"};
  app.add_option("mode", mode, "pipelined, ping-pong, steady, open-streams")->required();
  app.add_option("--port", options.port)->required();
  app.add_option("--table", options.table);
  app.add_option("--levels", options.levels, "comma separated, in their order")->delimiter(',');
  app.add_option("--batch", options.batch, "narrow, realistic");
  app.add_option("--rows", options.rows, "per write");
  app.add_option("--streams", options.streams);
  app.add_option("--seconds", options.seconds);
  app.add_option("--writes", options.writes, "per stream, instead of --seconds");
  app.add_option("--rate", options.rate, "steady: writes a second, all streams together");
  app.add_option("--streams-per-connection", options.streams_per_connection, "open-streams");
  app.add_flag("--json", json, "print one line instead of an indented object");
  CLI11_PARSE(app, argc, argv);
  auto found = kModes.find(mode);
  if (found == kModes.end() || options.rows < 1 || options.streams < 1 || options.levels.empty() ||
      options.streams_per_connection < 1 || (options.seconds <= 0 && options.writes <= 0)) {
    std::cerr << "bad mode or count; --help\n";
    return 2;
  }
  auto result = found->second(options);
  if (!result.ok()) {
    std::cerr << mode << ": " << result.status().ToString() << "\n";
    return 1;
  }
  std::cout << result->dump(json ? -1 : 2) << std::endl;
  return 0;
}
