// What the thread sanitizer cannot see of Swift's Mutex; empty in every other build.
//
// Taking and giving up a Synchronization.Mutex that nobody else wants is inlined into our code, and instrumented there.
// One that is contended goes through functions of libswiftSynchronization, which is not: they spin for it, or let the
// kernel hand it over (FUTEX_LOCK_PI). The sanitizer then does not know that one critical section came after the other,
// and calls what they share a race. The functions here stand in front of those, call them, and tell.
// scripts/sanitize.sh proves with scripts/sanitize/mutex.swift that this is so, and that a real race is still found.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void gantry_tsan_lock(uint32_t thread, SELF mutex) __asm__(LOCK);
SWIFT bool gantry_tsan_try_lock(SELF mutex) __asm__(TRY_LOCK);
SWIFT void gantry_tsan_unlock(SELF mutex) __asm__(UNLOCK);

// The library's own function, found once.
static void *original(const char *name, _Atomic(void *) *known) {
    void *found = atomic_load_explicit(known, memory_order_relaxed);
    if (found) return found;
    found = dlsym(RTLD_NEXT, name);
    if (!found) {
        fprintf(stderr, "%s is not in libswiftSynchronization any more: Sources/System/CLinux/tsan.c must follow it\n", name);
        abort();
    }
    atomic_store_explicit(known, found, memory_order_relaxed);
    return found;
}

SWIFT void gantry_tsan_lock(uint32_t thread, SELF mutex) {
    static _Atomic(void *) known;
    typedef SWIFT void (*lock)(uint32_t, SELF);
    ((lock)original(LOCK, &known))(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT bool gantry_tsan_try_lock(SELF mutex) {
    static _Atomic(void *) known;
    typedef SWIFT bool (*try_lock)(SELF);
    bool is_ours = ((try_lock)original(TRY_LOCK, &known))(mutex);
    if (is_ours) __tsan_acquire(mutex);
    return is_ours;
}

SWIFT void gantry_tsan_unlock(SELF mutex) {
    static _Atomic(void *) known;
    typedef SWIFT void (*unlock)(SELF);
    __tsan_release(mutex);
    ((unlock)original(UNLOCK, &known))(mutex);
}
#endif
#endif
