// arka_simulate [FROM-TO [SHARD/SHARDS]]: lives a life for every seed (or for those of one shard)
// and prints those that break an invariant. The environment's ARKA_SIMULATION_SEEDS=FROM-TO comes
// before the argument. Exits with 1 where a seed failed.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <spdlog/spdlog.h>

#include "arka/simulation/simulation.h"

int main(int argc, char** argv) {
  using arka::simulation::Outcome;
  spdlog::set_level(spdlog::level::off);
  const char* from_environment = std::getenv("ARKA_SIMULATION_SEEDS");
  const std::string wanted = from_environment != nullptr ? from_environment
                             : argc > 1                  ? argv[1]
                                                         : "1-1000";
  uint64_t from = 0, to = 0, shard = 0, shards = 1;
  const bool parsed = std::sscanf(wanted.c_str(), "%" SCNu64 "-%" SCNu64, &from, &to) == 2;
  if (!parsed || (argc > 2 && std::sscanf(argv[2], "%" SCNu64 "/%" SCNu64, &shard, &shards) != 2) ||
      shards == 0) {
    std::fprintf(stderr, "usage: arka_simulate [FROM-TO [SHARD/SHARDS]]\n");
    return 2;
  }
  Outcome all;
  int64_t lives = 0, failed = 0;
  for (uint64_t seed = from; seed <= to; ++seed) {
    if (seed % shards != shard) continue;
    const Outcome outcome = arka::simulation::Simulate(seed);
    for (const std::string& violation : outcome.violations) {
      std::printf("seed %" PRIu64 ": %s\n", seed, violation.c_str());
    }
    if (!outcome.violations.empty()) {
      ++failed;
      std::printf("seed %" PRIu64
                  " failed; replay: ARKA_SIMULATION_TRACE=1 ./dev simulate --from %" PRIu64
                  " --seeds 1\n",
                  seed, seed);
      std::fflush(stdout);
    }
    ++lives;
    all.writes += outcome.writes;
    all.starts += outcome.starts;
    all.deaths += outcome.deaths;
    all.commits += outcome.commits;
    all.backlogs += outcome.backlogs;
    all.refusals += outcome.refusals;
  }
  std::printf("%" PRId64 " lives, %" PRId64 " failed: %" PRId64 " writes, %" PRId64
              " starts, %" PRId64 " deaths, %" PRId64 " commits, %" PRId64
              " rounds with a backlog, %" PRId64 " writes refused for want of room\n",
              lives, failed, all.writes, all.starts, all.deaths, all.commits, all.backlogs,
              all.refusals);
  return failed == 0 ? 0 : 1;
}
