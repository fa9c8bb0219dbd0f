#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

// The mapped bytes that this thread is looking at, and where to go on when they vanish.
struct watch {
    uintptr_t start, end;
    sigjmp_buf away;
};
static _Thread_local struct watch *volatile watching;

static struct sigaction previous;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool installed;

// SIGBUS at an address that this thread watches ends the watch; any other goes to whoever handled it before.
static void on_bus_error(int number, siginfo_t *info, void *context) {
    struct watch *own = watching;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (own && info->si_code > 0 && address >= own->start && address < own->end) {
        watching = NULL;
        // Whoever called us may have blocked signals meanwhile, as the thread sanitizer does: the thread goes on with
        // what it had blocked at the fault.
        pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
        siglongjmp(own->away, 1);
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(number);
    } else if (previous.sa_handler == SIG_DFL || info->si_code > 0) {
        // The kernel's own answer: a fault happens again on return, a signal that was sent is sent again.
        sigaction(SIGBUS, &previous, NULL);
        if (info->si_code <= 0) raise(SIGBUS);
    }
}

bool gantry_watch_mappings(void) {
    // A fault of a thread that blocks the signal ends the process at once.
    sigset_t blocked;
    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0 || sigismember(&blocked, SIGBUS)) return false;
    struct sigaction current;
    if (sigaction(SIGBUS, NULL, &current) < 0) return false;
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_bus_error) return true;
    pthread_mutex_lock(&installing);
    // Whoever has taken the signal over since may hand it on to us or not: nothing is mapped any more.
    if (!atomic_load(&installed)) {
        // Not masked meanwhile, as the handler may leave by a jump; on the thread's own stack for signals if it has one.
        struct sigaction own = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
        own.sa_sigaction = on_bus_error;
        sigemptyset(&own.sa_mask);
        previous = current;
        atomic_store(&installed, sigaction(SIGBUS, &own, NULL) == 0);
    }
    bool is_ours = atomic_load(&installed) && sigaction(SIGBUS, NULL, &current) == 0
        && (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_bus_error;
    pthread_mutex_unlock(&installing);
    return is_ours;
}

int gantry_map(int fd, uint64_t offset, size_t length, const void **start) {
    void *mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)offset);
    if (mapped == MAP_FAILED) return -errno;
    *start = mapped;
    return 0;
}
void gantry_unmap(const void *start, size_t length) { munmap((void *)start, length); }

int gantry_populate(const void *start, size_t length) {
    return madvise((void *)start, length, MADV_POPULATE_READ) < 0 ? -errno : 0;
}

static size_t run_length(const unsigned char *bytes, size_t length, size_t first, size_t granule, bool *zero) {
    size_t end = first < length ? first : length;
    *zero = gantry_is_zero(bytes, end);
    while (end < length) {
        size_t part = granule < length - end ? granule : length - end;
        if (gantry_is_zero(bytes + end, part) != *zero) break;
        end += part;
    }
    return end;
}

size_t gantry_run_length(const void *bytes, size_t length, size_t first, size_t granule, bool *zero) {
    return run_length(bytes, length, first, granule, zero);
}

size_t gantry_mapped_run_length(const void *bytes, size_t length, size_t first, size_t granule, bool *zero) {
    struct watch own = {.start = (uintptr_t)bytes, .end = (uintptr_t)bytes + length};
    if (sigsetjmp(own.away, 0)) return 0;
    watching = &own;
    // The compiler must not move reads out of the watch.
    atomic_signal_fence(memory_order_seq_cst);
    size_t end = run_length(bytes, length, first, granule, zero);
    atomic_signal_fence(memory_order_seq_cst);
    watching = NULL;
    return end;
}
