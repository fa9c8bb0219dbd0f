import BlockIO

/// Calls that may take for ever, as storage that hangs and peers that are silent make them take, for who need not see to their end.
enum Abandonable {
    /// Nanoseconds between two looks.
    private static let look: UInt64 = 20_000_000

    /// What `body` returns or throws, from a thread called `name`. Nil as soon as `isOver` says so, which is asked fifty times a second
    /// from the beginning on: `body` goes on then, and nobody hears of it. Where there is no thread to be had, it runs on this one.
    static func run<T: Sendable>(
        _ name: String, unless isOver: () -> Bool, _ body: @escaping @Sendable () throws(BlockError) -> T
    ) throws(BlockError) -> T? {
        let call = Call<T>()
        let thread = WorkerThread(ifPossible: name) {
            let outcome = Result { () throws(BlockError) in try body() }
            call.monitor.locked {
                call.outcome = outcome
                call.monitor.wakeAll()
            }
        }
        if thread == nil { return try body() }
        call.monitor.lock()
        defer { call.monitor.unlock() }
        while call.outcome == nil {
            if isOver() { return nil }
            call.monitor.wait(nanoseconds: look)
        }
        return try call.outcome?.get()
    }

    private final class Call<T: Sendable>: @unchecked Sendable {
        // @unchecked: `outcome` is touched with `monitor` held.
        let monitor = Monitor()
        var outcome: Result<T, BlockError>?
    }
}
