import BlockIO
import CoreTypes

/// What is to be copied, in ascending order. The map of the source is walked once and kept where it is short; a longer
/// one is walked a second time while copying, so that memory stays bounded.
struct CopyPlan: Sendable {
    /// Data bytes in all.
    private(set) var bytes: UInt64 = 0
    /// No data that has a place in a file is a hole there.
    let hasFoundAllHoles: Bool
    private let source: any BlockDevice
    /// Zeroes and holes are not part of the plan.
    private let skipsZeroes: Bool
    private var kept: [HostExtent] = []
    private var index = 0
    private var walk: HostExtentWalk?
    /// What was taken back.
    private var rest: HostExtent?
    private static let mostKept = 32768

    init(source: any BlockDevice, skipsZeroes: Bool, cancellation: CancellationFlag) throws(BlockError) {
        self.source = source
        self.skipsZeroes = skipsZeroes
        var walk = HostExtentWalk(source, resolvingHoles: true)
        var fits = true
        while let extent = try walk.next() {
            if cancellation.isCancelled { throw .stopped }
            if extent.kind == .data { bytes += extent.length }
            if !fits || (skipsZeroes && extent.kind != .data && extent.file < 0) { continue }
            if kept.count < Self.mostKept {
                kept.append(extent)
            } else {
                fits = false
                kept = []
            }
        }
        hasFoundAllHoles = walk.hasFoundAllHoles
        if !fits { self.walk = HostExtentWalk(source, resolvingHoles: true) }
    }

    mutating func next() throws(BlockError) -> HostExtent? {
        if let rest {
            self.rest = nil
            return rest
        }
        if walk != nil { return try walk?.next() }
        if index == kept.count { return nil }
        index += 1
        return kept[index - 1]
    }

    /// Gives back what is to come first of the next.
    mutating func putBack(_ extent: HostExtent) { rest = extent }
}
