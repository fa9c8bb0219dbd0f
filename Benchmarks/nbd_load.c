// nbd_load: a client that costs little, so that a measurement shows the server.
//
//   nbd_load SOCKET read|write BLOCK DEPTH CONNECTIONS SECONDS [random|sequential]
//
// One thread for each connection keeps DEPTH requests under way: it takes all replies that one receive brings and sends
// as many new requests with one send. Structured replies, as guests' drivers use them. Prints one line of JSON.
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct __attribute__((packed)) request {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t handle, offset;
    uint32_t length;
};

struct worker {
    pthread_t thread;
    int socket;
    uint64_t size, random, next, done, sum_ns, max_ns;
    uint64_t buckets[64 * 16];
};

static bool writes, sequential;
static uint32_t block;
static int depth;
static uint64_t until;

static void fail(const char *what) {
    fprintf(stderr, "nbd_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void send_all(int fd, const void *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail("send");
        bytes = (const char *)bytes + n;
        length -= (size_t)n;
    }
}

static void receive_all(int fd, void *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = recv(fd, bytes, length, MSG_WAITALL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail("recv");
        bytes = (char *)bytes + n;
        length -= (size_t)n;
    }
}

static void option(int fd, uint32_t number, const void *data, uint32_t length) {
    char head[16];
    uint64_t magic = htobe64(0x49484156454f5054ull);
    uint32_t n = htobe32(number), l = htobe32(length);
    memcpy(head, &magic, 8), memcpy(head + 8, &n, 4), memcpy(head + 12, &l, 4);
    send_all(fd, head, 16);
    if (length) send_all(fd, data, length);
}

// The type of one option reply; an export's size goes to *size.
static uint32_t answer(int fd, uint64_t *size) {
    unsigned char head[20], data[65536];
    uint32_t type, length;
    uint16_t kind;
    receive_all(fd, head, 20);
    memcpy(&type, head + 12, 4), memcpy(&length, head + 16, 4);
    length = be32toh(length);
    if (length > sizeof data) { errno = EPROTO; fail("option reply"); }
    receive_all(fd, data, length);
    memcpy(&kind, data, 2);
    if (be32toh(type) == 3 && length >= 12 && kind == 0) {
        memcpy(size, data + 2, 8);
        *size = be64toh(*size);
    }
    return be32toh(type);
}

static int connected(const char *path, uint64_t *size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char greeting[18], go[6] = {0};
    uint32_t flags = htobe32(3), type;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    receive_all(fd, greeting, 18);
    send_all(fd, &flags, 4);
    option(fd, 8, NULL, 0);
    if (answer(fd, size) != 1) { errno = EPROTO; fail("structured replies"); }
    option(fd, 7, go, 6);
    while ((type = answer(fd, size)) == 3) {}
    if (type != 1) { errno = EPROTO; fail("GO"); }
    return fd;
}

static uint64_t place(struct worker *w) {
    uint64_t blocks = w->size / block;
    if (sequential) return (w->next++ % blocks) * block;
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    return w->random % blocks * block;
}

static void record(struct worker *w, uint64_t ns) {
    int top = 63 - __builtin_clzll(ns | 16);
    w->sum_ns += ns, w->done++;
    if (ns > w->max_ns) w->max_ns = ns;
    w->buckets[top * 16 + (ns >> (top - 4) & 15)]++;
}

static void *work(void *raw) {
    struct worker *w = raw;
    size_t unit = sizeof(struct request) + (writes ? block : 0);
    char *out = calloc((size_t)depth, unit);
    size_t window = 1 << 18;
    char *in = malloc(window);
    uint64_t *began = calloc((size_t)depth, 8);
    int *idle = calloc((size_t)depth, sizeof(int));
    int idles = depth, under_way = 0;
    size_t have = 0, skip = 0;
    if (!out || !in || !began || !idle) fail("memory");
    for (int i = 0; i < depth; i++) idle[i] = i;
    for (size_t i = 0; i < (size_t)depth * unit; i++) out[i] = (char)(i * 131 >> 3);
    for (;;) {
        uint64_t t = now();
        if (t < until && idles > 0) {
            size_t length = 0;
            while (idles > 0) {
                int slot = idle[--idles];
                struct request *r = (struct request *)(out + length);
                *r = (struct request){htobe32(0x25609513), 0, htobe16(writes ? 1 : 0), htobe64((uint64_t)slot),
                                      htobe64(place(w)), htobe32(block)};
                began[slot] = t;
                length += unit, under_way++;
            }
            send_all(w->socket, out, length);
        }
        if (under_way == 0) break;
        ssize_t n = recv(w->socket, in + have, window - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail("recv");
        have += (size_t)n;
        t = now();
        size_t at = 0;
        for (;;) {
            if (skip > 0) {
                size_t part = skip < have - at ? skip : have - at;
                at += part, skip -= part;
                if (skip > 0) break;
            }
            uint32_t magic, length = 0, error;
            uint64_t handle;
            uint16_t flags = 1, type = 0;
            if (have - at < 16) break;
            memcpy(&magic, in + at, 4), memcpy(&handle, in + at + 8, 8);
            if (magic == htobe32(0x668e33ef)) {
                if (have - at < 20) break;
                memcpy(&flags, in + at + 4, 2), memcpy(&type, in + at + 6, 2), memcpy(&length, in + at + 16, 4);
                flags = be16toh(flags), type = be16toh(type), length = be32toh(length);
                at += 20;
                if (type & 0x8000) { errno = EIO; fail("an error chunk"); }
            } else if (magic == htobe32(0x67446698)) {
                memcpy(&error, in + at + 4, 4);
                if (error) { errno = EIO; fail("an error reply"); }
                at += 16;
            } else { errno = EPROTO; fail("reply"); }
            skip = length;
            if (flags & 1) {
                int slot = (int)be64toh(handle);
                record(w, t - began[slot]);
                idle[idles++] = slot, under_way--;
            }
        }
        memmove(in, in + at, have - at);
        have -= at;
    }
    close(w->socket);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: nbd_load SOCKET read|write BLOCK DEPTH CONNECTIONS SECONDS [random|sequential]\n");
        return 2;
    }
    writes = !strcmp(argv[2], "write");
    block = (uint32_t)atoi(argv[3]), depth = atoi(argv[4]);
    int connections = atoi(argv[5]);
    sequential = argc > 7 && !strcmp(argv[7], "sequential");
    struct worker *workers = calloc((size_t)connections, sizeof *workers);
    if (!workers || block == 0 || depth < 1 || connections < 1) return 2;
    for (int i = 0; i < connections; i++) {
        workers[i].socket = connected(argv[1], &workers[i].size);
        workers[i].random = 0x9e3779b97f4a7c15ull * (uint64_t)(i + 1);
        workers[i].next = workers[i].size / block / (uint64_t)connections * (uint64_t)i;
    }
    uint64_t start = now();
    until = start + (uint64_t)(atof(argv[6]) * 1e9);
    for (int i = 0; i < connections; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) fail("pthread_create");
    uint64_t done = 0, sum = 0, max = 0, seen = 0, p50 = 0, p99 = 0;
    for (int i = 0; i < connections; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done, sum += workers[i].sum_ns;
        if (workers[i].max_ns > max) max = workers[i].max_ns;
    }
    double seconds = (double)(now() - start) / 1e9;
    for (int b = 0; b < 64 * 16; b++) {
        for (int i = 0; i < connections; i++) seen += workers[i].buckets[b];
        uint64_t value = b / 16 >= 4 ? (1ull << b / 16) + ((uint64_t)(b % 16) << (b / 16 - 4)) : 0;
        if (!p50 && seen * 2 >= done) p50 = value;
        if (!p99 && seen * 100 >= done * 99) p99 = value;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"iops\": %.1f, \"requests\": %llu, \"mean_us\": %.2f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"max_us\": %.2f, "
           "\"client_cpu\": %.3f}\n",
           (double)done / seconds, (unsigned long long)done, done ? (double)sum / (double)done / 1e3 : 0,
           (double)p50 / 1e3, (double)p99 / 1e3, (double)max / 1e3,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
