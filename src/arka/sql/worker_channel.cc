#include "arka/sql/worker_channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "arka/io/errno_status.h"

namespace arka::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint32_t kMagic = 0x414b5153;  // "SQKA"
constexpr uint64_t kMaxTextBytes = 64 << 20;
constexpr uint64_t kMaxBodyBytes = uint64_t{1} << 31;
constexpr size_t kMaxFiles = 253;  // as many as Linux takes with one message

struct Header {
  uint32_t magic = kMagic;
  FrameKind kind = FrameKind::kError;
  uint32_t files = 0;
  uint32_t reserved = 0;
  uint64_t text_bytes = 0;
  uint64_t body_bytes = 0;
};

Status Gone() { return Error(ErrorCode::kUnavailable, "the other end of the channel is gone"); }

// Room for kMaxFiles descriptors beside a message.
struct alignas(cmsghdr) FileRoom {
  std::array<char, CMSG_SPACE(kMaxFiles * sizeof(int))> bytes = {};
};

void Attach(const std::vector<int>& files, FileRoom& room, msghdr& message) {
  if (files.empty()) return;
  message.msg_control = room.bytes.data();
  message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
  std::memcpy(CMSG_DATA(control), files.data(), files.size() * sizeof(int));
}

void Detach(msghdr& message, std::vector<FileDescriptor>& files) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
      files.emplace_back(number);
    }
  }
}

// Reads until `bytes` are there; files that come along are taken.
Status ReadFully(int socket, uint8_t* out, size_t bytes, steady_clock::time_point deadline,
                 std::vector<FileDescriptor>& files) {
  while (bytes > 0) {
    FileRoom room;
    iovec piece{out, bytes};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes.data();
    message.msg_controllen = room.bytes.size();
    const ssize_t read = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (read > 0) {
      Detach(message, files);
      out += read;
      bytes -= static_cast<size_t>(read);
      continue;
    }
    if (read == 0 || errno == ECONNRESET) return Gone();
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrnoStatus(errno, "recvmsg", "a query worker's channel");
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return Error(ErrorCode::kTimedOut, "no frame came in time");
    pollfd waiting{socket, POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, INT_MAX)));
  }
  return Status::OK();
}

}  // namespace

Result<std::pair<WorkerChannel, WorkerChannel>> WorkerChannel::MakePair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoStatus(errno, "socketpair", "a query worker's channel");
  }
  return std::pair(WorkerChannel(FileDescriptor(ends[0])), WorkerChannel(FileDescriptor(ends[1])));
}

Status WorkerChannel::Send(FrameKind kind, std::string_view text,
                           const std::vector<std::shared_ptr<arrow::Buffer>>& body,
                           const std::vector<int>& files) {
  Header header{.kind = kind, .files = static_cast<uint32_t>(files.size())};
  header.text_bytes = text.size();
  std::vector<iovec> pieces;
  pieces.push_back({&header, sizeof(header)});
  pieces.push_back({const_cast<char*>(text.data()), text.size()});
  for (const auto& part : body) {
    header.body_bytes += static_cast<uint64_t>(part->size());
    pieces.push_back({const_cast<uint8_t*>(part->data()), static_cast<size_t>(part->size())});
  }
  if (files.size() > kMaxFiles || header.text_bytes > kMaxTextBytes ||
      header.body_bytes > kMaxBodyBytes) {
    return Error(ErrorCode::kTooLarge, "a frame of ", header.text_bytes, " + ", header.body_bytes,
                 " bytes and ", files.size(), " files is too large for a query worker's channel");
  }
  FileRoom room;
  bool attach = true;
  for (size_t first = 0; first < pieces.size();) {
    msghdr message{};
    message.msg_iov = pieces.data() + first;
    message.msg_iovlen = std::min<size_t>(pieces.size() - first, IOV_MAX);
    if (attach) Attach(files, room, message);
    ssize_t sent = sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE || errno == ECONNRESET) return Gone();
      return ErrnoStatus(errno, "sendmsg", "a query worker's channel");
    }
    attach = false;
    while (first < pieces.size() && static_cast<size_t>(sent) >= pieces[first].iov_len) {
      sent -= static_cast<ssize_t>(pieces[first++].iov_len);
    }
    if (first == pieces.size()) break;
    pieces[first].iov_base = static_cast<uint8_t*>(pieces[first].iov_base) + sent;
    pieces[first].iov_len -= static_cast<size_t>(sent);
  }
  return Status::OK();
}

Result<Frame> WorkerChannel::Receive(milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  Frame frame;
  Header header;
  ARROW_RETURN_NOT_OK(ReadFully(socket_.number(), reinterpret_cast<uint8_t*>(&header),
                                sizeof(header), deadline, frame.files));
  if (header.magic != kMagic || header.text_bytes > kMaxTextBytes ||
      header.body_bytes > kMaxBodyBytes) {
    return Error(ErrorCode::kCorruption, "what came over a query worker's channel is no frame");
  }
  frame.kind = header.kind;
  frame.text.resize(header.text_bytes);
  ARROW_RETURN_NOT_OK(ReadFully(socket_.number(), reinterpret_cast<uint8_t*>(frame.text.data()),
                                header.text_bytes, deadline, frame.files));
  ARROW_ASSIGN_OR_RAISE(auto body, arrow::AllocateBuffer(static_cast<int64_t>(header.body_bytes)));
  ARROW_RETURN_NOT_OK(
      ReadFully(socket_.number(), body->mutable_data(), header.body_bytes, deadline, frame.files));
  if (frame.files.size() != header.files) {
    return Error(ErrorCode::kCorruption, "a frame announced ", header.files, " files and brought ",
                 frame.files.size());
  }
  frame.body = std::move(body);
  return frame;
}

}  // namespace arka::sql
