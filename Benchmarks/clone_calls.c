// The necessary calls alone: what a program without anything else needs to make a VHD, qcow2 or raw image of a raw one on a
// file system that shares blocks. Cited by docs/performance.md; the image has the layout of a real one but no valid tables.
//
//     cc -O2 -o clone_calls Benchmarks/clone_calls.c && ./clone_calls raw|qcow2|vhd SOURCE FOLDER/DESTINATION
//
// It searches the source for holes, clones each run of data (for a VHD at most to the end of a block of 2 MiB, and a page of
// bitmap before each block, shared by clones), writes a page of header and as many bytes of tables as the format has, makes
// the file durable, gives it its name and makes the name durable. It prints the milliseconds of each step.
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { page = 4096, block = 2 << 20, most = 65536, head = 65536 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void must(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static void share(int to, int from, off_t at, off_t length, off_t place) {
    struct file_clone_range range = {from, at, length, place};
    must(ioctl(to, FICLONERANGE, &range), "FICLONERANGE");
}

int main(int count, char **words) {
    if (count != 4) return 2;
    int is_vhd = !strcmp(words[1], "vhd"), is_raw = !strcmp(words[1], "raw");
    char name[4096];
    snprintf(name, sizeof name, "%s.partial", words[3]);
    double times[6] = {now()};
    int from = open(words[2], O_RDONLY), to = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
    struct stat status;
    must(from, words[2]);
    must(to, name);
    must(fstat(from, &status), "fstat");

    static off_t runs[most][2], bitmaps[most];
    int run_count = 0, block_count = 0, clone_count = 0;
    for (off_t at = 0, hole; run_count < most && (at = lseek(from, at, SEEK_DATA)) >= 0; at = hole) {
        hole = lseek(from, at, SEEK_HOLE);
        runs[run_count][0] = at;
        runs[run_count++][1] = hole;
    }
    times[1] = now();

    off_t end = is_raw ? 0 : head, data = 0, last = -1;
    if (is_raw) {
        must(ftruncate(to, status.st_size), "ftruncate");
        // One clone from the first byte of data to the last, holes too.
        if (run_count) share(to, from, runs[0][0], runs[run_count - 1][1] - runs[0][0], runs[0][0]);
        clone_count = 1;
    } else {
        for (int index = 0; index < run_count; index++) {
            for (off_t at = runs[index][0], next; at < runs[index][1]; at = next) {
                next = runs[index][1];
                if (is_vhd) {
                    off_t boundary = (at / block + 1) * block;
                    if (next > boundary) next = boundary;
                    if (at / block != last) {
                        last = at / block;
                        bitmaps[block_count++] = end;
                        data = end + page;
                        end = data + block;
                    }
                    share(to, from, at, next - at, data + at % block);
                } else {
                    share(to, from, at, next - at, end);
                    end += next - at;
                }
                clone_count++;
            }
        }
    }
    times[2] = now();

    static char bytes[page];
    memset(bytes + page - 512, 0xff, 512);
    for (int index = 0; index < block_count; index++) {
        if (index) share(to, to, bitmaps[0], page, bitmaps[index]);
        else must(pwrite(to, bytes, page, bitmaps[0]), "pwrite");
    }
    if (!is_raw) {
        // A word for each block of 2 MiB, or eight bytes for each cluster of 64 KiB.
        size_t size = is_vhd ? status.st_size / block * 4 : status.st_size / 65536 * 8;
        char *table = malloc(size);
        must(table ? 0 : -1, "malloc");
        memset(table, 1, size);
        must(pwrite(to, bytes, page, 0), "pwrite");
        must(pwrite(to, table, size, is_vhd ? page : end), "pwrite");
        free(table);
    }
    times[3] = now();
    must(fdatasync(to), "fdatasync");
    times[4] = now();
    must(rename(name, words[3]), "rename");
    int folder = open(dirname(words[3]), O_RDONLY | O_DIRECTORY);
    must(folder, "open");
    must(fsync(folder), "fsync");
    times[5] = now();
    printf("%d runs, %d clones, %d blocks: search %.2f, clones %.2f, tables %.2f, fdatasync %.2f, name %.2f\n", run_count,
           clone_count, block_count, times[1] - times[0], times[2] - times[1], times[3] - times[2], times[4] - times[3],
           times[5] - times[4]);
    return 0;
}
