internal import CLinux
internal import Glibc

/// What a process that reads strangers' images gives up before it opens the first: whoever took it over through one should find
/// little to do with it. Before there are threads. What the kernel cannot do is told, and the process goes on without.
public enum ProcessConfinement {
    public enum Rights: Sendable {
        case read
        /// Reads, too, and changes the length.
        case write
        /// In a folder and all below it: makes and removes files, too.
        case make
    }

    /// What may be opened from then on.
    public struct Rule: Sendable {
        /// A file, or a folder with all that is in it.
        public var path: String
        public var rights: Rights
        /// A regular file or block device only; what else is there, a folder above all, gets no rule.
        public var isImage: Bool
        /// Also where a symbolic link at the path leads.
        public var followsLinks: Bool

        public init(_ path: String, _ rights: Rights, isImage: Bool = false, followsLinks: Bool = true) {
            self.path = path
            self.rights = rights
            self.isImage = isImage
            self.followsLinks = followsLinks
        }
    }

    /// Something that the kernel did not do.
    public struct Lack: Sendable {
        /// As in “not confined to its files”.
        public let what: String
        public let errno: Int32

        public init(what: String, errno: Int32) {
            self.what = what
            self.errno = errno
        }
    }

    /// What the system's libraries look at while the process runs: name services, certificates' authorities, random numbers.
    private static let system = [
        "/usr", "/lib", "/lib64", "/etc/ssl", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/hosts",
        "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/localtime", "/dev/urandom",
        "/dev/random", "/proc/self", "/proc/sys", "/sys/devices/system/cpu",
    ]

    /// Whether the kernel has what `keepFiles` needs (Landlock).
    public static var canKeepFiles: Bool {
        let rules = gantry_landlock_begin()
        if rules < 0 { return false }
        close(rules)
        return true
    }

    /// From here on the process opens what the rules say and what the system's libraries read, and nothing else of the file
    /// system, whoever asks. What is not there needs no rule. Whether it is so, and what is missing.
    public static func keepFiles(_ own: [Rule]) -> (isConfined: Bool, lacks: [Lack]) {
        let rules = gantry_landlock_begin()
        guard rules >= 0 else { return (false, [Lack(what: "confined to its files", errno: -rules)]) }
        defer { close(rules) }
        var lacks: [Lack] = []
        for rule in own + system.map({ Rule($0, .read) }) + [Rule("/dev/null", .write)] {
            let rights =
                switch rule.rights {
                case .read: GANTRY_MAY_READ
                case .write: GANTRY_MAY_WRITE
                case .make: GANTRY_MAY_MAKE
                }
            // SAFETY: Swift's own temporary C strings.
            let status =
                rule.isImage
                ? unsafe gantry_landlock_allow_file(rules, rule.path, rights, rule.followsLinks)
                : unsafe gantry_landlock_allow(rules, rule.path, rights)
            if status < 0, status != -ENOENT { lacks.append(Lack(what: "given \(rule.path)", errno: -status)) }
        }
        let status = gantry_landlock_enter(rules)
        if status < 0 { lacks.append(Lack(what: "confined to its files", errno: -status)) }
        return (status == 0, lacks)
    }

    /// Gives up, for good, starting programs, looking into other processes, mounting, making namespaces, changing the user and what
    /// is the kernel's own (seccomp).
    /// - Parameter network: keeps sockets; without it none can be made.
    public static func giveUpCalls(network: Bool) -> [Lack] {
        let status = network ? gantry_confine_process() : gantry_confine_process_alone()
        return status < 0 ? [Lack(what: "confined", errno: -status)] : []
    }
}
