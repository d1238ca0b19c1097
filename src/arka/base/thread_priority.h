// How much of the processor a thread gets when there is not enough for all.
#pragma once

namespace arka {

/// From now on the calling thread gives way to threads of ordinary priority, as `nice` does for a
/// process. Best effort: where the system refuses, nothing changes.
void YieldToOtherThreads();

}  // namespace arka
