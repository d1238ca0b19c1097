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
};

/// Blocks until SIGTERM or SIGINT; the first one shuts down in order, a second one ends the process
/// at once (nothing that was acknowledged at LOCAL_DISK is lost). Answers the exit code: 0 after an
/// orderly stop, 2 for a bad configuration, 1 where the server cannot start. `decorators` are for
/// test programs.
int Serve(const ServeArguments& arguments, const EdgeDecorators& decorators = {});

}  // namespace arka::cli
