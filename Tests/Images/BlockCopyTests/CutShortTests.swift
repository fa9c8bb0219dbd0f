import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Synchronization
import TestSupport
import Testing

/// A source that somebody cuts short while it is copied: never zeroes instead of content, never the end of the process.
@Suite struct CutShortTests {
    enum Moment: CaseIterable { case beforeAWrite, afterAWrite }

    @Test(arguments: [ImageFormat.raw, .qcow2, .vhd], [ImageFormat.raw, .qcow2, .vhd])
    func aSourceThatIsCutShortMeanwhileIsAnError(_ from: ImageFormat, _ to: ImageFormat) throws {
        var random = SeededRandom.printed()
        let data = random.bytes(1 << 20)
        for moment in Moment.allCases {
            let manners: [(Int?, CopyEngine.StoredZeroes)] = [
                (nil, .sample), (nil, .search), (nil, .keep), (3, .sample),
            ]
            for (threads, zeroes) in manners {
                let folder = try ScratchFolder("cut")
                let path = folder.file("source")
                let image = try DiskImage.create(path: path, format: from, size: 12 << 20)
                for megabyte in 0..<12 as Range<UInt64> { try image.store(data, at: megabyte << 20) }
                try image.close()
                let source = try DiskImage.open(path: path, format: from, readOnly: true)
                let scissors = try ImageFile(path: path, access: .readWrite, locking: false)
                let base = try DiskImage.create(path: folder.file("copy"), format: to, size: source.size)
                let length = UInt64.random(in: 1...1000, using: &random) * 512
                let target = try WatchedDevice(
                    base, moment: moment, after: Int.random(in: threads == nil ? 1...100 : 1...5, using: &random)
                ) { () throws(BlockError) in try scissors.truncate(to: length) }
                var options = CopyEngine.Options()
                options.destinationIsZero = true
                options.clones = false
                options.threads = threads
                options.zeroes = zeroes
                let failure = #expect(throws: BlockError.self) {
                    try CopyEngine.copy(from: source, to: target, options: options)
                }
                #expect(failure?.code == .io)
                #expect(failure?.path == path)
                #expect(failure?.message.contains("cut short") == true, "\(String(describing: failure))")
                try source.close()
                try target.close()
            }
        }
    }

    @Test func aRawSourceThatWasCutShortBeforeIsAnError() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("cut-before")
        let path = folder.file("source")
        let file = try ImageFile(path: path, access: .create, locking: false)
        // The last sector is partial, which is no damage.
        try file.write(bytes: random.bytes((1 << 20) + 100), at: 0)
        let source = try DiskImage.open(path: path, format: .raw, readOnly: true)
        let target = try DiskImage.create(path: folder.file("copy"), format: .raw, size: source.size)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        try CopyEngine.copy(from: source, to: target, options: options)
        #expect(try CompareEngine.firstDifference(source, target) == nil)
        try file.truncate(to: 1 << 19)
        let failure = #expect(throws: BlockError.self) {
            try CopyEngine.copy(from: source, to: target, options: options)
        }
        #expect(failure?.code == .io)
        try target.close()
        try source.close()
    }
}

/// A new image that runs a closure once, around one of the writes that are given a place.
private final class WatchedDevice: PlacingDevice, BulkDestination {
    private let base: any PlacingDevice & BulkDestination
    private let moment: CutShortTests.Moment
    private let writesLeft: Atomic<Int>
    private let act: @Sendable () throws(BlockError) -> Void

    init(
        _ base: any BlockDevice, moment: CutShortTests.Moment, after writes: Int,
        _ act: @escaping @Sendable () throws(BlockError) -> Void
    ) throws {
        self.base = try #require(base as? any PlacingDevice & BulkDestination)
        self.moment = moment
        writesLeft = Atomic(writes)
        self.act = act
    }

    private func count(_ now: CutShortTests.Moment, _ body: () throws(BlockError) -> Void) throws(BlockError) {
        let isChosen = writesLeft.subtract(1, ordering: .relaxed).newValue == 0
        if isChosen, now == .beforeAWrite { try act() }
        try body()
        if isChosen, now == .afterAWrite { try act() }
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { base.isReadOnly }
    var preferredAlignment: UInt64 { base.preferredAlignment }
    var isLinear: Bool { base.isLinear }
    var bypassesCache: Bool { base.bypassesCache }

    func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64 {
        // Small places: several writes for what is mapped at a time.
        try base.place(at: offset, length: min(length, 65536)) { (file, host, length) throws(BlockError) in
            try count(moment) { () throws(BlockError) in try put(file, host, length) }
        }
    }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try count(moment) { () throws(BlockError) in try unsafe base.write(data, at: offset) }
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { try base.discard(at: offset, length: length) }
    func flush() throws(BlockError) { try base.flush() }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func bypassCache() { base.bypassCache() }
    func close() throws(BlockError) { try base.close() }
}
