import CLinux
import Glibc

/// PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, an enum constant that Swift does not import as Int32.
private let preferWriterNonrecursive: Int32 = 2

/// Many readers or one writer; a waiting writer goes before new readers, so that steady readers cannot starve it.
/// Held for the length of a device request, from any thread; not recursive.
@safe
public final class ReadWriteLock: @unchecked Sendable {
    // SAFETY: the lock lives at one address from init to deinit; pthread functions do the rest.
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    public init() {
        unsafe lock = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_rwlock_t())
        var attributes = pthread_rwlockattr_t()
        unsafe pthread_rwlockattr_init(&attributes)
        unsafe pthread_rwlockattr_setkind_np(&attributes, preferWriterNonrecursive)
        unsafe pthread_rwlock_init(lock, &attributes)
        unsafe pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_rwlock_destroy(lock)
        unsafe lock.deallocate()
    }

    @inline(__always) public func lockShared() { unsafe pthread_rwlock_rdlock(lock) }
    /// `lockShared`, for at most `nanoseconds`. False: somebody has it exclusively, or waits for that.
    public func lockShared(nanoseconds: UInt64) -> Bool {
        unsafe gantry_rwlock_share_until(lock, gantry_now() &+ nanoseconds) == 0
    }
    @inline(__always) public func lockExclusive() { unsafe pthread_rwlock_wrlock(lock) }
    /// `lockExclusive`, for at most `nanoseconds`, in which new readers wait. False: somebody has it still.
    public func lockExclusive(nanoseconds: UInt64) -> Bool {
        unsafe gantry_rwlock_own_until(lock, gantry_now() &+ nanoseconds) == 0
    }
    @inline(__always) public func unlock() { unsafe pthread_rwlock_unlock(lock) }

    @inlinable
    public func shared<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        lockShared()
        defer { unlock() }
        return try body()
    }

    @inlinable
    public func exclusive<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        lockExclusive()
        defer { unlock() }
        return try body()
    }
}
