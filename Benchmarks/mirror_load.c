// Writes random 4 KiB blocks to a Unix-socket NBD export, one at a time, for the rows of mirrors. Each block carries its
// number, a sequence number and a checksum. `mirror_load SOCKET EXPORT BYTES RATE`: RATE writes per second, 0 for as many as
// go; between them it sleeps, so the other side has the processor. Commands on standard input: `mark` prints
// {"writes","seconds","longest_ms","p999_ms","p99_ms","p50_ms"} since the last mark;
// `end FILE` writes the sequence numbers expected, one 64-bit word a block, to FILE and ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <errno.h>

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static void die(const char *what) { fprintf(stderr, "%s: %s\n", what, strerror(errno)); exit(1); }
static int fd = -1;
static void put(const void *p, size_t n) {
    while (n) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) die("send");
        p = (const char *)p + k; n -= (size_t)k;
    }
}
static void get(void *p, size_t n) {
    while (n) {
        ssize_t k = recv(fd, p, n, 0);
        if (k <= 0) die("recv");
        p = (char *)p + k; n -= (size_t)k;
    }
}
static void attach(const char *path, const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) die("connect");
    char hello[18];
    get(hello, 18);
    uint32_t flags = htobe32(3);
    put(&flags, 4);
    uint32_t length = (uint32_t)strlen(name);
    char option[16];
    memcpy(option, "IHAVEOPT", 8);
    uint32_t v = htobe32(1); memcpy(option + 8, &v, 4);
    v = htobe32(length); memcpy(option + 12, &v, 4);
    put(option, 16); put(name, length);
    char rest[10];
    get(rest, 10);
}
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u; x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u; x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
static void fill(uint64_t *block, uint64_t number, uint64_t sequence) {
    block[0] = number; block[1] = sequence; block[2] = mix(number ^ mix(sequence));
    for (int i = 3; i < 512; i++) block[i] = block[2] + (uint64_t)i;
}
static uint32_t histogram[1 << 16];   // 10 µs each
/// The end of the slot below which so many thousandths of the writes lie, in ms.
static double quantile(uint64_t writes, uint64_t thousandths) {
    uint64_t sum = 0, slot = 0;
    while (slot < (1 << 16) - 1 && (sum += histogram[slot]) < writes * thousandths / 1000) slot++;
    return (double)(slot + 1) / 100;
}
int main(int argc, char **argv) {
    if (argc != 5) return 2;
    attach(argv[1], argv[2]);
    // A sleep of microseconds is to end when it should.
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    uint64_t blocks = strtoull(argv[3], 0, 10) / 4096, rate = strtoull(argv[4], 0, 10);
    uint64_t *expected = calloc(blocks, 8), block[512], state = 1, sequence = 0;
    uint64_t started = now(), due = started, writes = 0, longest = 0;
    for (;;) {
        struct pollfd p = {.fd = 0, .events = POLLIN};
        uint64_t t = now();
        int patience = rate && due > t ? (int)((due - t) / 1000000) : 0;
        if ((writes & 15) == 0 || patience > 0) {
            if (poll(&p, 1, patience) > 0) {
                char line[512];
                if (!fgets(line, sizeof line, stdin)) return 0;
                if (!strncmp(line, "mark", 4)) {
                    printf("{\"writes\":%lu,\"seconds\":%.6f,\"longest_ms\":%.3f,\"p999_ms\":%.2f,\"p99_ms\":%.2f,"
                           "\"p50_ms\":%.2f}\n", (unsigned long)writes, (double)(now() - started) / 1e9,
                           (double)longest / 1e6, quantile(writes, 999), quantile(writes, 990), quantile(writes, 500));
                    fflush(stdout);
                    memset(histogram, 0, sizeof histogram);
                    writes = longest = 0; started = due = now();
                } else if (!strncmp(line, "end ", 4)) {
                    line[strcspn(line, "\n")] = 0;
                    FILE *f = fopen(line + 4, "w");
                    if (!f || fwrite(expected, 8, blocks, f) != blocks || fclose(f)) die(line + 4);
                    printf("{\"ended\":true}\n");
                    return 0;
                }
            }
        }
        if (rate) {
            struct timespec until = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)};
            while (now() < due) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
            due += 1000000000u / rate;
        }
        uint64_t number = (state = mix(state)) % blocks;
        fill(block, number, ++sequence);
        char request[28];
        uint32_t v = htobe32(0x25609513); memcpy(request, &v, 4);
        uint16_t h = 0; memcpy(request + 4, &h, 2); h = htobe16(1); memcpy(request + 6, &h, 2);
        memcpy(request + 8, &sequence, 8);
        uint64_t o = htobe64(number * 4096); memcpy(request + 16, &o, 8);
        v = htobe32(4096); memcpy(request + 24, &v, 4);
        uint64_t begun = now();
        struct iovec parts[2] = {{request, 28}, {block, 4096}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0) die("sendmsg");
        if (sent < 28 + 4096) {
            if (sent < 28) { put(request + sent, (size_t)(28 - sent)); sent = 28; }
            put((char *)block + (sent - 28), (size_t)(4096 - (sent - 28)));
        }
        char reply[16];
        get(reply, 16);
        uint32_t error; memcpy(&error, reply + 4, 4);
        if (error) { fprintf(stderr, "write answered %u\n", be32toh(error)); return 1; }
        uint64_t took = now() - begun;
        if (took > longest) longest = took;
        uint64_t slot = took / 10000;
        histogram[slot < (1 << 16) - 1 ? slot : (1 << 16) - 1]++;
        expected[number] = sequence;
        writes++;
    }
}
