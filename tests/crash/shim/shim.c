// Loaded into the unchanged server with LD_PRELOAD: moves its wall clock and fails or slows its log's
// writes and syncs, as the file that ARKA_SHIM names says. __init__.py writes that file while the
// server runs.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  volatile int64_t clock_offset_seconds;
  volatile int64_t fail_syncs;   // 1: fdatasync and fsync of the log answer EIO and do nothing
  volatile int64_t fail_writes;  // 1: writes to the log answer EIO and do nothing
  volatile int64_t failures;     // how many calls failed so far
  volatile int64_t log_bytes_per_second;  // what the log's disk takes; 0: what it takes
};

static const struct control kNothing;
static struct control* control = (struct control*)&kNothing;

__attribute__((constructor)) static void open_control(void) {
  const char* path = getenv("ARKA_SHIM");
  const int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

/// Whether the file is one of the server's log, <data_dir>/log/….
static int of_the_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = 0;
  return strstr(path, "/data/log/") != NULL;
}

static int fails(int64_t wanted, int fd) {
  if (!wanted || !of_the_log(fd)) return 0;
  __atomic_add_fetch(&control->failures, 1, __ATOMIC_SEQ_CST);
  errno = EIO;
  return 1;
}

int fdatasync(int fd) {
  return fails(control->fail_syncs, fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}
int fsync(int fd) { return fails(control->fail_syncs, fd) ? -1 : (int)syscall(SYS_fsync, fd); }

/// Takes as long as the slow disk would.
static void pace(int fd, size_t size) {
  const int64_t rate = control->log_bytes_per_second;
  if (rate == 0 || !of_the_log(fd)) return;
  const double seconds = (double)size / (double)rate;
  struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  while (nanosleep(&wait, &wait) != 0 && errno == EINTR) continue;
}

static ssize_t write_vectors(int fd, const struct iovec* parts, int count, off_t offset) {
  if (fails(control->fail_writes, fd)) return -1;
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  pace(fd, size);
  return syscall(SYS_pwritev, fd, parts, (long)count, (long)offset, 0L);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  return write_vectors(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  return write_vectors(fd, parts, count, offset);
}

static ssize_t write_bytes(int fd, const void* bytes, size_t size, off_t offset) {
  if (fails(control->fail_writes, fd)) return -1;
  pace(fd, size);
  return syscall(SYS_pwrite64, fd, bytes, size, (long)offset);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return write_bytes(fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return write_bytes(fd, bytes, size, offset);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += control->clock_offset_seconds;
  return result;
}
