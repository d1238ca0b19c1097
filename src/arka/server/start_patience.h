// What a start does while the object store or the catalog is away: it waits, and says so.
//
// An outage is no reason to exit: a restart would not end it, and hides from whoever is paged what
// is the matter. So the port stays open, /healthz green and /readyz red with the reason
// (start_gate.h), and the log repeats it. What no waiting mends ends the start: wrong credentials,
// a bucket that is not there. Used by the composition root, one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/server/start_gate.h"

namespace arka {

class StartPatience {
 public:
  /// `gate` must outlive it.
  explicit StartPatience(StartGate& gate) : gate_(gate) {}

  /// Something outside the process that the start needs; `probe` asks it for something small.
  void Need(std::string name, std::function<Status()> probe);

  /// Returns once all that is needed answers. An error that waiting does not mend, at once.
  Status AwaitAll();

  /// Runs `start`, and again after an outage that began while it ran. Its error where everything
  /// that is needed answers.
  Status Run(const std::function<Status()>& start);

 private:
  struct Edge {
    std::string name;
    std::function<Status()> probe;
  };

  Status Await(const Edge& edge);
  bool AllAnswer() const;

  StartGate& gate_;
  std::vector<Edge> edges_;
};

}  // namespace arka
