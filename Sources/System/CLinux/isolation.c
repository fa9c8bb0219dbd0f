#define _GNU_SOURCE 1
#include "CLinux.h"
#include "sanitized.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Another user, and namespaces of its own, for a process that serves images (namespaces(7), capabilities(7), pivot_root(2)).

// The only file of the own root: by it a process knows whether what it finds is of before the machine was started.
static const char boot[] = "proc/sys/kernel/random/boot_id";

bool gantry_is_single_threaded(void) {
    // It asks for nothing but that (unshare(2)).
    return unshare(CLONE_THREAD) == 0;
}

int gantry_own_namespaces(void) {
#ifdef IS_SANITIZED
    return -ENOSYS;
#else
    return unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ? -errno : 0;
#endif
}

// The new root's content, in the current folder; `folder` is reached through `own`, if there is one.
static int furnish(int own, int boot_file) {
    char source[40];
    for (size_t i = 0; i < sizeof boot; i++) {
        if (boot[i] != '/') continue;
        char part[sizeof boot];
        snprintf(part, i + 1, "%s", boot);
        if (mkdir(part, 0755) < 0) return -errno;
    }
    int made = open(boot, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (made < 0) return -errno;
    close(made);
    snprintf(source, sizeof source, "/proc/self/fd/%d", boot_file);
    if (mount(source, boot, NULL, MS_BIND, NULL) < 0) return -errno;
    if (own < 0) return 0;
    if (mkdir("own", 0755) < 0) return -errno;
    snprintf(source, sizeof source, "/proc/self/fd/%d", own);
    if (mount(source, "own", NULL, MS_BIND, NULL) < 0) return -errno;
    // A bind mount takes such flags only when it is changed.
    const unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return mount(NULL, "own", NULL, flags, NULL) < 0 ? -errno : 0;
}

// In a mount namespace of its own.
static int change_root(const char *folder) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -errno;
    // Opened here: a mount of another namespace cannot be bound.
    int own = folder ? open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    int r = folder && own < 0 ? -errno : 0;
    int boot_file = open("/proc/sys/kernel/random/boot_id", O_PATH | O_CLOEXEC);
    if (r == 0 && boot_file < 0) r = -errno;
    // Any folder would do to mount the new root on: nobody sees it there.
    const char *place = folder ? folder : "/usr";
    const unsigned long bare = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (r == 0 && mount("gantry", place, "tmpfs", bare, "size=64k,nr_inodes=32,mode=0755") < 0) r = -errno;
    if (r == 0 && chdir(place) < 0) r = -errno;
    if (r == 0) r = furnish(own, boot_file);
    if (r == 0 && syscall(SYS_pivot_root, ".", ".") < 0) r = -errno;
    // From here on the old root lies above the new one. Gone with it is what would keep an SR's file system from being unmounted.
    if (r == 0 && umount2(".", MNT_DETACH) < 0) r = -errno;
    if (r == 0 && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | bare, NULL) < 0) r = -errno;
    if (r == 0 && chdir(folder ? "/own" : "/") < 0) r = -errno;
    if (own >= 0) close(own);
    if (boot_file >= 0) close(boot_file);
    return r;
}

int gantry_own_root(const char *folder) {
#ifdef IS_SANITIZED
    (void)folder;
    return -ENOSYS;
#else
    int old = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (old < 0) return -errno;
    int r = unshare(CLONE_NEWNS) < 0 ? -errno : 0;
    if (r == 0 && (r = change_root(folder)) < 0) {
        // A namespace of its own with all of the system in it would keep every file system from being unmounted.
        if (setns(old, CLONE_NEWNS) < 0) r = -EFAULT;
    }
    close(old);
    return r;
#endif
}

int gantry_give_folder(const char *path, uint32_t user) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return -errno;
    int r = fchown(folder, user, user) < 0 || fchmod(folder, 0700) < 0 ? -errno : 0;
    DIR *list = r == 0 ? fdopendir(folder) : NULL;
    if (!list) {
        if (r == 0) r = -errno;
        close(folder);
        return r;
    }
    struct dirent *entry;
    while (r == 0 && (entry = readdir(list))) {
        int file = openat(folder, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        // An earlier process may have put there what it likes: only a file that has no other name, never a link.
        if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
            fchownat(file, "", user, user, AT_EMPTY_PATH) < 0)
            r = -errno;
        if (file >= 0) close(file);
    }
    closedir(list);
    return r;
}

static int drop_bounds(int kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (capability == kept || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -errno;
    }
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

static int keep(int kept) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (kept >= 0) data[kept / 32].effective = data[kept / 32].permitted = 1u << (kept % 32);
    return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int gantry_become_user(uint32_t user, uint64_t threads) {
#ifdef IS_SANITIZED
    (void)user, (void)threads;
    return -ENOSYS;
#else
    // Tried first: a user that the namespace does not know changes nothing.
    if (setgroups(0, NULL) < 0) return -errno;
    if (setresgid(user, user, user) < 0) return -errno;
    int r = drop_bounds(-1);
    if (r == 0 && setresuid(user, user, user) < 0) r = -errno;
    if (r < 0) return r;
    // Its own, whatever the system thinks of who has just changed its user; nobody looks into it, and it leaves no core.
    if ((r = keep(-1)) < 0) return r;
    struct rlimit limit = {.rlim_cur = threads, .rlim_max = threads};
    if (threads && setrlimit(RLIMIT_NPROC, &limit) < 0) return -errno;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
#endif
}

int gantry_keep_file_access(void) {
    int r = drop_bounds(CAP_DAC_OVERRIDE);
    return r < 0 ? r : keep(CAP_DAC_OVERRIDE);
}

int gantry_detach(void) {
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child > 0) _exit(0);
    return setsid() < 0 ? -errno : 0;
}

int gantry_socket_pair(int *one, int *other) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    *one = ends[0];
    *other = ends[1];
    return 0;
}
