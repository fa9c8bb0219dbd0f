#define _GNU_SOURCE 1
#include "CLinux.h"
#include "sanitized.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// Lowers a limit for good; one that is lower already stays.
static int lower(__rlimit_resource_t resource, rlim_t most) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) return -errno;
    // RLIM_INFINITY is the largest number.
    if (limit.rlim_max > most) limit.rlim_max = most;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int gantry_limit_process(uint64_t address_space, uint64_t seconds, uint64_t file_length, uint64_t descriptors) {
    int result = lower(RLIMIT_CORE, 0);
#ifndef IS_SANITIZED
    if (result == 0 && address_space) result = lower(RLIMIT_AS, address_space);
#endif
    // The signal comes at the soft limit; the hard one, a minute later, is the end whatever the process does.
    if (result == 0 && seconds) {
        result = lower(RLIMIT_CPU, seconds + 60);
        struct rlimit limit;
        if (result == 0 && getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur > seconds) {
            limit.rlim_cur = seconds;
            if (setrlimit(RLIMIT_CPU, &limit) < 0) result = -errno;
        }
    }
    // A limit may have been there before: an error (EFBIG), not the end without a word.
    signal(SIGXFSZ, SIG_IGN);
    if (result == 0 && file_length) result = lower(RLIMIT_FSIZE, file_length);
    if (result == 0 && descriptors) result = lower(RLIMIT_NOFILE, descriptors);
    return result;
}

static const char *processor_line;
static size_t processor_line_length;

static void on_processor_limit(int number) {
    (void)number;
    ssize_t ignored = write(2, processor_line, processor_line_length);
    (void)ignored;
    _exit(1);
}

void gantry_report_processor_limit(const char *line) {
    processor_line = line;
    processor_line_length = strlen(line);
    struct sigaction own = {.sa_handler = on_processor_limit};
    sigemptyset(&own.sa_mask);
    sigaction(SIGXCPU, &own, NULL);
    // Whoever started us may have blocked it.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGXCPU);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}
