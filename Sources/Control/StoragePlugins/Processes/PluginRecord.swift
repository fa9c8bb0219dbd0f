import CLinux
import Foundation

/// The file that says that a third-party program runs: `<folder>/<pid>`, which holds its start time and the machine's boot.
/// The program outlives us when we are killed, and may go on changing a disk: whoever comes after us finds it by this.
public struct PluginRecord: Sendable {
    public let pid: Int32
    /// Clock ticks since the machine started; with the pid it names a process for ever.
    public let startTime: UInt64
    private let path: String

    struct Unwritable: Error {
        let error: Int32
    }

    /// Throws the errno of what keeps the file from being written.
    static func make(_ pid: Int32, in folder: String) throws(Unwritable) -> PluginRecord {
        let record = PluginRecord(
            pid: pid, startTime: gantry_process_start_time(pid), path: "\(folder)/\(pid)")
        if unsafe mkdir(folder, 0o700) < 0, errno != EEXIST { throw Unwritable(error: errno) }
        let file = unsafe open(record.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if file < 0 { throw Unwritable(error: errno) }
        defer { close(file) }
        let text = Array("\(record.startTime) \(boot)".utf8)
        let written = unsafe write(file, text, text.count)
        if written < text.count { throw Unwritable(error: written < 0 ? errno : ENOSPC) }
        return record
    }

    /// The programs of an earlier process of ours that still run; the files of those that do not are removed.
    public static func left(in folder: String) -> [PluginRecord] {
        var alive: [PluginRecord] = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = "\(folder)/\(name)"
            let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let words = text.split(separator: " ")
            if words.count == 2, let pid = Int32(name), pid > 1, let startTime = UInt64(words[0]), words[1] == boot {
                let record = PluginRecord(pid: pid, startTime: startTime, path: path)
                if record.isAlive {
                    alive.append(record)
                    continue
                }
            }
            unsafe unlink(path)
        }
        return alive
    }

    public var isAlive: Bool { startTime != 0 && gantry_process_start_time(pid) == startTime }

    /// How long the program has been running.
    public var age: Duration {
        var now = timespec()
        // SAFETY: the call fills the structure.
        guard unsafe clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return .zero }
        let ticks = UInt64(clamping: max(1, sysconf(Int32(_SC_CLK_TCK))))
        return max(.zero, .seconds(now.tv_sec) - .seconds(Int64(clamping: startTime / ticks)))
    }

    public func remove() { unsafe unlink(path) }

    /// After a restart of the machine another process may have the numbers.
    private static var boot: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }
}
