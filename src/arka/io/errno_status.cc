#include "arka/io/errno_status.h"

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/statvfs.h>
#include <unistd.h>

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

// "No space left on device" is said of two things, and df shows only one of them by default.
std::string WhatIsUsedUp(std::string_view path) {
  struct statvfs disk = {};
  std::filesystem::path there(path);
  while (statvfs(there.empty() ? "." : there.c_str(), &disk) != 0) {
    if (there.empty() || there == there.parent_path()) return "";
    there = there.parent_path();
  }
  std::ostringstream text;
  if (disk.f_files > 0 && disk.f_favail == 0) {
    text << ": all " << disk.f_files
         << " inodes of the file system are in use (df -i); remove files that are not needed";
  } else {
    text << ": " << (disk.f_bavail * disk.f_frsize >> 10)
         << " KB are free on the file system (df); make room";
  }
  return std::move(text).str();
}

// What the system's own words leave open.
std::string Explanation(int error_number, std::string_view path) {
  switch (error_number) {
    case ENOSPC:
      return WhatIsUsedUp(path);
    case EROFS:
      return ": the file system is mounted read-only, or the kernel made it so after an error of "
             "the disk (mount, dmesg)";
    case EACCES:
    case EPERM:
      return ": this process runs as user " + std::to_string(geteuid());
    default:
      return "";
  }
}

}  // namespace

Status ErrnoStatus(int error_number, std::string_view action, std::string_view path) {
  return Error(CodeOfErrno(error_number), "cannot ", action, " ", path, ": ",
               std::generic_category().message(error_number), " (errno ", error_number, ")",
               Explanation(error_number, path));
}

}  // namespace arka
