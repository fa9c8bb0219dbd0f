// What a file system takes for 4 KiB writes at random places of a file, with no server between: the loop beside which
// docs/performance.md puts the NBD rows of writes. Overwrites FILE, whose size is a multiple of 4 KiB.
//
//     cc -O2 -o /tmp/write_calls Benchmarks/write_calls.c && /tmp/write_calls FILE [SECONDS]
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **words) {
    static char block[4096];
    int file = count > 1 ? open(words[1], O_RDWR | O_CLOEXEC) : -1;
    off_t blocks = file < 0 ? 0 : lseek(file, 0, SEEK_END) / (off_t)sizeof block;
    double limit = count > 2 ? atof(words[2]) : 3;
    if (blocks < 1) {
        fprintf(stderr, "write_calls: give a file of at least 4 KiB that may be overwritten\n");
        return 2;
    }
    uint64_t random = 88172645463325252u;
    unsigned long done = 0;
    double begun = now();
    do {
        for (int i = 0; i < 256; i++, done++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            off_t place = (off_t)(random % (uint64_t)blocks) * (off_t)sizeof block;
            if (pwrite(file, block, sizeof block, place) != sizeof block) {
                perror("write_calls: pwrite");
                return 1;
            }
        }
    } while (now() - begun < limit);
    double seconds = now() - begun;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("%.0f writes/s, %.1f us of CPU each\n", (double)done / seconds, cpu * 1e6 / (double)done);
    return 0;
}
