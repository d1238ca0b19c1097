// An action that is one change of a table: made on the engine's thread for that, answered on the
// call's loop. Base of seal, unseal and alter_table.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "arka/flight/action.h"
#include "arka/flight/action_body.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/table_changes.h"

namespace arka::flight {

/// What is to be done, and the answer.
using TableChange = std::function<Result<nlohmann::ordered_json>(ingest::TableChanges& changes)>;

/// Begins it; the call is ended once it is done. A call that ends meanwhile does not stop it.
std::unique_ptr<Action> StartTableChange(const ActionContext& context, TableChange change);

/// The table that the body names under "table"; kPermissionDenied where the caller may not change
/// it.
Result<iceberg::TableIdentifier> TableOf(const ActionContext& context, const ActionBody& body);

}  // namespace arka::flight
