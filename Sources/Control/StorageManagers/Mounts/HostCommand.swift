import Dispatch
import Foundation
import StorageInterface
import Synchronization

/// Runs one of the system's storage programs (mkfs, blkid, mount) to its end. Blocking.
struct HostCommand {
    struct Outcome {
        let status: Int32
        /// Standard output and errors together, at most `longestOutput` bytes.
        let output: String
    }

    private static let longestOutput = 64 << 10
    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]

    /// Throws `.general` when the program is not installed, cannot be started or takes more than `seconds`.
    static func run(_ program: String, _ arguments: [String], seconds: Int) throws(StorageError) -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try find(program))
        process.arguments = arguments
        process.environment = ["PATH": folders.joined(separator: ":"), "LC_ALL": "C"]
        let pipe = Foundation.Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        do {
            try process.run()
        } catch {
            throw StorageError(.general, "cannot start \(program): \(error.localizedDescription)")
        }
        let pid = process.processIdentifier
        let isLate = Mutex(false)
        let alarm = DispatchSource.makeTimerSource()
        alarm.schedule(deadline: .now() + .seconds(seconds))
        alarm.setEventHandler {
            isLate.withLock { $0 = true }
            kill(pid, SIGKILL)
        }
        alarm.resume()
        var output = Data()
        while true {
            let piece = pipe.fileHandleForReading.availableData
            if piece.isEmpty { break }
            output.append(piece.prefix(max(0, longestOutput - output.count)))
        }
        process.waitUntilExit()
        alarm.cancel()
        if isLate.withLock({ $0 }) {
            throw StorageError(.general, "\(program) did not end within \(seconds) s and was killed")
        }
        let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return Outcome(status: process.terminationStatus, output: text)
    }

    /// A path is taken as it is; a name is looked up where systems keep such programs.
    private static func find(_ program: String) throws(StorageError) -> String {
        if program.hasPrefix("/") { return program }
        for folder in folders where FileManager.default.isExecutableFile(atPath: folder + "/" + program) {
            return folder + "/" + program
        }
        throw StorageError(.general, "the program \(program) is not installed on this host; install it and try again")
    }
}
