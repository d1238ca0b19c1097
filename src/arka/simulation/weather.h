// Which faults there are at the moment: each edge of the process is calm, flaky or down, and that
// changes. What a flaky edge fails, it fails before the effect, half done, or after it.
#pragma once

#include "arka/simulation/world.h"

namespace arka::simulation {

class Weather {
 public:
  explicit Weather(World& world);

  /// One edge changes: calms down, becomes flaky, or goes away for a while.
  void Change();
  /// No faults, from now on.
  void Calm();
  /// The process is dead: what it still tries has no effect, until Calm.
  void CutOff();

 private:
  enum class Edge { kDisk, kDiskSpace, kObjects, kWarehouse, kCatalog, kLateCommits };

  void ChangeDisk();
  void Trouble(FaultPlan& plan, const std::vector<Status>& errors, int64_t one_in);

  World& world_;
  const int64_t harshness_;  // 0: a calm life … 3
  bool late_commits_ = false;
};

}  // namespace arka::simulation
