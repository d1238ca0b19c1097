#include "arka/flight_sql/any_message.h"

#include <utility>

#include "arka/flight_sql/flight_sql.pb.h"

namespace arka::flight_sql {
namespace {

constexpr std::string_view kPackage = "arrow.flight.protocol.sql.";
constexpr std::string_view kUrlPrefix = "type.googleapis.com/";

}  // namespace

std::optional<AnyMessage> Unwrap(std::string_view bytes) {
  ::arrow::flight::protocol::sql::Any any;
  if (!any.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  std::string_view name = any.type_url();
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  name.remove_prefix(slash + 1);
  if (!name.starts_with(kPackage)) return std::nullopt;
  name.remove_prefix(kPackage.size());
  return AnyMessage{std::string(name), std::move(*any.mutable_value())};
}

std::string Wrap(std::string_view name, std::string value) {
  ::arrow::flight::protocol::sql::Any any;
  any.set_type_url(std::string(kUrlPrefix) + std::string(kPackage) + std::string(name));
  any.set_value(std::move(value));
  return any.SerializeAsString();
}

}  // namespace arka::flight_sql
