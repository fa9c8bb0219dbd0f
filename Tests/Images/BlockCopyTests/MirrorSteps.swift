import BlockCopy
import BlockIO
import Glibc
import Testing

/// Tries, half a millisecond apart or more: a minute at least, after which a test that hangs has failed.
private let mostTries = 120_000

/// Returns when the device's mirror is in the phase; records an issue when it does not come to it.
func awaitPhase(_ device: SwitchableDevice, _ phase: MirrorState.Phase, at place: SourceLocation = #_sourceLocation) {
    for _ in 0..<mostTries {
        if device.mirrorProgress?.phase == phase { return }
        usleep(500)
    }
    let now = device.mirrorProgress.map { "\($0.phase)" } ?? "not there"
    Issue.record("the mirror is \(now), not \(phase)", sourceLocation: place)
}

/// Prepares the device's pivot as soon as its mirror is in sync. Throws whatever else is wrong with it, and `.busy` at last.
func prepare(_ device: SwitchableDevice) throws {
    for _ in 0..<mostTries {
        do throws(BlockError) {
            return try device.preparePivot()
        } catch {
            if error.code != .busy { throw error }
        }
        usleep(500)
    }
    try device.preparePivot()
}
