/* Put before the system's library, it lies to a program about its machine: the clock is SKEW seconds ahead, and a file
   that has reached its limit (RLIMIT_FSIZE) is on a disk that is full. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    const char *skew = getenv("SKEW");
    if (!failed && clock == CLOCK_REALTIME && skew) now->tv_sec += atol(skew);
    return failed;
}

static ssize_t full(ssize_t written) {
    if (written < 0 && errno == EFBIG) errno = ENOSPC;
    return written;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return full(syscall(SYS_pwrite64, file, bytes, count, at));
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    return full(syscall(SYS_pwrite64, file, bytes, count, at));
}
