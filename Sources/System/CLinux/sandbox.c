#define _GNU_SOURCE 1
#include "CLinux.h"
#include "sanitized.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

// Of all threads, and without the mitigation that slows down every store: nothing here runs a stranger's code.
#define FLAGS (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW)

#define REFUSE(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
                       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

// The flags of clone(2) that make namespaces. The one for time is no flag of that call.
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

// `alone`: without sockets. A filter of its own, which the kernel asks, too.
static int refuse_sockets(void) {
#if defined(IS_SANITIZED) || !defined(OUR_ARCH)
    return 0;
#else
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_socket), REFUSE(SYS_socketpair), REFUSE(SYS_io_uring_setup),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FLAGS, &program);
    return result < 0 ? -errno : result > 0 ? -EBUSY : 0;
#endif
}

bool gantry_is_sanitized(void) {
#ifdef IS_SANITIZED
    return true;
#else
    return false;
#endif
}

int gantry_confine_process_alone(void) {
    int result = gantry_confine_process();
    return result < 0 ? result : refuse_sockets();
}

int gantry_confine_process(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
#if defined(IS_SANITIZED) || !defined(OUR_ARCH)
    return 0;
#else
    struct sock_filter rules[] = {
        // Calls of another machine's numbers, which the rules below would read wrongly.
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
        // So are those of the x32 numbers.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
        // Programs, other processes, the kernel's own parts, mounts and names.
        REFUSE(SYS_execve), REFUSE(SYS_execveat), REFUSE(SYS_ptrace), REFUSE(SYS_process_vm_readv),
        REFUSE(SYS_process_vm_writev), REFUSE(SYS_mount), REFUSE(SYS_umount2), REFUSE(SYS_pivot_root),
        REFUSE(SYS_chroot), REFUSE(SYS_setns), REFUSE(SYS_unshare), REFUSE(SYS_init_module),
        REFUSE(SYS_finit_module), REFUSE(SYS_delete_module), REFUSE(SYS_kexec_load), REFUSE(SYS_bpf),
        REFUSE(SYS_perf_event_open), REFUSE(SYS_keyctl), REFUSE(SYS_add_key), REFUSE(SYS_request_key),
        REFUSE(SYS_reboot), REFUSE(SYS_swapon), REFUSE(SYS_swapoff), REFUSE(SYS_userfaultfd),
        REFUSE(SYS_settimeofday), REFUSE(SYS_clock_settime), REFUSE(SYS_sethostname), REFUSE(SYS_setuid),
        REFUSE(SYS_setgid), REFUSE(SYS_mknodat), REFUSE(SYS_open_by_handle_at), REFUSE(SYS_acct),
        REFUSE(SYS_fsopen), REFUSE(SYS_fsmount), REFUSE(SYS_move_mount), REFUSE(SYS_open_tree),
        REFUSE(SYS_mount_setattr), REFUSE(SYS_setresuid), REFUSE(SYS_setreuid), REFUSE(SYS_setresgid),
        REFUSE(SYS_setregid), REFUSE(SYS_setgroups), REFUSE(SYS_setfsuid), REFUSE(SYS_setfsgid), REFUSE(SYS_capset),
        REFUSE(SYS_pidfd_getfd), REFUSE(SYS_kexec_file_load),
#ifdef SYS_mknod
        REFUSE(SYS_mknod),
#endif
        // Its flags lie in memory, where no rule can look: the C library makes threads by the older call then.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof rules[0], .filter = rules};
    // Of the whole process, whatever threads there are.
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FLAGS, &program);
    return result < 0 ? -errno : result > 0 ? -EBUSY : 0;
#endif
}
