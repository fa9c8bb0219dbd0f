import BlockIO
import Synchronization

/// The destination of a mirror, and one that is being tried in its place, as what can be interrupted: by who ends the mirror,
/// while other threads wait for it and hold whatever they hold.
final class MirrorReach: Sendable {
    private struct State {
        var devices: [any BlockDevice] = []
        var isCut = false
    }

    private let state = Mutex(State())

    /// Nobody waits for the destination any more, and no pivot leads to it.
    var isCut: Bool { state.withLock { $0.isCut } }

    /// One that comes after the cut is cut at once.
    func add(_ device: any BlockDevice) {
        let isCut = state.withLock { state in
            state.devices.append(device)
            return state.isCut
        }
        if isCut { device.interrupt() }
    }

    func remove(_ device: any BlockDevice) {
        state.withLock { state in state.devices.removeAll { $0 === device } }
    }

    func cut() {
        let devices = state.withLock { state in
            state.isCut = true
            return state.devices
        }
        for device in devices { device.interrupt() }
    }
}
