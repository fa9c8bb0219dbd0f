import APITypes
import Foundation

/// Where tests interfere. Debug builds only; release builds have no such thing.
///
/// `GANTRY_FAILURE_POINT` names the point at which the toolstack ends itself with SIGKILL. `GANTRY_FAILURE_FOLDER` is a
/// folder in which a test, while the toolstack runs, puts files that are named after points. Such a file counts once:
/// `kill` ends the toolstack, `fail` makes the step fail as a driver would, and `hold` makes the move wait there, which
/// the file's new name, with `.held` behind it, says until the test removes that.
enum FailurePoint {
    static func reached(_ name: @autoclosure () -> String) {
        #if DEBUG
            if ProcessInfo.processInfo.environment["GANTRY_FAILURE_POINT"] == name() { kill(getpid(), SIGKILL) }
        #endif
    }

    /// The same, and what the folder says.
    static func pass(_ name: @autoclosure () -> String) async throws {
        #if DEBUG
            let point = name()
            reached(point)
            guard let folder else { return }
            let file = folder + "/" + point
            guard let data = FileManager.default.contents(atPath: file) else { return }
            let held = file + ".held"
            // Of several that are as far at once one takes it.
            do { try FileManager.default.moveItem(atPath: file, toPath: held) } catch { return }
            switch String(decoding: data, as: UTF8.self) {
            case "kill": kill(getpid(), SIGKILL)
            case "fail":
                try FileManager.default.removeItem(atPath: held)
                throw APIError("SR_BACKEND_FAILURE_46", "", "a test makes this step fail: \(point)", "")
            default:
                while FileManager.default.fileExists(atPath: held) { try? await Task.sleep(for: .milliseconds(2)) }
            }
        #endif
    }

    /// Where nothing can fail any more.
    static func wait(_ name: @autoclosure () -> String) async {
        #if DEBUG
            try? await pass(name())
        #endif
    }

    #if DEBUG
        private static let folder = ProcessInfo.processInfo.environment["GANTRY_FAILURE_FOLDER"]
    #endif
}
