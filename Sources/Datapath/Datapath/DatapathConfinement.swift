import CLinux
public import DatapathControl
import Foundation

/// What a process that serves images gives up before it opens the first: images are hostile, and whoever took the process
/// over through one should find little to do with it.
public enum DatapathConfinement {
    /// A chain has a descriptor for each image, a client has one each.
    private static let descriptors: UInt64 = 4096

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

    /// From here on the process opens the image, what is below it, its log of changes, its SR's marker, what lies in
    /// `folders`, which are its own, and what the system's libraries read; nothing else of the file system, whoever asks. What
    /// it needs later is handed over open. Before there are threads.
    /// `image` nil: it is open already, and nothing of it is to be opened by its name. Whether it is so.
    @discardableResult
    public static func keepFiles(of image: ImageSpecification?, folders: [String]) -> Bool {
        let rules = gantry_landlock_begin()
        guard rules >= 0 else {
            complain("confined to its files", rules)
            return false
        }
        defer { close(rules) }
        let own = folders.map { (path: $0, rights: GANTRY_MAY_MAKE) }
        let others = system.map { (path: $0, rights: GANTRY_MAY_READ) }
        // What is not there needs no rule; what else goes wrong is told by who opens it.
        func note(_ path: String, _ status: Int32) {
            if status < 0, status != -ENOENT { complain("given \(path)", status) }
        }
        // SAFETY: Swift's own temporary C strings.
        for (path, rights) in own + others + [(path: "/dev/null", rights: GANTRY_MAY_WRITE)] {
            note(path, unsafe gantry_landlock_allow(rules, path, rights))
        }
        // Paths in folders to which others may write.
        for file in image?.files ?? [] {
            let rights = file.isWritable ? GANTRY_MAY_WRITE : GANTRY_MAY_READ
            note(file.path, unsafe gantry_landlock_allow_file(rules, file.path, rights, file.followsLinks))
        }
        let status = gantry_landlock_enter(rules)
        if status < 0 { complain("confined to its files", status) }
        return status == 0
    }

    static func complain(_ what: String, _ status: Int32) {
        let reason = unsafe String(cString: strerror(-status))
        FileHandle.standardError.write(Data("gantry-datapath: not \(what): \(reason)\n".utf8))
    }

    /// Where the kernel cannot, the process goes on without and says so once.
    public static func apply() {
        let limited = gantry_limit_process(0, 0, 0, descriptors)
        let confined = gantry_confine_process()
        for (what, status) in [("limited", limited), ("confined", confined)] where status < 0 {
            complain(what, status)
        }
    }
}
