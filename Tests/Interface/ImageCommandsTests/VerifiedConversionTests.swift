import BlockIO
import CoreTypes
import DiskImages
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ImageCommands

/// `--verify` where both images differ afterwards.
@Suite struct VerifiedConversionTests {
    @Test(arguments: ImageFormat.allCases)
    func aDifferenceIsAFailureAndLeavesWhatWasThere(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("verified")
        let target = folder.file("target")
        let source = Forgetful(size: 1 << 20, at: 70_000)
        let conversion = Conversion(
            what: "cannot convert", source: "source", sourceFiles: [], input: source, target: target, format: format,
            options: CreateOptions(), compress: false, verify: true, progress: false, overwrites: false,
            cancellation: CancellationFlag(), policy: .standalone)
        for before in [nil, Data("before".utf8)] {
            try before?.write(to: URL(fileURLWithPath: target))
            let failure = #expect(throws: CommandFailure.self) { try conversion.make() }
            #expect(failure?.description.contains("is not a copy of source") == true, "\(failure as Any)")
            #expect(failure?.description.contains("at byte 70000") == true, "\(failure as Any)")
            #expect(try folder.contents() == (before == nil ? [] : ["target"]))
            if let before { #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before) }
        }
        // It is not the comparison that fails.
        source.isSure = true
        try conversion.make()
        #expect(try DiskImage.info(path: target, format: format).virtualSize == 1 << 20)
    }
}

/// Memory in which a byte is something else each time it is read.
private final class Forgetful: BlockDevice {
    private let memory: MemoryDevice
    private let place: UInt64
    private let state = Mutex((reads: UInt8(0), isSure: false))

    init(size: UInt64, at place: UInt64) {
        memory = MemoryDevice(content: [UInt8](repeating: 7, count: Int(size)))
        self.place = place
    }

    var isSure: Bool {
        get { state.withLock { $0.isSure } }
        set { state.withLock { $0.isSure = newValue } }
    }
    var size: UInt64 { memory.size }
    var isReadOnly: Bool { true }
    var preferredAlignment: UInt64 { 4096 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe memory.read(into: buffer, at: offset)
        guard !isSure, place >= offset, place < offset + UInt64(buffer.count) else { return }
        unsafe buffer[Int(place - offset)] = state.withLock {
            $0.reads += 1
            return $0.reads
        }
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try memory.close() }
}
