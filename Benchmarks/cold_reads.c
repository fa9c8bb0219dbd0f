// cold_reads: random 4 KiB reads of a file that is not in the page cache, 64 under way, in the ways that a server has.
//
//   cc -O2 -o cold_reads cold_reads.c -lpthread
//   cold_reads FILE MODE SECONDS
//
// MODE: batch      tell the kernel of 64 reads (POSIX_FADV_WILLNEED), do the 64, begin again
//       windowN    tell it of 64, do N, tell it of N more, and so on: 64 to 64 - N are under way all the time
//       threadsN   N threads that each do one read after the other
//       uring      64 reads in an io_uring, as many new ones as have ended
// The file's pages are dropped first. Prints reads a second, microseconds of CPU for each.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { block = 4096, depth = 64 };
static int file;
static uint64_t blocks, until;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static off_t place(uint64_t *random) {
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return (off_t)(*random % blocks * block);
}

static void take(void *bytes, off_t at) {
    if (pread(file, bytes, block, at) != block) fail("pread");
}

static uint64_t windowed(int step) {
    static char bytes[block];
    static off_t places[depth];
    uint64_t random = 0x9e3779b97f4a7c15ull, done = 0;
    for (int i = 0; i < depth; i++) posix_fadvise(file, places[i] = place(&random), block, POSIX_FADV_WILLNEED);
    for (int at = 0; now() < until; at = (at + step) % depth) {
        for (int i = 0; i < step; i++) take(bytes, places[(at + i) % depth]);
        for (int i = 0; i < step; i++)
            posix_fadvise(file, places[(at + i) % depth] = place(&random), block, POSIX_FADV_WILLNEED);
        done += (uint64_t)step;
    }
    return done;
}

static void *reader(void *raw) {
    uint64_t *counts = raw, random = 0x9e3779b97f4a7c15ull * (counts[0] + 1);
    char bytes[block];
    for (counts[1] = 0; now() < until; counts[1]++) take(bytes, place(&random));
    return NULL;
}

static uint64_t threaded(int number) {
    pthread_t threads[64];
    static uint64_t counts[64][8];
    uint64_t done = 0;
    for (int i = 0; i < number; i++) {
        counts[i][0] = (uint64_t)i;
        if (pthread_create(&threads[i], NULL, reader, counts[i])) fail("pthread_create");
    }
    for (int i = 0; i < number; i++) pthread_join(threads[i], NULL), done += counts[i][1];
    return done;
}

static uint64_t ringed(void) {
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, depth, &p);
    if (ring < 0) fail("io_uring_setup");
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED,
                    ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entries =
        mmap(NULL, p.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED) fail("mmap");
    _Atomic uint32_t *tail = (void *)(sq + p.sq_off.tail), *head = (void *)(cq + p.cq_off.head);
    _Atomic uint32_t *end = (void *)(cq + p.cq_off.tail);
    uint32_t mask = *(uint32_t *)(sq + p.sq_off.ring_mask), ends = *(uint32_t *)(cq + p.cq_off.ring_mask);
    uint32_t *array = (void *)(sq + p.sq_off.array);
    struct io_uring_cqe *results = (void *)(cq + p.cq_off.cqes);
    char *bytes = malloc((size_t)depth * block);
    uint64_t random = 0x9e3779b97f4a7c15ull, done = 0;
    int idle[depth], idles = depth;
    for (int i = 0; i < depth; i++) idle[i] = i;
    while (now() < until) {
        uint32_t t = atomic_load(tail), new = 0;
        for (; idles > 0; new++) {
            int slot = idle[--idles];
            uint32_t at = (t + new) & mask;
            entries[at] = (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = file, .off = (uint64_t)place(&random),
                                                .addr = (uintptr_t)(bytes + slot * block), .len = block,
                                                .user_data = (uint64_t)slot};
            array[at] = at;
        }
        atomic_store(tail, t + new);
        if (syscall(SYS_io_uring_enter, ring, new, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) fail("io_uring_enter");
        uint32_t h = atomic_load(head);
        for (; h != atomic_load(end); h++, done++) {
            if (results[h & ends].res != block) { errno = EIO; fail("a read"); }
            idle[idles++] = (int)results[h & ends].user_data;
        }
        atomic_store(head, h);
    }
    return done;
}

int main(int argc, char **argv) {
    if (argc != 4 || (file = open(argv[1], O_RDONLY)) < 0) {
        fprintf(stderr, "usage: cold_reads FILE batch|windowN|threadsN|uring SECONDS\n");
        return 2;
    }
    blocks = (uint64_t)lseek(file, 0, SEEK_END) / block;
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    uint64_t start = now(), done;
    until = start + (uint64_t)(atof(argv[3]) * 1e9);
    int number = !strncmp(argv[2], "window", 6) ? atoi(argv[2] + 6) : !strncmp(argv[2], "threads", 7) ? atoi(argv[2] + 7) : 1;
    if (number < 1 || number > 64) {
        fprintf(stderr, "cold_reads: 1 to 64 of them, not %d\n", number);
        return 2;
    }
    if (!strcmp(argv[2], "batch")) done = windowed(depth);
    else if (!strncmp(argv[2], "window", 6)) done = windowed(number);
    else if (!strncmp(argv[2], "threads", 7)) done = threaded(number);
    else if (!strcmp(argv[2], "uring")) done = ringed();
    else return 2;
    double seconds = (double)(now() - start) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("%-10s %8.0f reads/s, CPU %5.1f us each\n", argv[2], (double)done / seconds, cpu * 1e6 / (double)done);
    return 0;
}
