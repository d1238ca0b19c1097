// `arka serve`: runs the server until it is told to stop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arka/server/edge_decorators.h"

namespace arka::cli {

struct ServeArguments {
  std::optional<std::string> config_path;
  std::vector<std::string> settings;  // "key=value"
  bool recover_from_object_store = false;
  std::vector<std::string> give_up_writes_of;  // UUIDs of tables
};

inline constexpr int kExitTryAgain = 1;   // the disk is full, the directory locked, a store away
inline constexpr int kExitMendFirst = 2;  // the same start fails again

/// Blocks until SIGTERM or SIGINT; the first one shuts down in order (at once where the server has
/// not started yet), a second one ends the process at once (nothing that was acknowledged at
/// LOCAL_DISK is lost). Answers the exit code: 0 after an orderly stop, 2 for a bad configuration
/// or a data directory that no server can start on, 1 where the server cannot start now.
/// `decorators` are for test programs.
int Serve(const ServeArguments& arguments, const EdgeDecorators& decorators = {});

}  // namespace arka::cli
