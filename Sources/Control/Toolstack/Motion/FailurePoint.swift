import Foundation

/// Where tests kill the toolstack: debug builds end themselves with SIGKILL at the point that `GANTRY_FAILURE_POINT`
/// names. Release builds have no such thing.
enum FailurePoint {
    static func reached(_ name: @autoclosure () -> String) {
        #if DEBUG
            if ProcessInfo.processInfo.environment["GANTRY_FAILURE_POINT"] == name() { kill(getpid(), SIGKILL) }
        #endif
    }
}
