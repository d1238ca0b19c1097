#include "arka/simulation/weather.h"

#include <cerrno>

#include "arka/io/errno_status.h"

namespace arka::simulation {
namespace {

constexpr int64_t kTerabyte = int64_t{1} << 40;

OperationMatcher OneIn(Choices& choices, int64_t count) {
  return [&choices, count](const Operation&) { return choices.OneIn(count); };
}

std::vector<Status> StoreErrors() {
  return {Error(ErrorCode::kIoFailed, "injected: connection reset"),
          Error(ErrorCode::kUnavailable, "injected: 503 slow down"),
          Error(ErrorCode::kTimedOut, "injected: no answer in time")};
}

std::vector<Status> DiskErrors() {
  return {ErrnoStatus(EIO, "write", "injected"), ErrnoStatus(EMFILE, "open", "injected"),
          ErrnoStatus(EROFS, "write", "injected"), ErrnoStatus(EINTR, "write", "injected")};
}

}  // namespace

Weather::Weather(World& world) : world_(world), harshness_(world.choices.Between(0, 3)) {
  world_.catalog_unruly.DelayCommits([this] { return late_commits_ && world_.choices.OneIn(4); });
}

void Weather::Change() {
  if (harshness_ == 0) return;
  Choices& choices = world_.choices;
  const bool calms = choices.OneIn(2);
  const int64_t one_in = choices.OneIn(3) ? 1 : choices.Between(2, 60 / harshness_);
  const auto edge = static_cast<Edge>(choices.Below(6));
  world_.trace.Note("weather: edge ", static_cast<int>(edge), calms ? " calm" : " trouble, one in ",
                    one_in);
  switch (edge) {
    case Edge::kDisk:
      world_.disk_faults.Clear();
      if (!calms) ChangeDisk();
      return;
    case Edge::kDiskSpace:
      return world_.disk.SetCapacity(
          calms ? kTerabyte : choices.Spread(1 << 12, 64 * world_.options.log.segment_bytes));
    case Edge::kObjects:
      world_.object_faults.Clear();
      if (!calms) Trouble(world_.object_faults, StoreErrors(), one_in);
      return;
    case Edge::kWarehouse:
      world_.warehouse_faults.Clear();
      if (!calms) Trouble(world_.warehouse_faults, StoreErrors(), one_in);
      return;
    case Edge::kCatalog:
      world_.catalog_faults.Clear();
      if (calms) return;
      world_.catalog_faults.Add({.matches = Both(OfKind("load_table"), OneIn(choices, one_in)),
                                 .times = kForGood,
                                 .error = Error(ErrorCode::kUnavailable, "injected: 503")});
      world_.catalog_faults.Add({.matches = Both(OfKind("commit_table"), OneIn(choices, one_in)),
                                 .times = kForGood,
                                 .error = Error(ErrorCode::kCommitConflict, "injected: 409")});
      return Trouble(world_.catalog_faults,
                     {Error(ErrorCode::kCommitUnknown, "injected: answer lost")}, one_in);
    case Edge::kLateCommits:
      late_commits_ = !calms;
      return;
  }
}

// A disk that answers an error poisons the log, rightly: so faults come one at a time.
void Weather::ChangeDisk() {
  Choices& choices = world_.choices;
  const auto errors = DiskErrors();
  Fault fault{.nth = choices.Between(1, 60),
              .times = choices.OneIn(3) ? kForGood : 1,
              .effect = static_cast<Effect>(choices.Below(3)),
              .error = errors[choices.Below(static_cast<int64_t>(errors.size()))]};
  switch (choices.Below(4)) {
    case 0:
      fault.matches = OfKind("sync");
      fault.nth = choices.Between(1, 8);
      fault.effect = Effect::kNone;
      // As Linux does: the pages look clean, and never reach the device.
      fault.then = [this](const Operation& operation) {
        (void)world_.disk.ForgetUnsynced(operation.target);
      };
      break;
    case 1:
      // As ErrnoStatus(ENOSPC), which tells of a real disk.
      fault.error = Error(ErrorCode::kBackpressure, "injected: no space left on device");
      break;
    default:
      break;
  }
  world_.disk_faults.Add(std::move(fault));
}

void Weather::Trouble(FaultPlan& plan, const std::vector<Status>& errors, int64_t one_in) {
  for (const Effect effect : {Effect::kNone, Effect::kFull}) {
    const auto& error = errors[world_.choices.Below(static_cast<int64_t>(errors.size()))];
    plan.Add({.matches = OneIn(world_.choices, one_in),
              .times = kForGood,
              .effect = effect,
              .error = error});
  }
}

void Weather::Calm() {
  for (FaultPlan* plan : {&world_.disk_faults, &world_.object_faults, &world_.warehouse_faults,
                          &world_.catalog_faults}) {
    plan->Clear();
  }
  world_.disk.SetCapacity(kTerabyte);
  late_commits_ = false;
}

void Weather::CutOff() {
  for (FaultPlan* plan : {&world_.disk_faults, &world_.object_faults, &world_.warehouse_faults,
                          &world_.catalog_faults}) {
    plan->Clear();
    plan->Add({.times = kForGood, .error = Error(ErrorCode::kIoFailed, "the process is dead")});
  }
}

}  // namespace arka::simulation
