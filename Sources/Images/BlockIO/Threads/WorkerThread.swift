import CLinux
import Glibc
import Synchronization

/// A named thread that runs one closure and can be waited for. Data-plane work runs on these, never on the
/// cooperative pool.
@safe
public final class WorkerThread: @unchecked Sendable {
    // SAFETY: `thread` is set before any other thread can see the object, and joined at most once.
    private var thread = pthread_t()
    private let joined = Atomic<Bool>(false)

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts `body` on a new thread called `name` (15 bytes are shown).
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let status = Self.create(&thread, Start(name: name, body: body))
        precondition(status == 0, "pthread_create failed with \(status): the process is out of threads")
    }

    /// The same where one thread more or less does not matter: nil when the process is out of threads.
    public init?(ifPossible name: String, _ body: @escaping @Sendable () -> Void) {
        if Self.create(&thread, Start(name: name, body: body)) != 0 {
            joined.store(true, ordering: .releasing)
            return nil
        }
    }

    /// 0, or the error number.
    private static func create(_ thread: inout pthread_t, _ start: Start) -> Int32 {
        let start = unsafe Unmanaged.passRetained(start)
        let status = unsafe pthread_create(
            &thread, nil,
            { raw in
                // SAFETY: the pointer is the retained Start of the line above; taken exactly once.
                guard let raw = unsafe raw else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                unsafe gantry_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        // SAFETY: without a thread nobody takes it.
        if status != 0 { unsafe start.release() }
        return status
    }

    /// Nobody waits for a thread whose object is gone: it ends by itself and leaves nothing.
    deinit {
        if !joined.exchange(true, ordering: .acquiringAndReleasing) { pthread_detach(thread) }
    }

    /// Returns when the body has returned. Later calls return at once.
    public func join() {
        if joined.exchange(true, ordering: .acquiringAndReleasing) { return }
        pthread_join(thread, nil)
    }
}
