import CLinux
import Glibc

/// What a look at the process that a record names has shown. A host without descriptors or memory shows nothing: neither
/// may then be concluded, since what is taken for dead is begun again beside the one that lives.
public enum ProcessLife: Sendable {
    case lives
    /// It is gone, or has ended, or another has its number.
    case over
    case unknown

    /// `startTime`: as `gantry_process_start_time` said it of the process; 0 is nobody's.
    public init(of pid: Int32, startedAt startTime: UInt64) {
        guard pid > 0, startTime != 0 else {
            self = .over
            return
        }
        let seen = gantry_process_start_time(pid)
        if seen != 0 {
            self = seen == startTime ? .lives : .over
            return
        }
        // Gone, ended and not waited for, or not to be looked at (pidfd_open(2): ESRCH for the first alone).
        let descriptor = gantry_pidfd_open(pid)
        if descriptor < 0 {
            self = descriptor == -ESRCH ? .over : .unknown
            return
        }
        defer { close(descriptor) }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: one local entry.
        self = unsafe poll(&entry, 1, 0) > 0 ? .over : .unknown
    }
}
