import Glibc

/// How many files and connections this process may have open.
struct FileDescriptors: Sendable {
    let limit: Int

    /// Kept for the database, data paths, guests and transfers.
    private static let reserve = 1024

    /// What is left for clients; a quarter when there is little.
    var forConnections: Int { max(limit - Self.reserve, limit / 4) }

    /// Raises the soft limit as far as the hard one allows.
    static func raise() -> FileDescriptors {
        // SAFETY: both calls get a whole, live structure.
        var limits = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
            return FileDescriptors(limit: 1024)
        }
        if limits.rlim_cur < limits.rlim_max {
            var raised = limits
            raised.rlim_cur = limits.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limits = raised }
        }
        return FileDescriptors(limit: Int(clamping: limits.rlim_cur))
    }
}
