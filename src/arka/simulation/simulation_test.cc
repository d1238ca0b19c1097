// The simulation itself; many seeds are lived by arka_simulate (simulate_main.cc).
#include "arka/simulation/simulation.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace arka::simulation {
namespace {

TEST(Simulation, TheSameSeedIsTheSameLifeToTheLastOperation) {
  spdlog::set_level(spdlog::level::off);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = Simulate(seed);
    EXPECT_EQ(first.violations, std::vector<std::string>()) << "seed " << seed;
    EXPECT_EQ(first.trace_hash, Simulate(seed).trace_hash) << "seed " << seed;
  }
  EXPECT_NE(Simulate(1).trace_hash, Simulate(2).trace_hash);
}

}  // namespace
}  // namespace arka::simulation
