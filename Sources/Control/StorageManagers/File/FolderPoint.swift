import Foundation

/// Where tests kill the toolstack between two steps on a folder's files: debug builds end themselves with SIGKILL at the point
/// that `GANTRY_FAILURE_POINT` names. Release builds have no such thing.
enum FolderPoint {
    static func reached(_ name: String) {
        #if DEBUG
            if ProcessInfo.processInfo.environment["GANTRY_FAILURE_POINT"] == name { kill(getpid(), SIGKILL) }
        #endif
    }
}
