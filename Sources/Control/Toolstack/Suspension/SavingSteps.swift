import Guests

/// How a guest is saved, and what is done with it meanwhile. As it is made: the guest stands from the first moments on, and each of
/// its pages is written once.
struct SavingSteps {
    /// The guest runs while most of its memory is written, so that it stands for the rest only.
    var isLive = false
    /// The guest stands and its disks are flushed; the rest of its memory has not gone yet.
    var standing: () async throws -> Void = {}
    /// QEMU has sent all of it, and holds it. Not all is durable yet.
    var taken: () async throws -> Void = {}

    /// How long a guest is meant to stand for the rest of its memory, as far as the storage of the image can do that.
    static let downtime = Duration.milliseconds(300)
    /// How often all that a guest has changed is begun anew before it has to stand: that it becomes less is not to be expected then.
    static let rounds: UInt64 = 3

    func limits(memory: UInt64) -> MemoryTransferLimits {
        if isLive { return MemoryTransferLimits(downtime: Self.downtime) }
        return MemoryTransferLimits(bytesPerSecond: max(32 << 20, memory / 1000), downtime: Self.now.downtime)
    }

    /// The guest stands at once, whatever is left.
    static let now = MemoryTransferLimits(downtime: .seconds(2000))

    /// A guest that runs has to stand: what it changes meanwhile is not to make the image larger than `size`.
    static func mustStand(_ transfer: MemoryTransfer, memory: UInt64) -> Bool {
        transfer.status == "active" && (transfer.rounds > rounds || transfer.sentBytes >= memory)
    }

    /// Bytes that a VDI needs for a guest that runs: its memory twice, and what goes until it stands.
    static func size(memory: UInt64) -> UInt64 { SuspendImage.size(memory: 2 * memory + memory >> 3) + 256 << 20 }
}
