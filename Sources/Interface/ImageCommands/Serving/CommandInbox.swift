import BlockIO
import Glibc

/// Lines from standard input, what comes of work on other threads, and the end of it all, in the order in which they arrive; lines are
/// read by a thread of its own.
final class CommandInbox: @unchecked Sendable {
    // @unchecked: `events` is touched with the monitor held only.
    enum Event {
        case line(String)
        /// So many bytes of both images are alike, or why not.
        case verified(Result<UInt64, BlockError>)
        /// An attempt to prepare the pivot, by its number, has come to its end, with an error or without.
        case prepared(attempt: Int, BlockError?)
        /// No more will come: the input ended, or the process was told to end.
        case end
    }

    private let monitor = Monitor()
    private var events: [Event] = []

    /// Posts the lines of `descriptor` from now on.
    func startReading(_ descriptor: Int32) {
        _ = WorkerThread("commands") { [self] in
            var pending: [UInt8] = []
            var byte: UInt8 = 0
            while true {
                // SAFETY: one byte into a local variable.
                let count = unsafe read(descriptor, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1, pending.count < 4096 else { break }
                if byte == UInt8(ascii: "\n") {
                    post(.line(String(decoding: pending, as: UTF8.self)))
                    pending.removeAll()
                } else {
                    pending.append(byte)
                }
            }
            if !pending.isEmpty { post(.line(String(decoding: pending, as: UTF8.self))) }
            post(.end)
        }
    }

    func post(_ event: Event) {
        monitor.locked {
            events.append(event)
            monitor.wakeAll()
        }
    }

    /// The next event; with `patience` (nanoseconds), nil when none came in that time.
    func next(patience: UInt64?) -> Event? {
        monitor.locked {
            while events.isEmpty {
                guard let patience else {
                    monitor.wait()
                    continue
                }
                monitor.wait(nanoseconds: patience)
                break
            }
            return events.isEmpty ? nil : events.removeFirst()
        }
    }
}
