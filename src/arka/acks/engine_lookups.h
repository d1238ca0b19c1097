// What ack cursors ask about how far the server is, answered by the engine.
#pragma once

#include "arka/acks/ack_cursor.h"
#include "arka/acks/ack_cursors.h"
#include "arka/ingest/engine.h"

namespace arka::acks {

ReachedTiers ReachedOf(const ingest::Progress& progress);

/// The engine must outlive the lookup.
TimeLookup TimesOf(const ingest::Engine& engine);

/// The table must outlive the lookup.
CommitLookup CommitsOf(const ingest::Table& table);

}  // namespace arka::acks
