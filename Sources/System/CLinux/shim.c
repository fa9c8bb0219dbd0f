#define _GNU_SOURCE 1
#include "CLinux.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The same loop compiled twice and chosen at run time; not by target_clones, whose resolvers run before sanitizers do.
#define GANTRY_ZERO_SCAN(name, attributes)                                                                            \
    attributes static bool name(const unsigned char *p, size_t length) {                                             \
        while (length >= 256) {                                                                                      \
            uint64_t sum = 0;                                                                                        \
            for (int i = 0; i < 32; i++) {                                                                           \
                uint64_t word;                                                                                       \
                memcpy(&word, p + 8 * i, 8);                                                                         \
                sum |= word;                                                                                         \
            }                                                                                                        \
            if (sum) return false;                                                                                   \
            p += 256;                                                                                                \
            length -= 256;                                                                                           \
        }                                                                                                            \
        unsigned char rest = 0;                                                                                      \
        while (length--) rest |= *p++;                                                                               \
        return rest == 0;                                                                                            \
    }

GANTRY_ZERO_SCAN(zero_scan_plain, )
#if defined(__x86_64__)
GANTRY_ZERO_SCAN(zero_scan_avx2, __attribute__((target("avx2"))))
#endif

bool gantry_is_zero(const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return zero_scan_avx2(bytes, length);
#endif
    return zero_scan_plain(bytes, length);
}

static int checked(int result) { return result < 0 ? -errno : result; }

int gantry_punch_hole(int fd, uint64_t offset, uint64_t length) {
    return checked(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length));
}
int gantry_zero_range(int fd, uint64_t offset, uint64_t length, bool keep_size) {
    int mode = FALLOC_FL_ZERO_RANGE | (keep_size ? FALLOC_FL_KEEP_SIZE : 0);
    return checked(fallocate(fd, mode, (off_t)offset, (off_t)length));
}
int gantry_preallocate(int fd, uint64_t offset, uint64_t length) {
    return checked(fallocate(fd, 0, (off_t)offset, (off_t)length));
}
int gantry_start_writing(int fd, uint64_t offset, uint64_t length) {
    return checked(sync_file_range(fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WRITE));
}
int gantry_await_writing(int fd, uint64_t offset, uint64_t length) {
    return checked(sync_file_range(fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WAIT_BEFORE));
}
int64_t gantry_dirty_pages(int fd, uint64_t offset, uint64_t length) {
    // cachestat(2), which the headers of older systems lack.
    struct { uint64_t offset, length; } range = {offset, length};
    struct { uint64_t cached, dirty, writing, evicted, recently_evicted; } found = {0, 0, 0, 0, 0};
    return syscall(451, fd, &range, &found, 0) < 0 ? -errno : (int64_t)found.dirty;
}
int64_t gantry_seek_data(int fd, uint64_t offset) {
    off_t r = lseek(fd, (off_t)offset, SEEK_DATA);
    return r < 0 ? -errno : r;
}
int64_t gantry_seek_hole(int fd, uint64_t offset) {
    off_t r = lseek(fd, (off_t)offset, SEEK_HOLE);
    return r < 0 ? -errno : r;
}
int64_t gantry_read_cached(int fd, void *buffer, size_t length, uint64_t offset) {
    struct iovec vector = {buffer, length};
    ssize_t r = preadv2(fd, &vector, 1, (off_t)offset, RWF_NOWAIT);
    return r < 0 ? -errno : r;
}
int gantry_sample(int fd, uint64_t offset, size_t before, size_t after, bool only_cached) {
    unsigned char bytes[128];
    if (before > 64 || after > 64 || before > offset) return -EINVAL;
    struct iovec vector = {bytes, before + after};
    ssize_t r;
    do r = preadv2(fd, &vector, 1, (off_t)(offset - before), only_cached ? RWF_NOWAIT : 0);
    while (r < 0 && errno == EINTR);
    if (r < 0) return -errno;
    if ((size_t)r < before + after) return -ENODATA;
    return (gantry_is_zero(bytes, before) ? 0 : 1) | (gantry_is_zero(bytes + before, after) ? 0 : 2);
}
int gantry_reopen_direct(int fd) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int direct = checked(open(path, O_RDWR | O_DIRECT | O_CLOEXEC));
    if (direct >= 0) posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    return direct;
}
int64_t gantry_copy_file_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t length) {
    loff_t in = (loff_t)from_offset, out = (loff_t)to_offset;
    ssize_t r = copy_file_range(from, &in, to, &out, length, 0);
    return r < 0 ? -errno : r;
}
int gantry_clone_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t length) {
    struct file_clone_range range = {
        .src_fd = from, .src_offset = from_offset, .src_length = length, .dest_offset = to_offset};
    return checked(ioctl(to, FICLONERANGE, &range));
}
bool gantry_is_in_memory(int fd) {
    struct statfs found;
    return fstatfs(fd, &found) == 0 && (found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC);
}
int64_t gantry_block_device_size(int fd) {
    uint64_t size = 0;
    return ioctl(fd, BLKGETSIZE64, &size) < 0 ? -errno : (int64_t)size;
}
// QEMU holds byte 100 + n, shared, while it may do what its permission n is (1: write, 3: resize).
static int qemu_writes(int fd) {
    static const off_t bytes[] = {101, 103};
    for (int i = 0; i < 2; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = bytes[i], .l_len = 1};
        if (fcntl(fd, F_OFD_GETLK, &lock) < 0) return -errno;
        // Other readers of ours hold the whole file, from its first byte on, and QEMU does not begin to write beside them.
        if (lock.l_type != F_UNLCK && lock.l_start != 0) return 1;
    }
    return 0;
}
int gantry_lock_file(int fd, bool exclusive) {
    struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    int result = checked(fcntl(fd, F_OFD_SETLK, &lock));
    if (result < 0 || exclusive) return result;
    result = qemu_writes(fd);
    if (result == 0) return 0;
    gantry_unlock_file(fd);
    return result < 0 ? result : -EAGAIN;
}
int gantry_lock_range(int fd, uint64_t start, uint64_t length) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)start, .l_len = (off_t)length};
    return checked(fcntl(fd, F_OFD_SETLK, &lock));
}
int gantry_unlock_file(int fd) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    return checked(fcntl(fd, F_OFD_SETLK, &lock));
}

int gantry_mutex_lock_until(void *mutex, uint64_t nanoseconds) {
    struct timespec until = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
}
uint64_t gantry_sleeps(void) {
    struct rusage used;
    return getrusage(RUSAGE_THREAD, &used) == 0 ? (uint64_t)used.ru_nvcsw : 0;
}
// The thread sanitizer does not know the functions with a clock.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GANTRY_RWLOCK_CLOCK CLOCK_REALTIME
#define pthread_rwlock_clockrdlock(lock, clock, until) pthread_rwlock_timedrdlock(lock, until)
#define pthread_rwlock_clockwrlock(lock, clock, until) pthread_rwlock_timedwrlock(lock, until)
#endif
#endif
static struct timespec gantry_rwlock_time(uint64_t nanoseconds) {
#ifdef GANTRY_RWLOCK_CLOCK
    struct timespec steady, wall;
    clock_gettime(CLOCK_MONOTONIC, &steady);
    clock_gettime(GANTRY_RWLOCK_CLOCK, &wall);
    nanoseconds += ((uint64_t)wall.tv_sec - (uint64_t)steady.tv_sec) * 1000000000 + (uint64_t)wall.tv_nsec - (uint64_t)steady.tv_nsec;
#endif
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
}
int gantry_rwlock_share_until(void *lock, uint64_t nanoseconds) {
    struct timespec until = gantry_rwlock_time(nanoseconds);
    return pthread_rwlock_clockrdlock(lock, CLOCK_MONOTONIC, &until);
}
int gantry_rwlock_own_until(void *lock, uint64_t nanoseconds) {
    struct timespec until = gantry_rwlock_time(nanoseconds);
    return pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &until);
}
int64_t gantry_send(int fd, const void *bytes, size_t length) {
    ssize_t r = send(fd, bytes, length, MSG_NOSIGNAL);
    return r < 0 ? -errno : r;
}
int64_t gantry_send_vector(int fd, const struct iovec *vector, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)vector, .msg_iovlen = (size_t)count};
    ssize_t r = sendmsg(fd, &message, MSG_NOSIGNAL);
    return r < 0 ? -errno : r;
}
int64_t gantry_receive(int fd, void *bytes, size_t length) {
    ssize_t r = recv(fd, bytes, length, 0);
    return r < 0 ? -errno : r;
}

int64_t gantry_receive_at_once(int fd, void *bytes, size_t length) {
    ssize_t r = recv(fd, bytes, length, MSG_DONTWAIT);
    return r < 0 ? -errno : r;
}
int gantry_page_pipe(int ends[2], int capacity) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    int has = fcntl(ends[1], F_SETPIPE_SZ, capacity);
    if (has < capacity) {
        int error = has < 0 ? errno : ENOSPC;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return 0;
}
int64_t gantry_pages_from_file(int file, int64_t offset, int pipe, size_t length) {
    loff_t place = offset;
    ssize_t r = splice(file, &place, pipe, NULL, length, SPLICE_F_NONBLOCK);
    return r < 0 ? -errno : r;
}
int64_t gantry_pages_to_socket(int pipe, int socket, size_t length) {
    ssize_t r = splice(pipe, NULL, socket, NULL, length, 0);
    return r < 0 ? -errno : r;
}
bool gantry_take_short_turns(uint64_t nanoseconds) {
    // struct sched_attr of sched_setattr(2), as it was first: the libraries of older systems lack it.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } turns = {0};
    if (syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0) < 0 || turns.policy != SCHED_OTHER) return false;
    turns.runtime = nanoseconds;
    if (syscall(SYS_sched_setattr, 0, &turns, 0) < 0) return false;
    // Older kernels take no notice.
    return syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0) == 0 && turns.runtime == nanoseconds;
}
int gantry_processor_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Fills `address` for `path`. A path too long for sun_path is named through its folder, opened as *folder.
static int unix_address(const char *path, struct sockaddr_un *address, int *folder) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    *folder = -1;
    size_t length = strlen(path);
    if (length < sizeof address->sun_path) {
        memcpy(address->sun_path, path, length);
        return 0;
    }
    const char *slash = strrchr(path, '/');
    if (!slash) return -ENAMETOOLONG;
    char *parent = strndup(path, (size_t)(slash - path));
    if (!parent) return -ENOMEM;
    *folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    free(parent);
    if (*folder < 0) return -error;
    int n = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *folder, slash + 1);
    if (n >= (int)sizeof address->sun_path) {
        close(*folder);
        return -ENAMETOOLONG;
    }
    return 0;
}
// Bound under another name and renamed once it listens: whoever finds the file can connect to it.
int gantry_unix_listen(const char *path, int backlog) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *parent = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    if (!parent) return -ENOMEM;
    int folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC), r = folder < 0 ? -errno : 0;
    free(parent);
    if (r < 0) return r;
    struct stat there;
    // Only a socket is replaced, never a file that was named by mistake.
    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(there.st_mode)) r = -EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r == 0 && fd < 0) r = -errno;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/.%d-%d.socket", folder, (int)getpid(), fd);
    const char *own = strrchr(address.sun_path, '/') + 1;
    if (r == 0 && unlinkat(folder, own, 0) < 0 && errno != ENOENT) r = -errno;
    if (r == 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) r = -errno;
    bool bound = r == 0;
    if (r == 0 && chmod(address.sun_path, 0600) < 0) r = -errno;
    if (r == 0 && listen(fd, backlog) < 0) r = -errno;
    if (r == 0 && renameat(folder, own, folder, name) < 0) r = -errno;
    if (r < 0 && bound) unlinkat(folder, own, 0);
    close(folder);
    if (r < 0 && fd >= 0) close(fd);
    return r < 0 ? r : fd;
}
static int unix_connect(const char *path, int flags) {
    struct sockaddr_un address;
    int folder, r = unix_address(path, &address, &folder);
    if (r < 0) return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) r = -errno;
    struct timeval patience = {.tv_sec = 30}, none = {0};
    bool waits = !(flags & SOCK_NONBLOCK);
    if (r == 0 && waits) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); // bounds connect
    if (r == 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        r = waits && errno == EAGAIN ? -ETIMEDOUT : -errno;
    if (r == 0 && waits) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    if (folder >= 0) close(folder);
    if (r < 0 && fd >= 0) close(fd);
    return r < 0 ? r : fd;
}
int gantry_unix_connect(const char *path) { return unix_connect(path, 0); }
int gantry_unix_connect_at_once(const char *path) { return unix_connect(path, SOCK_NONBLOCK); }
int gantry_peer_name(int fd, char *text, int length) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (length < 1) return -EINVAL;
    text[0] = 0;
    if (getpeername(fd, (struct sockaddr *)&address, &size) < 0) return -errno;
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return 0;
    int r = getnameinfo((struct sockaddr *)&address, size, text, (socklen_t)length, NULL, 0, NI_NUMERICHOST);
    return r == 0 ? 0 : -EINVAL;
}
static int tcp_addresses(const char *host, uint16_t port, int flags, struct addrinfo **found) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    switch (getaddrinfo(host, service, &hints, found)) {
    case 0: return 0;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_SYSTEM: return -errno;
    default: return -EADDRNOTAVAIL;
    }
}
int gantry_tcp_listen(const char *address, uint16_t port, int backlog) {
    struct addrinfo *found;
    int r = tcp_addresses(address, port, AI_PASSIVE | AI_NUMERICHOST, &found);
    if (r < 0) return r;
    int one = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) r = -errno;
    if (r == 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (r == 0 && bind(fd, found->ai_addr, found->ai_addrlen) < 0) r = -errno;
    if (r == 0 && listen(fd, backlog) < 0) r = -errno;
    freeaddrinfo(found);
    if (r < 0 && fd >= 0) close(fd);
    return r < 0 ? r : fd;
}
// A host that vanishes is given up after half a minute, whether or not something is sent to it.
static void give_up_silent_peers(int fd) {
    int on = 1, idle = 10, interval = 5, count = 4;
    unsigned int milliseconds = 30000;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}
int gantry_tcp_connect(const char *host, uint16_t port) {
    struct timeval patience = {.tv_sec = 30}, none = {0};
    struct addrinfo *found, *each;
    int r = tcp_addresses(host, port, 0, &found), fd = -1, one = 1;
    if (r < 0) return r;
    r = -ECONNREFUSED;
    for (each = found; each && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) { r = -errno; continue; }
        give_up_silent_peers(fd);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); // bounds connect
        if (connect(fd, each->ai_addr, each->ai_addrlen) < 0) {
            r = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0) return r;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}
int gantry_tcp_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -EAFNOSUPPORT;
}
int gantry_accept(int listener) {
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // fails harmlessly on Unix sockets
    return fd;
}

pid_t gantry_spawn(const char *path, char *const argv[], char *const envp[], int in, int out, int err, bool detached) {
    extern char **environ;
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    char *const *environment = envp ? envp : environ;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        int error = errno;
        close(report[0]);
        close(report[1]);
        return -error;
    }
    if (child == 0) {
        // Only async-signal-safe calls from here: other threads of the parent may have held any lock.
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int s = 1; s < 32; s++) signal(s, SIG_DFL);
        if (detached) {
            setsid();
        } else {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(127);
        }
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int wanted[3] = {in < 0 ? null : in, out < 0 ? null : out, err < 0 ? null : err};
        int keep = report[1];
        for (int i = 0; i < 3; i++) wanted[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 10);
        keep = fcntl(keep, F_DUPFD_CLOEXEC, 10);
        for (int i = 0; i < 3; i++) dup2(wanted[i], i);
        syscall(SYS_close_range, 3u, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
        execve(path, argv, (char *const *)environment);
        int error = errno;
        ssize_t ignored = write(keep, &error, sizeof error);
        (void)ignored;
        _exit(127);
    }
    close(report[1]);
    int error = 0;
    ssize_t n;
    do n = read(report[0], &error, sizeof error); while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == sizeof error) {
        waitpid(child, NULL, 0);
        return -error;
    }
    return child;
}
uint64_t gantry_process_start_time(pid_t pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    char *p = strrchr(text, ')'); // the command name may hold anything, blanks and brackets too
    if (!p || p[1] == 0 || p[2] == 'Z' || p[2] == 'X') return 0;
    for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
    return p ? strtoull(p + 1, NULL, 10) : 0;
}
int gantry_pidfd_open(pid_t pid) { return checked((int)syscall(SYS_pidfd_open, pid, 0)); }
int gantry_pidfd_signal(int pidfd, int signal) {
    return checked((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}
pid_t gantry_reap(pid_t pid, int *status) {
    pid_t r = waitpid(pid, status, WNOHANG);
    return r < 0 ? -errno : r;
}
void gantry_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
void gantry_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }
uint64_t gantry_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
int gantry_errno(void) { return errno; }
int gantry_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}
int gantry_open_beneath(int directory, const char *path, int flags, uint32_t mode) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC), .mode = (flags & O_CREAT) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return checked((int)syscall(SYS_openat2, directory, path, &how, sizeof how));
}
int gantry_open_unnamed(const char *directory) {
    return checked(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

int64_t gantry_kernel_log(void *buffer, size_t length, bool clear) {
    enum { read_all = 3, read_clear = 4 };
    int count = klogctl(clear ? read_clear : read_all, buffer, length > INT32_MAX ? INT32_MAX : (int)length);
    return count < 0 ? -errno : count;
}
