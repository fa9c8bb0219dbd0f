import CLinux
import Foundation

/// Holds the state folder for one toolstack, and tells administrators which process that is (`RUN/gantryd.json`:
/// pid and start time). The lock goes with the process, however it ends.
final class InstanceLock: Sendable {
    private let descriptor: Int32
    private let recordPath: String

    struct Taken: Error, CustomStringConvertible {
        let description: String
    }

    private struct Record: Codable {
        let pid: Int32
        let startTime: UInt64
        let stateDirectory: String
    }

    init(stateDirectory: String, runDirectory: String) throws {
        let path = stateDirectory + "/lock"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Taken(description: "cannot open \(path): \(unsafe String(cString: strerror(errno)))")
        }
        recordPath = runDirectory + "/gantryd.json"
        guard gantry_lock_file(descriptor, true) == 0 else {
            close(descriptor)
            throw Taken(description: "another gantryd uses \(stateDirectory); stop it first (gantry host stop)")
        }
        let record = Record(
            pid: getpid(), startTime: gantry_process_start_time(getpid()), stateDirectory: stateDirectory)
        try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: recordPath), options: .atomic)
    }

    func release() { unsafe unlink(recordPath) }

    deinit { close(descriptor) }
}
