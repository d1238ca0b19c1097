#include "arka/flight/update_result.h"

#include "arka/flight/flight.pb.h"
#include "arka/flight_sql/flight_sql.pb.h"

namespace arka::flight {

std::shared_ptr<arrow::Buffer> UpdateResultMessage(int64_t rows) {
  ::arrow::flight::protocol::sql::DoPutUpdateResult update;
  update.set_record_count(rows);
  ::arrow::flight::protocol::PutResult result;
  result.set_app_metadata(update.SerializeAsString());
  return arrow::Buffer::FromString(result.SerializeAsString());
}

}  // namespace arka::flight
