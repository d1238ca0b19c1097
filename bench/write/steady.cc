#include "batches.h"
#include "modes.h"
#include "percentiles.h"
#include "write_stream.h"

#include <thread>
#include <vector>

namespace arka::bench {
namespace {

using arrow::Result;
using arrow::Status;
using Clock = WriteStream::Clock;

// When each write is due. Streams take turns, so that together they make `rate`.
struct Timetable {
  Clock::time_point start;
  std::chrono::nanoseconds interval;  // between two writes of one stream
  std::chrono::nanoseconds offset;    // of this stream

  Clock::time_point due(int64_t write) const { return start + offset + interval * write; }
};

struct Lane {
  WriteStream stream;
  Timetable timetable;
  std::vector<Percentiles> latencies;  // by level; filled by the reading thread
  Percentiles lateness;                // of the client itself: sent after due
  Status status;
};

Status WriteOnTime(const Batches& batches, int64_t writes, Lane& lane) {
  for (int64_t i = 0; i < writes; ++i) {
    const auto due = lane.timetable.due(i);
    if (Clock::now() < due) std::this_thread::sleep_until(due);
    lane.lateness.Add(Clock::now() - due);
    ARROW_RETURN_NOT_OK(lane.stream.Write(batches.at(i)));
  }
  return lane.stream.DoneWriting();
}

void Drive(const Batches& batches, int64_t writes, Lane& lane) {
  lane.stream.ledger().set_on_ack([&](size_t level, int64_t write, Clock::time_point now) {
    lane.latencies[level].Add(now - lane.timetable.due(write));
  });
  Status read;
  std::thread reader([&] { read = lane.stream.ReadAllAcks(); });
  Status write = WriteOnTime(batches, writes, lane);
  reader.join();
  Status finish = lane.stream.Finish();
  lane.status = !read.ok() ? read : !finish.ok() ? finish : write;
}

}  // namespace

Result<nlohmann::json> RunSteady(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Batches batches, MakeBatches(options.batch, options.rows, 1000));
  std::vector<Lane> lanes;
  for (int i = 0; i < options.streams; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto connection, Connect(options.port));
    ARROW_ASSIGN_OR_RAISE(auto stream, WriteStream::Open(connection, options, batches.schema));
    lanes.push_back(
        Lane{std::move(stream), {}, std::vector<Percentiles>(options.levels.size()), {}, {}});
  }
  const auto step = std::chrono::nanoseconds(static_cast<int64_t>(1e9 / options.rate));
  const auto start = Clock::now() + std::chrono::milliseconds(50);
  for (int i = 0; i < options.streams; ++i) {
    lanes[i].timetable = Timetable{start, step * options.streams, step * i};
  }
  const auto writes = static_cast<int64_t>(options.rate * options.seconds / options.streams);
  std::vector<std::thread> threads;
  for (Lane& lane : lanes) threads.emplace_back([&] { Drive(batches, writes, lane); });
  for (std::thread& thread : threads) thread.join();

  nlohmann::json levels;
  Percentiles lateness;
  std::vector<Percentiles> latencies(options.levels.size());
  for (Lane& lane : lanes) {
    ARROW_RETURN_NOT_OK(lane.status);
    lateness.Merge(lane.lateness);
    for (size_t i = 0; i < latencies.size(); ++i) latencies[i].Merge(lane.latencies[i]);
  }
  for (size_t i = 0; i < latencies.size(); ++i) levels[options.levels[i]] = latencies[i].ToJson();
  return nlohmann::json{{"seconds", options.seconds},
                        {"rate", options.rate},
                        {"writes", writes * options.streams},
                        {"levels", levels},
                        {"client_lateness", lateness.ToJson()}};
}

}  // namespace arka::bench
