/// What a guest is doing, as its supervisor last saw it.
public enum GuestState: String, Sendable {
    /// QEMU is being started; the guest has not run yet.
    case starting
    case running
    /// QEMU holds the guest's processors still.
    case paused
    /// QEMU is gone, and with it the guest's folder.
    case stopped
}

/// Why a guest's QEMU is gone.
public enum GuestStopReason: Sendable, Hashable, CustomStringConvertible {
    /// The guest powered itself off, by itself or after `cleanShutdown`.
    case guestShutdown
    /// The guest rebooted, and is one that ends then (`endsOnReboot`).
    case guestReboot
    /// `hardShutdown`, or a signal from this machine's administrator.
    case hostRequest
    /// The guest's kernel panicked and QEMU gave up on it.
    case guestPanic
    /// QEMU ended by itself or was killed; the text says how and what it printed last.
    case crashed(String)

    public var description: String {
        switch self {
        case .guestShutdown: "the guest shut down"
        case .guestReboot: "the guest rebooted"
        case .hostRequest: "stopped on request"
        case .guestPanic: "the guest panicked"
        case .crashed(let text): "QEMU ended: \(text)"
        }
    }
}

/// What happened to a guest, in the order it happened.
public enum GuestEvent: Sendable, Hashable {
    /// QEMU is gone; the guest's folder is removed and `GuestHost.state` knows the guest no more.
    case stopped(String, reason: GuestStopReason)
    /// The guest rebooted inside the same QEMU and goes on.
    case reset(String)
    /// QEMU holds the guest still, or lets it go on.
    case paused(String)
    case resumed(String)
    /// A request of the guest failed, and the guest was told. `operation` is `read` or `write`.
    case diskError(String, diskID: String?, operation: String, message: String)

    public var guest: String {
        switch self {
        case .stopped(let uuid, _), .reset(let uuid), .paused(let uuid), .resumed(let uuid),
            .diskError(let uuid, _, _, _):
            uuid
        }
    }
}
