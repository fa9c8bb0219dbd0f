import BlockIO
import CoreTypes
import Glibc

/// SIGINT, SIGTERM and (unless it was ignored at the start, as under nohup) SIGHUP, taken at a place of our choice instead of ending the process.
enum TerminationSignals {
    // SAFETY (whole type): the sets and numbers are local variables that live for the call.

    /// Holds them back in this thread and all it starts later. To be called before any thread is started.
    static func hold() {
        var set = all
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Returns which of them arrives. `hold` was called.
    @discardableResult
    static func wait() -> Int32 {
        var set = all
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }

    /// Holds them back and runs `body` on a thread of its own each time one arrives.
    static func each(_ body: @escaping @Sendable (Int32) -> Void) {
        hold()
        _ = WorkerThread("signals") { while true { body(wait()) } }
    }

    /// Holds them back, and cancels when the first arrives. The second ends the process at once, whatever it waits for, and
    /// takes along what is not complete. A terminal that closes says so twice: SIGHUP is never the second.
    static func cancel(_ cancellation: CancellationFlag) {
        each { signal in
            if cancellation.isCancelled, signal != SIGHUP { endAtOnce() }
            cancellation.cancel()
        }
    }

    /// Without a word from whatever is under way.
    static func endAtOnce() -> Never {
        TemporaryFiles.removeAll()
        _exit(CommandFailure.Status.failed)
    }

    private static let all: sigset_t = {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        if !isIgnored(SIGHUP) { unsafe sigaddset(&set, SIGHUP) }
        return set
    }()

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = Glibc.sigaction()
        guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
        // SAFETY: handlers are compared as the numbers that they are; SIG_IGN is 1.
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
