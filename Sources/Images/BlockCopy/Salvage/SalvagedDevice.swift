public import BlockIO
public import CoreTypes
import Glibc
import Synchronization

/// A damaged disk, to be copied once: what neither its storage nor its image gives reads as zeroes, down to sectors of 512 bytes,
/// and account is kept of it. Everything else is the disk's own; so are errors that say nothing of its content.
///
/// What an image says to lie behind the end of its file is lost as well, also where that reads as zeroes, and so is what a table
/// would say that the file ends in. A table that cannot be read is tried a few times, not once for each sector that it maps.
///
/// The disk, which nobody writes, stays the caller's to close.
public final class SalvagedDevice: BlockDevice {
    /// What cannot be read as a whole is read in aligned pieces of the first size, and each of these that fails in pieces of
    /// the next: a medium's block or a cluster that is lost costs few tries beside it.
    private static let pieces: [UInt64] = [64 << 10, 4 << 10, 512]

    /// Errors of the system that one place of a disk has; after others, such as a device that is gone, nothing is told of it.
    private static let ofPlaces: Set<Int32> = [
        0, EIO, ENODATA, EILSEQ, EBADMSG, EUCLEAN, EREMOTEIO, ETIMEDOUT,
    ]

    private struct Account {
        var lost = LostRanges()
        var firstError: BlockError?
        /// The map is asked for this much at a time: little where it is damaged.
        var reach = UInt64.max
    }

    private let disk: any BlockDevice
    private let image: (any DamagedImage)?
    private let cancellation: CancellationFlag
    private let files: SourceFiles
    /// Where the disk's files end, in whole sectors.
    private let ends: [UInt64]
    /// Of each; none where the disk knows them itself.
    private let holes: [FileHoles]
    /// Few: what a table says of these lies behind the end of a file.
    private let cut: [Range<UInt64>]
    private let account: Mutex<Account>

    /// - Parameter cancellation: looked at between two tries, each of which can take seconds.
    public init(
        _ disk: any BlockDevice, cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        self.disk = disk
        self.cancellation = cancellation
        image = disk as? any DamagedImage
        let mapped = disk as? any HostMappedDevice
        var read = mapped?.hostFiles ?? []
        if read.isEmpty, let own = image?.ownFile { read = [own] }
        files = try SourceFiles(read)
        var ends: [UInt64] = []
        for file in read {
            let length = try file.size()
            ends.append(length.roundedUp(to: 512) ?? length)
        }
        self.ends = ends
        // A file system that cannot say where holes are does not keep anybody from reading.
        let holes = mapped?.knowsHoles == false ? read.compactMap { try? FileHoles($0) } : []
        self.holes = holes.count == read.count ? holes : []
        cut = try image?.cutRuns() ?? []
        var account = Account()
        for run in cut { account.lost.insert(run) }
        self.account = Mutex(account)
    }

    /// What could not be read so far.
    public var lost: LostRanges { account.withLock { $0.lost } }

    /// Why, the first time; nil when all could be read, or when what is lost lies behind the end of a file.
    public var firstError: BlockError? { account.withLock { $0.firstError } }

    /// `.io` when a file is shorter than it was: what it lost meanwhile read as zeroes, and nobody knows which.
    public func checkLengths() throws(BlockError) { try files.checkLengths() }

    public var size: UInt64 { disk.size }
    public var isReadOnly: Bool { true }
    public var preferredAlignment: UInt64 { disk.preferredAlignment }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try unsafe salvage(buffer, at: offset)
        for run in cut where run.overlaps(offset..<offset + UInt64(buffer.count)) {
            let part = run.clamped(to: offset..<offset + UInt64(buffer.count))
            // SAFETY: the part of the caller's buffer that is for this one of the disk.
            unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[Int(part.lowerBound - offset)..<Int(part.upperBound - offset)]
            ).initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    public func willRead(at offset: UInt64, length: UInt64) { disk.willRead(at: offset, length: length) }

    private func salvage(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if cancellation.isCancelled { throw .stopped }
        let failure: BlockError
        do throws(BlockError) {
            return try unsafe disk.read(into: buffer, at: offset)
        } catch {
            guard Self.isLoss(error) else { throw error }
            failure = error
        }
        guard let piece = Self.pieces.first(where: { $0 < buffer.count }) else {
            unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
            note(offset..<offset + UInt64(buffer.count), failure)
            return
        }
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            var count = min(Int(piece - position % piece), buffer.count - done)
            // Of a table that can be read nothing is asked again for each sector.
            let lost = buffer.count > Self.pieces[1] ? lostRun(at: position) : nil
            if let lost { count = Int(min(lost.range.upperBound - position, UInt64(buffer.count - done))) }
            // SAFETY: at most what is left of the caller's buffer.
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            if let lost {
                unsafe part.initializeMemory(as: UInt8.self, repeating: 0)
                note(position..<position + UInt64(count), lost.error)
            } else {
                try unsafe salvage(part, at: position)
            }
            done += count
        }
    }

    private static func isLoss(_ error: BlockError) -> Bool {
        let codes: [BlockError.Code] = [.io, .corrupt, .invalidImage, .unsupported, .limitExceeded]
        return codes.contains(error.code) && ofPlaces.contains(error.systemError)
    }

    /// What one table that is lost hides around `offset`, inside the disk.
    private func lostRun(at offset: UInt64) -> (range: Range<UInt64>, error: BlockError)? {
        guard let lost = image?.lostRun(at: offset), Self.isLoss(lost.error), lost.range.contains(offset) else {
            return nil
        }
        return lost
    }

    private func note(_ range: Range<UInt64>, _ error: BlockError?) {
        account.withLock { account in
            account.lost.insert(range)
            if account.firstError == nil { account.firstError = error }
        }
    }

    /// Where the map cannot be had, all may be data: it is read, which tells.
    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        if length == 0 { return }
        var length = length
        if let run = cut.first(where: { $0.overlaps(offset..<offset + length) }) {
            if run.contains(offset) {
                let end = min(run.upperBound, offset + length)
                return extents.appendJoining(Extent(offset: offset, length: end - offset, kind: .zero))
            }
            length = run.lowerBound - offset
        }
        var asked = min(length, account.withLock { $0.reach })
        while true {
            if cancellation.isCancelled { throw .stopped }
            do throws(BlockError) {
                try appendKnown(to: &extents, at: offset, length: asked)
                account.withLock { account in
                    account.reach = account.reach > .max / 2 ? .max : account.reach * 2
                }
                return
            } catch {
                guard Self.isLoss(error) else { throw error }
                if let lost = lostRun(at: offset) {
                    let end = min(lost.range.upperBound, offset + length)
                    note(offset..<end, lost.error)
                    return extents.appendJoining(Extent(offset: offset, length: end - offset, kind: .zero))
                }
                if asked <= Self.pieces[0] {
                    account.withLock { $0.reach = Self.pieces[0] }
                    return extents.appendJoining(Extent(offset: offset, length: asked, kind: .data))
                }
                asked = max(Self.pieces[0], asked / 2)
            }
        }
    }

    /// What the disk says, all or nothing of one answer.
    private func appendKnown(
        to extents: inout [Extent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        guard let mapped = disk as? any HostMappedDevice else {
            var found: [Extent] = []
            try disk.appendExtents(to: &found, at: offset, length: length)
            extents += found
            return
        }
        var found: [HostExtent] = []
        try mapped.appendHostExtents(to: &found, at: offset, length: length)
        for extent in found {
            guard extent.kind == .data, extent.file >= 0, Int(extent.file) < ends.count else {
                extents.appendJoining(
                    Extent(
                        offset: extent.offset, length: extent.length, kind: extent.kind, depth: Int(extent.depth)))
                continue
            }
            let end = ends[Int(extent.file)]
            let there = end - min(end, extent.host)
            if there < extent.length { note(extent.offset + there..<extent.end, nil) }
            appendStored(extent, to: &extents)
        }
    }

    /// Data, and what of them the file does not store, in whole sectors.
    private func appendStored(_ extent: HostExtent, to extents: inout [Extent]) {
        var done: UInt64 = 0
        while done < extent.length {
            var part = Extent(
                offset: extent.offset + done, length: extent.length - done, kind: .data, depth: Int(extent.depth))
            if Int(extent.file) < holes.count {
                let (isHole, run) = holes[Int(extent.file)].around(extent.host + done)
                let length = min(run.upperBound - (extent.host + done), part.length)
                part.length = min((length + 511) & ~511, part.length)
                if isHole { part.kind = .zero }
            }
            extents.appendJoining(part)
            done += part.length
        }
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw Self.refusal }
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw Self.refusal
    }
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw Self.refusal }
    public func flush() throws(BlockError) {}
    public func close() throws(BlockError) {}

    private static let refusal = BlockError(.readOnly, "a disk that is salvaged is only read")
}
