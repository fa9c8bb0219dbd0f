import CLinux
import Foundation

/// Starts QEMU detached: in its own session, so that it goes on when this process dies.
enum QEMUProcess {
    /// Where QEMU is installed. Throws `.startFailed` when it is not.
    static func find() throws(GuestError) -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for folder in folders + ["/usr/bin", "/usr/local/bin"] {
            let path = folder + "/qemu-system-x86_64"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw GuestError(.startFailed, "qemu-system-x86_64 is not installed: apt-get install qemu-system-x86")
    }

    /// Runs QEMU with its monitor and console listening in `folder` and what it prints in the folder's log.
    /// Returns the process id.
    static func start(_ arguments: [String], in folder: GuestFolder) throws(GuestError) -> Int32 {
        let program = try find()
        let monitor = try listen(folder.qmp)
        defer { close(monitor) }
        let console = try listen(folder.console)
        defer { close(console) }
        let log = unsafe open(folder.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw .system("open \(folder.log)", -gantry_errno()) }
        defer { close(log) }
        return try spawn(program, arguments, in: monitor, out: console, err: log, detached: true)
    }

    /// Starts `program`; descriptors as gantry_spawn takes them. Returns the process id.
    static func spawn(
        _ program: String, _ arguments: [String], in input: Int32, out: Int32, err: Int32, detached: Bool
    ) throws(GuestError) -> Int32 {
        // SAFETY: the vector ends with NULL and its strings live until the child has started.
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { for index in 0...arguments.count { unsafe free(vector[index]) } }
        let pid = unsafe gantry_spawn(program, vector, nil, input, out, err, detached)
        guard pid > 0 else { throw .system("start \(program)", pid) }
        return pid
    }

    private static func listen(_ path: String) throws(GuestError) -> Int32 {
        let descriptor = unsafe path.withCString { unsafe gantry_unix_listen($0, 4) }
        guard descriptor >= 0 else { throw .system("listen on \(path)", descriptor) }
        return descriptor
    }
}
