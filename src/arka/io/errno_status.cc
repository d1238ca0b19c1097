#include "arka/io/errno_status.h"

#include <cerrno>
#include <system_error>

namespace arka {
namespace {

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kBackpressure;
    default:
      return ErrorCode::kIoFailed;
  }
}

}  // namespace

Status ErrnoStatus(int error_number, std::string_view action, std::string_view path) {
  return Error(CodeOfErrno(error_number), "cannot ", action, " ", path, ": ",
               std::generic_category().message(error_number), " (errno ", error_number, ")");
}

}  // namespace arka
