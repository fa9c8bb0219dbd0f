#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Open files that go over a socket, and what of the file system a process keeps (Landlock, landlock(7)).

// What the kernel takes with one message.
#define MOST_FILES 253

int64_t gantry_send_files(int fd, const void *bytes, size_t length, const int *files, int count) {
    if (count < 1 || count > MOST_FILES) return -EINVAL;
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * MOST_FILES)];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec vector = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(part), files, sizeof(int) * count);
    ssize_t r = sendmsg(fd, &message, MSG_NOSIGNAL);
    return r < 0 ? -errno : r;
}

int64_t gantry_receive_files(int fd, void *bytes, size_t length, int *files, int room, int *count) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * MOST_FILES)];
    } control;
    struct iovec vector = {bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    *count = 0;
    ssize_t r = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (r < 0) return -errno;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t got = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got; i++) {
            int file;
            memcpy(&file, CMSG_DATA(part) + i * sizeof(int), sizeof file);
            if (*count < room) files[(*count)++] = file;
            else close(file);
        }
    }
    return r;
}

// What the headers of an older system lack.
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define ON_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
                  LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

// What a kernel of version `abi` can refuse.
static uint64_t known_rights(int abi) {
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (abi >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5) rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return rights;
}

static int kernel_version(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? -errno : (int)abi;
}

int gantry_landlock_begin(void) {
    // Its runtime has a thread of its own from the beginning, which would keep what it may.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    return -ENOSYS;
#endif
#endif
    int abi = kernel_version();
    if (abi < 0) return abi;
    struct landlock_ruleset_attr attributes = {.handled_access_fs = known_rights(abi)};
    long rules = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
    return rules < 0 ? -errno : (int)rules;
}

static int allow(int rules, const char *path, gantry_file_rights rights, int flags, bool is_file) {
    int abi = kernel_version();
    if (abi < 0) return abi;
    uint64_t allowed = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_IOCTL_DEV;
    if (rights != GANTRY_MAY_READ) allowed |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
    if (rights == GANTRY_MAY_MAKE)
        allowed |= LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
    int file = open(path, O_PATH | O_CLOEXEC | flags);
    if (file < 0) return -errno;
    struct stat status;
    int result = 0;
    if (fstat(file, &status) < 0) result = -errno;
    else if (is_file && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        result = S_ISLNK(status.st_mode) ? -ELOOP : S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    if (result == 0 && !S_ISDIR(status.st_mode)) allowed &= ON_FILES;
    struct landlock_path_beneath_attr rule = {.allowed_access = allowed & known_rights(abi), .parent_fd = file};
    if (result == 0 && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) result = -errno;
    close(file);
    return result;
}

int gantry_landlock_allow(int rules, const char *path, gantry_file_rights rights) {
    return allow(rules, path, rights, 0, false);
}

int gantry_landlock_allow_file(int rules, const char *path, gantry_file_rights rights, bool follows) {
    return allow(rules, path, rights, follows ? 0 : O_NOFOLLOW, true);
}

int gantry_landlock_enter(int rules) {
    // Threads that exist would keep what they may.
    if (!gantry_is_single_threaded()) return -EBUSY;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
