import CLinux
import Glibc

/// A mutex with one condition, for the few places where data-plane threads wait for each other.
@safe
public final class Monitor: @unchecked Sendable {
    // SAFETY: mutex and condition live at one address from init to deinit; pthread functions do the rest.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    public func lock() { unsafe pthread_mutex_lock(mutex) }
    /// `lock`, for at most `nanoseconds`. False: others have it.
    public func lock(nanoseconds: UInt64) -> Bool {
        unsafe gantry_mutex_lock_until(mutex, gantry_now() &+ nanoseconds) == 0
    }
    public func unlock() { unsafe pthread_mutex_unlock(mutex) }

    /// Runs `body` with the mutex held.
    @inlinable
    public func locked<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        lock()
        defer { unlock() }
        return try body()
    }

    /// With the mutex held: gives it up, sleeps until a `wakeAll` (or for no reason), takes it again.
    public func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// Like `wait`, for at most `nanoseconds`.
    public func wait(nanoseconds: UInt64) {
        var until = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &until)
        let total = UInt64(until.tv_nsec) + nanoseconds % 1_000_000_000
        until.tv_sec += Int(nanoseconds / 1_000_000_000 + total / 1_000_000_000)
        until.tv_nsec = Int(total % 1_000_000_000)
        unsafe pthread_cond_timedwait(condition, mutex, &until)
    }

    public func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}
