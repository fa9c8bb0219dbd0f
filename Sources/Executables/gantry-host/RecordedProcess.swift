import CLinux
import FoundationEssentials
import Glibc

/// A process that a record in the run folder names, held by a pidfd, so that a number used anew is never mistaken for it.
final class RecordedProcess {
    /// The members that all records share: `RUN/gantryd.json`, `RUN/guests/*/record.json`, `RUN/dp/*/record.json`.
    struct Record: Decodable {
        let pid: Int32
        /// Clock ticks since boot, field 22 of /proc/PID/stat.
        let startTime: UInt64
        /// In `RUN/gantryd.json`: the state folder it works on.
        let stateDirectory: String?
    }

    let pid: Int32
    private let handle: Int32

    /// Nil when the process is gone.
    init?(_ record: Record) {
        guard record.pid > 0, record.startTime > 0 else { return nil }
        let descriptor = gantry_pidfd_open(record.pid)
        guard descriptor >= 0 else { return nil }
        // Asked after the pidfd was opened: if the start time is right now, the pidfd is of that process.
        guard gantry_process_start_time(record.pid) == record.startTime else {
            close(descriptor)
            return nil
        }
        pid = record.pid
        handle = descriptor
        if hasEnded(within: 0) { return nil }
    }

    deinit { close(handle) }

    /// Nil when there is no such file; throws when it is not a record.
    static func record(at path: String) throws -> Record? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(Record.self, from: data)
    }

    /// True when it is gone, at the latest after `seconds` (-1: as long as it takes).
    func hasEnded(within seconds: Int) -> Bool {
        var entry = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
        while true {
            // SAFETY: one local entry.
            let count = unsafe poll(&entry, 1, seconds < 0 ? -1 : Int32(clamping: seconds * 1000))
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }

    /// Zero, or the errno of what forbids it. A process that is gone already is fine.
    func signal(_ number: Int32) -> Int32 {
        let result = gantry_pidfd_signal(handle, number)
        return result == 0 || result == -ESRCH ? 0 : -result
    }
}
