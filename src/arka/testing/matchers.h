// gmock matchers for Status and Result, and the bytes of literals.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "arka/base/error.h"
#include "arka/io/fs.h"
#include "arka/testing/faulty_call.h"

namespace arka {

/// A Status or Result that is OK; prints the failure.
MATCHER(IsOk, "") {
  const Status status = internal::StatusOf(arg);
  *result_listener << status.ToString();
  return status.ok();
}

/// A failed Status or Result that carries `code`.
MATCHER_P(FailsWith, code, std::string("fails with ") + std::string(ErrorCodeName(code))) {
  const Status status = internal::StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && CodeOf(status) == code;
}

/// The bytes of `text`; they live as long as it does.
inline ByteSpan BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string TextOf(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace arka
