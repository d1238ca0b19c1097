// The two ends of the socket between the server and a query worker: whole frames, either way.
//
// A frame is a fixed header, a text (JSON, or an IPC message's metadata), a body, and perhaps open
// files, which the other end gets as its own. Only Arka's own programs of one build speak it, so
// the header is in the machine's byte order. One thread at a time on each end; blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"
#include "arka/io/file_descriptor.h"

namespace arka::sql {

enum class FrameKind : uint32_t {
  kParse = 1,  // to the worker: a statement's text; answered by kParsed or kError
  kParsed,     // the tables that it names
  kDescribe,   // to the worker: RunRequest; answered by kDescribed or kError
  kDescribed,  // the schemas of the result and of the parameters, as two IPC messages
  kRun,        // to the worker: RunRequest, its parameters as the body: an IPC stream of one row,
               // or nothing; answered by kSchema, kRows …, kDone, or by kError at any point
  kSchema,     // of the rows that follow: an IPC message as the body
  kRows,       // a record batch: an IPC message's metadata, and its body
  kDone,       // there are no more rows
  kError,      // an ErrorCode's name and a message
};

struct Frame {
  FrameKind kind = FrameKind::kError;
  std::string text;
  std::shared_ptr<arrow::Buffer> body;  // never null; its start is 64-byte aligned
  std::vector<FileDescriptor> files;
};

class WorkerChannel {
 public:
  /// A connected stream socket.
  explicit WorkerChannel(FileDescriptor socket) : socket_(std::move(socket)) {}

  /// Two connected ends, closed when a program is executed.
  static Result<std::pair<WorkerChannel, WorkerChannel>> MakePair();

  /// The parts of the body are sent one after the other. kUnavailable where the other end is gone.
  Status Send(FrameKind kind, std::string_view text,
              const std::vector<std::shared_ptr<arrow::Buffer>>& body = {},
              const std::vector<int>& files = {});

  /// The next frame. kTimedOut where it has not come after `patience`, kUnavailable where the
  /// other end is gone, kCorruption for what is no frame.
  Result<Frame> Receive(std::chrono::milliseconds patience);

  int socket() const { return socket_.number(); }

 private:
  FileDescriptor socket_;
};

}  // namespace arka::sql
