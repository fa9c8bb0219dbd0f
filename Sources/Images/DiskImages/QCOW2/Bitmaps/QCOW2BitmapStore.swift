internal import BlockIO
internal import Synchronization

/// The persistent bitmaps of an open image. Used with the image's metadata lock held, but for what says otherwise.
final class QCOW2BitmapStore: @unchecked Sendable {
    // @unchecked: guarded by QCOW2Image.metadata; `tracked` changes with the mapping lock held exclusively as well.

    /// A bitmap in memory, which alone has it whole: in the file it is marked as in use.
    struct Tracked {
        let name: [UInt8]
        var bits: QCOW2DirtyBits
        var isEnabled: Bool
    }

    /// Memory that the bits of all bitmaps may take, bytes. What exceeds it is not maintained, and says so.
    static let mostMemory: UInt64 = 64 << 20

    /// As in the file.
    var directory = QCOW2BitmapDirectory()
    var isLoaded = false
    /// Why the directory cannot be used.
    var damage: BlockError?
    /// The image says that its bitmaps were maintained up to now.
    var isValid = false
    private(set) var tracked: [Tracked] = []
    /// Before the next change of the disk the enabled bitmaps must be marked as in use.
    var mustMark = false
    /// Some bitmap notes writes. Asked without a lock by every write.
    let isTracking = Atomic<Bool>(false)

    var memory: UInt64 { tracked.reduce(0) { $0 + UInt64($1.bits.wordCount) * 8 } }

    func track(_ bitmap: Tracked) {
        tracked.append(bitmap)
        update()
    }

    func stopTracking(_ name: [UInt8]) {
        tracked.removeAll { $0.name == name }
        update()
    }

    func setTracking(_ name: [UInt8], isEnabled: Bool) {
        for index in tracked.indices where tracked[index].name == name { tracked[index].isEnabled = isEnabled }
        update()
    }

    func replaceBits(at index: Int, with bits: QCOW2DirtyBits) { tracked[index].bits = bits }

    func bits(_ name: [UInt8]) -> QCOW2DirtyBits? { tracked.first { $0.name == name }?.bits }

    private func update() { isTracking.store(tracked.contains(where: \.isEnabled), ordering: .releasing) }

    /// With the mapping lock held, shared.
    func note(_ offset: UInt64, _ length: UInt64) {
        for bitmap in tracked where bitmap.isEnabled { bitmap.bits.set(offset, length) }
    }
}
