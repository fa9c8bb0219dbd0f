import BlockIO
import DatapathControl
import Foundation
import Glibc
import NBDTransport
import Synchronization
import TestSupport
import Testing

@testable import Datapath

/// Copies whose destination's server is silent, has lost something, or is not there.
@Suite struct LostCopyTests {
    private static let size: UInt64 = 1 << 20

    /// A source, full of sevens, an empty base, and a server.
    private final class Bench {
        let folder: ScratchFolder
        let device = HeldDevice(size: LostCopyTests.size)
        private let server: NBDServer

        init() throws {
            folder = try ScratchFolder("silent-copy")
            server = NBDServer(exports: [NBDExport(name: "copy", device: device)])
            try Data(repeating: 7, count: Int(LostCopyTests.size)).write(
                to: URL(fileURLWithPath: folder.file("source")))
            try Data(count: Int(LostCopyTests.size)).write(to: URL(fileURLWithPath: folder.file("base")))
            try server.start(unixSocket: folder.file("server"))
        }

        func stop() {
            device.holds(nil)
            server.stop()
        }

        /// By a driver's address, and as a remote one.
        func destinations(_ socket: String = "server") -> [ImageSpecification] {
            [
                ImageSpecification(
                    path: "nbd:unix:\(folder.file(socket)):exportname=copy", format: ImageSpecification.nbd),
                ImageSpecification(
                    path: "nbd+unix:///copy?socket=\(folder.file(socket))", format: ImageSpecification.remote),
            ]
        }

        /// What it fails with; nil: all of the source is there.
        func copy(
            _ plan: DiskCopyPlan, of wanted: ImageSpecification? = nil, output: String = "/dev/null", silence: Double
        ) -> BlockError.Code? {
            let source = wanted ?? ImageSpecification(path: folder.file("source"), format: "raw")
            do {
                let output = try #require(FileHandle(forWritingAtPath: output))
                try ImageCopy.copy(source, plan, output: output, silence: silence)
                #expect(try device.last() == 7)
                return nil
            } catch let error as BlockError {
                return error.code
            } catch {
                Issue.record(error)
                return nil
            }
        }

        var base: ImageSpecification { ImageSpecification(path: folder.file("base"), format: "raw", readOnly: true) }
    }

    /// It says how far it is from its first moment on: who cancels is heard when it does, and who is gone is noticed.
    @Test func aCopyTellsOfItselfWhileItsDestinationIsSilent() throws {
        let bench = try Bench()
        defer { bench.stop() }
        let (device, output) = (bench.device, bench.folder.file("output"))
        try Data().write(to: URL(fileURLWithPath: output))
        device.holds(.flushes)
        let plan = DiskCopyPlan(destination: bench.destinations()[0], base: nil)
        let listener = WorkerThread("listener") {
            func isTold() -> Bool {
                guard let lines = try? String(contentsOfFile: output, encoding: .utf8) else { return false }
                return lines.split(separator: "\n").filter { CopiedShare(line: String($0))?.copied == 0 }.count > 2
            }
            while !isTold() && device.isHeld { usleep(5_000) }
            device.holds(nil)
        }
        // Without a word of it the flush is given up after a minute.
        #expect(bench.copy(plan, output: output, silence: 10) == nil)
        device.holds(nil)
        listener.join()
    }

    @Test func aDestinationThatSaysNothingIsLost() throws {
        let bench = try Bench()
        defer { bench.stop() }
        for destination in bench.destinations() {
            for requests in [HeldDevice.Requests.flushes, .writes] {
                bench.device.holds(requests)
                let told = bench.copy(DiskCopyPlan(destination: destination, base: nil), silence: 0.02)
                #expect(told == .disconnected, "\(destination.format) \(requests)")
                bench.device.holds(nil)
            }
        }
    }

    /// What is only read has no more patience than what is written.
    @Test func aSourceOrBaseThatSaysNothingIsLost() throws {
        let bench = try Bench()
        defer { bench.stop() }
        try bench.device.store([7], at: 0)
        bench.device.holds(.reads)
        let destination = ImageSpecification(path: bench.folder.file("base"), format: "raw")
        for export in bench.destinations() {
            var (source, plan) = (export, DiskCopyPlan(destination: destination, base: nil))
            source.readOnly = true
            #expect(bench.copy(plan, of: source, silence: 0.02) == .disconnected, "\(export.format)")
            plan.base = source
            #expect(bench.copy(plan, silence: 0.02) == .disconnected, "\(export.format)")
        }
    }

    /// What this copy has not written it does not write again.
    @Test func whatOthersHaveLostIsNoCopy() throws {
        let bench = try Bench()
        defer { bench.stop() }
        for destination in bench.destinations() {
            for isAgain in [nil, true] {
                bench.device.losses.store(1, ordering: .releasing)
                let plan = DiskCopyPlan(destination: destination, base: bench.base, isAgain: isAgain)
                #expect(bench.copy(plan, silence: 30) == (isAgain == true ? nil : .io))
                #expect(bench.device.losses.load(ordering: .acquiring) == 0)
            }
        }
    }

    /// To begin with there has to be one.
    @Test func aServerThatIsNotThereAgainIsWaitedFor() throws {
        let bench = try Bench()
        defer { bench.stop() }
        for destination in bench.destinations("none") {
            for isAgain in [nil, true] {
                let told = bench.copy(DiskCopyPlan(destination: destination, base: nil, isAgain: isAgain), silence: 30)
                #expect(told == (isAgain == true ? .disconnected : .notFound), "\(destination.format)")
            }
        }
    }
}

/// Memory that does not answer some requests for a while, or whose flushes tell of losses.
private final class HeldDevice: BlockDevice {
    enum Requests: UInt8 {
        case flushes = 1
        case writes
        case reads
    }

    private let memory: MemoryDevice
    private let held = Atomic<UInt8>(0)
    /// So many flushes fail.
    let losses = Atomic<Int>(0)

    init(size: UInt64) { memory = MemoryDevice(size: size) }

    var isHeld: Bool { held.load(ordering: .acquiring) != 0 }
    func holds(_ requests: Requests?) { held.store(requests?.rawValue ?? 0, ordering: .releasing) }
    private func pass(_ requests: Requests) {
        while held.load(ordering: .acquiring) == requests.rawValue { usleep(1000) }
    }

    func last() throws -> UInt8 {
        var byte = [UInt8](repeating: 0, count: 1)
        // SAFETY: one byte, for the time of the call.
        try unsafe byte.withUnsafeMutableBytes { try unsafe memory.read(into: $0, at: size - 1) }
        return byte[0]
    }

    var size: UInt64 { memory.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 1 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        pass(.reads)
        try unsafe memory.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        pass(.writes)
        try unsafe memory.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        pass(.writes)
        try memory.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {
        pass(.flushes)
        if losses.load(ordering: .acquiring) == 0 { return }
        losses.subtract(1, ordering: .acquiringAndReleasing)
        throw BlockError(.io, "what was written before is lost")
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
