import CLinux
import Foundation
import Logging
import Synchronization

/// Finds out whether KVM really runs guests here. A device node proves nothing: under some nested hypervisors guests
/// hang for ever, and simple real-mode code even runs there. So a Linux kernel is booted, without a disk, until it
/// says that it cannot mount one. Done at most once a boot of this machine; the verdict is kept in `RUN/acceleration`.
final class KVMProbe: Sendable {
    /// A kernel that boots at all is there in about a second.
    static let limit: UInt64 = 8_000_000_000

    private let verdictPath: String
    private let log: String
    private let logger: Logger
    private let attempt = Mutex<Task<Bool, Never>?>(nil)

    init(runDirectory: String, logger: Logger) {
        verdictPath = runDirectory + "/acceleration"
        log = runDirectory + "/acceleration.log"
        self.logger = logger
    }

    /// True when KVM has proved to work. `kernel` is what to boot; nil: this machine's own, when it can be read.
    func works(kernel: String?) async -> Bool {
        let task = attempt.withLock { attempt in
            if let attempt { return attempt }
            let new = Task { await self.decide(kernel) }
            attempt = new
            return new
        }
        return await task.value
    }

    private func decide(_ kernel: String?) async -> Bool {
        if let known = cached() { return known }
        guard unsafe access("/dev/kvm", R_OK | W_OK) == 0 else { return false }
        guard let kernel = kernel ?? Self.ownKernel() else {
            logger.notice("no kernel to try KVM with: guests are emulated")
            // Not kept for good: the next guest may bring a kernel.
            attempt.withLock { $0 = nil }
            return false
        }
        let verdict = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: self.boot(kernel, on: "kvm", processor: "host"))
            }
        }
        logger.notice("KVM was tried", metadata: ["works": "\(verdict)"])
        let text = "\(verdict ? "kvm" : "tcg") \(Self.bootID())\n"
        try? Data(text.utf8).write(to: URL(fileURLWithPath: verdictPath), options: .atomic)
        return verdict
    }

    private func cached() -> Bool? {
        guard let data = FileManager.default.contents(atPath: verdictPath) else { return nil }
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[1] == Self.bootID() else { return nil }
        return words[0] == "kvm"
    }

    /// True when QEMU's accelerator `on` boots the kernel far enough to look for its root, within the limit. Blocks.
    /// `limit`: nanoseconds.
    func boot(_ kernel: String, on accelerator: String, processor: String, limit: UInt64 = KVMProbe.limit) -> Bool {
        let output = unsafe open(log, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard output >= 0 else { return false }
        defer {
            close(output)
            _ = unsafe unlink(log)
        }
        let arguments = [
            "-machine", "q35", "-accel", accelerator, "-cpu", processor, "-m", "size=256M", "-nodefaults",
            "-no-user-config",
            "-display", "none", "-nic", "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel,
            "-append", "console=ttyS0 quiet panic=-1",
        ]
        do throws(GuestError) {
            let program = try QEMUProcess.find()
            let pid = try QEMUProcess.spawn(program, arguments, in: -1, out: output, err: -1, detached: false)
            wait(for: pid, limit: limit)
        } catch {
            return false
        }
        let said = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
        return said.contains("Unable to mount root fs") || said.contains("No working init found")
    }

    /// Waits for the end of the process at most `limit`, then kills it.
    private func wait(for pid: Int32, limit: UInt64) {
        let process = gantry_pidfd_open(pid)
        guard process >= 0 else { return }
        defer { close(process) }
        let deadline = gantry_now() + limit
        var set = [pollfd(fd: process, events: Int16(POLLIN), revents: 0)]
        var ended = false
        while !ended, gantry_now() < deadline { ended = unsafe poll(&set, 1, 100) > 0 }
        if !ended {
            _ = gantry_pidfd_signal(process, SIGKILL)
            while unsafe poll(&set, 1, -1) < 0 {}
        }
        var status: Int32 = 0
        _ = unsafe gantry_reap(pid, &status)
    }

    private static func bootID() -> String {
        let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func ownKernel() -> String? {
        let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        let path = "/boot/vmlinuz-" + release.trimmingCharacters(in: .whitespacesAndNewlines)
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }
}
