// `arka serve` that dies as by kill -9 at one operation on the edges of its process, before or
// after its effect: the real composition root with the fault decorators before Fs, object stores
// and catalog. For tests/crash/kill_points.py; takes what `arka serve` takes and
//
//   --die EDGE.KIND:TARGET:N:before   the N-th operation of that kind whose target contains TARGET,
//   --die EDGE.KIND:TARGET:N:after    e.g. warehouse.put:.parquet:2:after,
//   catalog.commit_table::1:before
//   --trace FILE                      writes every operation there, one a line
#include <atomic>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "arka/cli/serve_command.h"
#include "arka/iceberg_testing/faulty_catalog.h"
#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/faulty_object_store.h"

namespace arka {
namespace {

/// Where to die; counts the operations that match. Thread-safe.
class DeathPoint {
 public:
  /// From the form that the head of this file shows; nothing where `text` has another.
  static std::optional<DeathPoint> Parse(const std::string& text) {
    const size_t kind_end = text.find(':');
    const size_t moment_begin = text.rfind(':');
    if (kind_end == std::string::npos || moment_begin <= kind_end) return std::nullopt;
    const size_t nth_begin = text.rfind(':', moment_begin - 1);
    if (nth_begin == std::string::npos || nth_begin <= kind_end) return std::nullopt;
    DeathPoint point;
    point.kind_ = text.substr(0, kind_end);
    point.target_ = text.substr(kind_end + 1, nth_begin - kind_end - 1);
    const char* nth_end = text.data() + moment_begin;
    if (std::from_chars(text.data() + nth_begin + 1, nth_end, point.nth_).ptr != nth_end) {
      return std::nullopt;
    }
    const std::string moment = text.substr(moment_begin + 1);
    if (moment != "before" && moment != "after") return std::nullopt;
    point.moment_ = moment == "before" ? FaultPlan::Moment::kBefore : FaultPlan::Moment::kAfter;
    return point;
  }

  bool Matches(FaultPlan::Moment moment, const std::string& kind,
               const Operation& operation) const {
    return moment == moment_ && kind == kind_ &&
           operation.target.find(target_) != std::string::npos;
  }
  int64_t nth() const { return nth_; }

 private:
  std::string kind_;
  std::string target_;
  int64_t nth_ = 1;
  FaultPlan::Moment moment_ = FaultPlan::Moment::kBefore;
};

/// Sees every operation of every edge; ends the process at the death point.
class Watcher {
 public:
  Watcher(std::optional<DeathPoint> point, const std::string& trace_path)
      : point_(std::move(point)) {
    if (!trace_path.empty()) trace_.open(trace_path);
  }

  void See(std::string_view edge, FaultPlan::Moment moment, const Operation& operation) {
    const std::string kind = std::string(edge) + "." + operation.kind;
    const std::lock_guard lock(mutex_);
    if (trace_.is_open() && moment == FaultPlan::Moment::kBefore) {
      trace_ << kind << " " << operation.target << std::endl;
    }
    if (!point_ || !point_->Matches(moment, kind, operation) || ++matched_ != point_->nth()) return;
    // No thread of this process does anything after this call.
    kill(getpid(), SIGKILL);
  }

 private:
  const std::optional<DeathPoint> point_;
  std::mutex mutex_;
  int64_t matched_ = 0;  // guarded by mutex_
  std::ofstream trace_;  // guarded by mutex_
};

/// One edge: its decorator, made when the server starts, and the plan under which it tells
/// `watcher`.
template <typename Edge, typename Decorator>
class Watched {
 public:
  Watched(std::string_view name, Watcher& watcher) {
    plan_.Observe([name, &watcher](FaultPlan::Moment moment, const Operation& operation) {
      watcher.See(name, moment, operation);
    });
  }
  std::function<Edge&(Edge&)> decorator() {
    return [this](Edge& real) -> Edge& {
      decorated_ = std::make_unique<Decorator>(real, plan_);
      return *decorated_;
    };
  }

 private:
  FaultPlan plan_;
  std::unique_ptr<Decorator> decorated_;
};

int Main(int argc, char** argv) {
  CLI::App app{"arka serve, dying at a chosen operation"};
  app.require_subcommand(1);
  CLI::App* serve = app.add_subcommand("serve", "As arka serve");
  cli::ServeArguments arguments;
  std::string die, trace;
  serve->add_option("--set", arguments.settings, "key=value");
  serve->add_option("--die", die, "EDGE.KIND:TARGET:N:before|after");
  serve->add_option("--trace", trace, "where every operation is written");
  CLI11_PARSE(app, argc, argv);

  std::optional<DeathPoint> point;
  if (!die.empty() && !(point = DeathPoint::Parse(die))) {
    std::cerr << "--die: '" << die << "': expected EDGE.KIND:TARGET:N:before|after\n";
    return 2;
  }
  Watcher watcher(point, trace);
  Watched<Fs, FaultyFs> fs("fs", watcher);
  Watched<ObjectStore, FaultyObjectStore> objects("objects", watcher);
  Watched<ObjectStore, FaultyObjectStore> warehouse("warehouse", watcher);
  Watched<iceberg::Catalog, iceberg::FaultyCatalog> catalog("catalog", watcher);
  return cli::Serve(arguments, {.fs = fs.decorator(),
                                .objects = objects.decorator(),
                                .warehouse = warehouse.decorator(),
                                .catalog = catalog.decorator()});
}

}  // namespace
}  // namespace arka

int main(int argc, char** argv) { return arka::Main(argc, argv); }
