// What the disk allows: a file written full once, then overwritten from its start in blocks of one
// size, each followed by fdatasync. That is how a log that recycles its segments writes, one write
// a group. Prints one JSON object per block size. The file stays, for the next probe.

#include "percentiles.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/result.h>
#include <fcntl.h>
#include <unistd.h>

namespace {

using arrow::Result;
using arrow::Status;
using Clock = std::chrono::steady_clock;

Status Failed(const char* call) { return Status::IOError(call, ": ", std::strerror(errno)); }

class ProbeFile {
 public:
  static Result<ProbeFile> Open(const std::string& path, int64_t size_bytes) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Failed("open");
    ProbeFile file(fd, size_bytes);
    if (lseek(fd, 0, SEEK_END) < size_bytes) ARROW_RETURN_NOT_OK(file.Fill());
    return file;
  }
  ProbeFile(ProbeFile&& other) noexcept : fd_(other.fd_), size_bytes_(other.size_bytes_) {
    other.fd_ = -1;
  }
  ~ProbeFile() {
    if (fd_ >= 0) close(fd_);
  }

  Result<nlohmann::json> Measure(int64_t block_bytes, double seconds) {
    const std::vector<char> block(block_bytes, 'x');
    arka::bench::Percentiles latencies;
    int64_t operations = 0;
    const auto start = Clock::now();
    auto now = start;
    for (int64_t offset = 0; now - start < std::chrono::duration<double>(seconds); ++operations) {
      if (offset + block_bytes > size_bytes_) offset = 0;
      if (pwrite(fd_, block.data(), block.size(), offset) != block_bytes) return Failed("pwrite");
      if (fdatasync(fd_) != 0) return Failed("fdatasync");
      const auto done = Clock::now();
      latencies.Add(done - now);
      now = done;
      offset += block_bytes;
    }
    const double elapsed = std::chrono::duration<double>(now - start).count();
    auto json = latencies.ToJson();
    json["block_bytes"] = block_bytes;
    json["ops_per_s"] = static_cast<double>(operations) / elapsed;
    json["mb_per_s"] = static_cast<double>(operations * block_bytes) / elapsed / 1e6;
    return json;
  }

 private:
  ProbeFile(int fd, int64_t size_bytes) : fd_(fd), size_bytes_(size_bytes) {}

  Status Fill() {
    const std::vector<char> block(1 << 20, 'o');
    for (int64_t offset = 0; offset < size_bytes_; offset += 1 << 20) {
      if (pwrite(fd_, block.data(), block.size(), offset) != 1 << 20) return Failed("pwrite");
    }
    return fsync(fd_) == 0 ? Status::OK() : Failed("fsync");
  }

  int fd_;
  int64_t size_bytes_;
};

Status Run(const std::string& path, const std::vector<int64_t>& blocks, double seconds) {
  ARROW_ASSIGN_OR_RAISE(auto file, ProbeFile::Open(path, 256 << 20));
  nlohmann::json result = nlohmann::json::array();
  for (int64_t block : blocks) {
    ARROW_ASSIGN_OR_RAISE(auto json, file.Measure(block, seconds));
    result.push_back(json);
  }
  std::cout << result.dump() << std::endl;
  return Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  std::vector<int64_t> blocks = {4096, 1 << 20};
  double seconds = 1;
  CLI::App app{"The disk's rate for fdatasynced overwrites"};
  app.add_option("file", path)->required();
  app.add_option("--blocks", blocks, "bytes, comma separated")->delimiter(',');
  app.add_option("--seconds", seconds, "per block size");
  CLI11_PARSE(app, argc, argv);
  Status status = Run(path, blocks, seconds);
  if (!status.ok()) std::cerr << "disk probe: " << path << ": " << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
