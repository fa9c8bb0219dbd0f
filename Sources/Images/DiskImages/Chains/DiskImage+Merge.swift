public import BlockIO
public import CoreTypes
import Glibc

/// How a merge beside readers goes on.
public struct MergeControl {
    /// Runs a step that changes the parent's file while nobody opens it.
    public typealias Exclusively = (_ step: () throws(BlockError) -> Void) throws(BlockError) -> Void

    public var cancellation: CancellationFlag
    /// Most bytes moved in a second, 0 for no limit.
    public var bytesPerSecond: UInt64
    /// Data bytes after which what was moved is made durable and reported.
    public var interval: UInt64 = 64 << 20
    public var exclusively: Exclusively
    /// Told how far the merge is: all that the child holds below this offset is durable in the parent.
    public var reached: (UInt64) throws(BlockError) -> Void

    public init(
        cancellation: CancellationFlag = CancellationFlag(), bytesPerSecond: UInt64 = 0,
        exclusively: @escaping Exclusively, reached: @escaping (UInt64) throws(BlockError) -> Void
    ) {
        self.cancellation = cancellation
        self.bytesPerSecond = bytesPerSecond
        self.exclusively = exclusively
        self.reached = reached
    }
}

extension DiskImage {
    /// Puts what `child` holds itself into its parent, like `commit`, while others have both images open for reading.
    ///
    /// Nobody sees it: whoever reads the parent reads it through the child, which masks every byte that changes here. So the
    /// parent must have no other child, nobody may write the child, and the child must not keep pieces smaller than the
    /// units in which the parent's format moves data: a piece of such a unit may lie elsewhere afterwards, and a reader
    /// that looked it up before would miss it. A reader opens the parent's structures between two steps only
    /// (`MergeControl.exclusively`): each step ends in a state that a crash could have left, which every format opens.
    ///
    /// It may be stopped at any moment and be done again, or go on from what `reached` was told.
    /// - Parameter ancestors: the parent first, then its own parents.
    /// - Throws: `.unsupported` where the formats do not allow it, `.outOfRange` when the parent is shorter than the child.
    public static func merge(
        _ child: ImageReference, into ancestors: [ImageReference], from start: UInt64 = 0, _ control: MergeControl
    ) throws(BlockError) {
        let below = try nearest(ancestors, of: child)
        let source = try openAlone(child, readOnly: true)
        defer { try? source.close() }
        // Readers hold the lock; that there is no second writer is the caller's business.
        let file = try ImageFile(path: below.path, access: .readWrite, locking: false, followsLinks: false)
        var opened: (any BlockDevice)?
        try control.exclusively { () throws(BlockError) in
            opened = try openNearest(ancestors, file)
        }
        guard let parent = opened else { return }
        do throws(BlockError) {
            try checkPieces(of: source, in: parent)
            guard parent.size >= source.size else {
                throw BlockError(.outOfRange, "the parent is shorter than the image", path: below.path)
            }
            try ChainMerger(source: source, parent: parent, file: file, control: control).run(from: start)
        } catch {
            try? control.exclusively { () throws(BlockError) in try parent.close() }
            throw error.at(path: below.path)
        }
        try control.exclusively { () throws(BlockError) in try parent.close() }
    }

    /// What a reader of the parent has looked up stays right while the masked parts change.
    private static func checkPieces(
        of child: any BlockDevice, in parent: any BlockDevice
    ) throws(BlockError) {
        if parent is RawImage { return }
        if child is any VHDDevice && parent is any VHDDevice { return }
        if let child = child as? QCOW2Image, let parent = parent as? QCOW2Image,
            !child.geometry.hasExtendedL2, child.geometry.clusterSize >= parent.geometry.clusterSize,
            !parent.hasExternalData
        {
            return
        }
        throw BlockError(
            .unsupported, "the image keeps smaller pieces than its parent; copy the disk to shorten its chain")
    }

    /// Puts what the image holds itself into its parent and then lets the parent take its place (`replace`), while both are
    /// locked. Nobody else has either open. Until `replace` the image shows what it did.
    public static func absorb(
        _ child: ImageReference, into ancestors: [ImageReference], replace: () throws(BlockError) -> Void
    ) throws(BlockError) {
        let below = try nearest(ancestors, of: child)
        // For writing only to keep all others away.
        let source = try openAlone(child, readOnly: false)
        defer { try? source.close() }
        let lock = try ImageFile(path: below.path, access: .readWrite, followsLinks: false)
        defer { lock.close() }
        let parent = try openNearest(
            ancestors, ImageFile(path: below.path, access: .readWrite, locking: false, followsLinks: false))
        do throws(BlockError) {
            guard parent.size <= source.size else {
                throw BlockError(.unsupported, "the parent is larger than the image", path: below.path)
            }
            try commit(source, into: parent, ChainCopier(progress: ProgressCounter(), cancellation: CancellationFlag()))
        } catch {
            try? parent.close()
            throw error.at(path: below.path)
        }
        try parent.close()
        try replace()
    }

    private static func nearest(
        _ ancestors: [ImageReference], of child: ImageReference
    ) throws(BlockError) -> ImageReference {
        guard let below = ancestors.first else {
            throw BlockError(
                .unsupported, "the image has no parent that its content could go to", path: child.path)
        }
        return below
    }

    /// What the image holds itself.
    private static func openAlone(
        _ image: ImageReference, readOnly: Bool
    ) throws(BlockError) -> any BlockDevice {
        var alone = OpenPolicy.unlinked
        alone.parents = .ignored
        return try open(path: image.path, format: image.format, readOnly: readOnly, policy: alone)
    }

    /// The first of these images, whose file is open, on the others.
    private static func openNearest(
        _ ancestors: [ImageReference], _ file: ImageFile
    ) throws(BlockError) -> any BlockDevice {
        var policy = OpenPolicy.unlinked
        if ancestors.count > 1 { policy.parents = .given(Array(ancestors.dropFirst())) }
        return try open(file: file, format: ancestors[0].format, policy: policy)
    }
}

/// Moves data from an image to its parent, some at a time.
private struct ChainMerger {
    let source: any BlockDevice
    let parent: any BlockDevice
    let file: ImageFile
    let control: MergeControl
    private let buffer = AlignedBuffer(count: ChainCopier.step)
    private let begun = Self.now()

    /// Bytes whose extents are asked for at once.
    private static let window: UInt64 = 1 << 30
    /// Bytes of zeroes written in one step.
    private static let zeroStep: UInt64 = 64 << 20

    init(source: any BlockDevice, parent: any BlockDevice, file: ImageFile, control: MergeControl) {
        self.source = source
        self.parent = parent
        self.file = file
        self.control = control
    }

    func run(from start: UInt64) throws(BlockError) {
        var position = start
        var (moved, unsaved): (UInt64, UInt64) = (0, 0)
        while position < source.size {
            let length = min(Self.window, source.size - position)
            for extent in try source.extents(at: position, length: length) where extent.kind != .hole {
                let step = extent.kind == .zero ? Self.zeroStep : UInt64(ChainCopier.step)
                var offset = extent.offset
                while offset < extent.end {
                    if control.cancellation.isCancelled { throw BlockError(.cancelled, "stopped as asked") }
                    let count = min(step, extent.end - offset)
                    try move(extent.kind, at: offset, count)
                    offset += count
                    // Zeroes cost little, and are no reason to wait.
                    if extent.kind == .data {
                        moved += count
                        unsaved += count
                        if unsaved >= control.interval {
                            try save(upTo: offset)
                            unsaved = 0
                        }
                        hold(after: moved)
                    }
                }
            }
            position += length
        }
        try save(upTo: source.size)
    }

    private func move(_ kind: Extent.Kind, at offset: UInt64, _ count: UInt64) throws(BlockError) {
        guard kind == .data else {
            return try control.exclusively { () throws(BlockError) in
                try parent.writeZeroes(at: offset, length: count, mayUnmap: true)
            }
        }
        // SAFETY: a step of data is at most the buffer's size.
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(count)])
        try unsafe source.read(into: part, at: offset)
        let isEmpty = unsafe isZero(UnsafeRawBufferPointer(part))
        try control.exclusively { () throws(BlockError) in
            if isEmpty {
                try parent.writeZeroes(at: offset, length: count, mayUnmap: true)
            } else {
                try unsafe parent.write(UnsafeRawBufferPointer(part), at: offset)
            }
        }
    }

    /// Makes durable what was moved. The long part of it is done while others may open the image.
    private func save(upTo offset: UInt64) throws(BlockError) {
        try file.sync()
        try control.exclusively { () throws(BlockError) in try parent.flush() }
        try control.reached(offset)
    }

    /// Waits as long as the rate asks for.
    private func hold(after moved: UInt64) {
        guard control.bytesPerSecond > 0 else { return }
        let due = begun + Double(moved) / Double(control.bytesPerSecond)
        while !control.cancellation.isCancelled {
            let rest = due - Self.now()
            if rest <= 0 { return }
            usleep(useconds_t(min(rest, 0.05) * 1_000_000) + 1)
        }
    }

    /// Seconds.
    private static func now() -> Double {
        var time = timespec()
        // SAFETY: a local variable, filled by the call.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
