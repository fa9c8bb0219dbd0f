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
    /// Where each of `tracked` is, by its name: an image may have 65,535.
    private var places: [[UInt8]: Int] = [:]
    /// Clusters that this session took for bitmaps and directories.
    var made: Set<UInt64> = []
    /// Bitmaps whose table and bits, as the directory has them, are of these.
    var madeNames: Set<[UInt8]> = []
    /// So is the directory.
    var directoryIsMade = false
    /// Before the next change of the disk the enabled bitmaps must be marked as in use.
    var mustMark = false
    /// The bits of those that note writes. Changes with the mapping lock held exclusively.
    private var noting: [QCOW2DirtyBits] = []
    /// What all of `noting` have marked, as fine as the finest of them, since that was last looked at: an image may have tens of
    /// thousands, and a write visits them only where that says that one may lack it. Nil: there are few.
    private var common: QCOW2DirtyBits?
    /// So many are visited by every write.
    static let mostVisited = 8
    /// Some bitmap notes writes. Asked without a lock by every write.
    let isTracking = Atomic<Bool>(false)

    var memory: UInt64 { tracked.reduce(0) { $0 + UInt64($1.bits.wordCount) * 8 } }

    func track(_ bitmaps: [Tracked]) {
        for bitmap in bitmaps {
            places[bitmap.name] = tracked.count
            tracked.append(bitmap)
        }
        update()
    }

    func stopTracking(_ name: [UInt8]) {
        guard places[name] != nil else { return }
        tracked.removeAll { $0.name == name }
        places = Dictionary(uniqueKeysWithValues: tracked.enumerated().map { ($0.element.name, $0.offset) })
        update()
    }

    func setTracking(_ name: [UInt8], isEnabled: Bool) {
        if let place = places[name] { tracked[place].isEnabled = isEnabled }
        update()
    }

    /// With the mapping lock held exclusively.
    func replaceAllBits(_ change: (QCOW2DirtyBits) -> QCOW2DirtyBits) {
        for index in tracked.indices { tracked[index].bits = change(tracked[index].bits) }
        update()
    }

    /// With the mapping lock held exclusively.
    func clear(_ bits: QCOW2DirtyBits) {
        bits.fill(false)
        update()
    }

    func bits(_ name: [UInt8]) -> QCOW2DirtyBits? { places[name].map { tracked[$0].bits } }

    /// Whoever's bits are not as they were is asked again by the next write.
    private func update() {
        noting = tracked.filter(\.isEnabled).map(\.bits)
        let finest = noting.count > Self.mostVisited ? noting.min { $0.granularityBits < $1.granularityBits } : nil
        common = finest.map { QCOW2DirtyBits(like: $0) }
        isTracking.store(!noting.isEmpty, ordering: .releasing)
    }

    /// With the mapping lock held, shared.
    func note(_ offset: UInt64, _ length: UInt64) { _ = visit(offset, length) }

    /// Whether the bitmaps were looked at.
    func visit(_ offset: UInt64, _ length: UInt64) -> Bool {
        if let common, common.contains(offset, length) { return false }
        for bits in noting { bits.set(offset, length) }
        common?.set(offset, length)
        return true
    }
}
