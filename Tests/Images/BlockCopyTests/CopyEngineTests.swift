import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

@Suite struct CopyEngineTests {
    @Test func copiesEverySizeAndLeavesTheRestOfALargerDestination() throws {
        var random = SeededRandom.printed()
        for _ in 0..<30 {
            let size = UInt64.random(in: 0...9000, using: &random) * 512
            let source = MemoryDevice(size: size)
            for _ in 0..<Int.random(in: 0...6, using: &random) where size > 0 {
                let offset = UInt64.random(in: 0..<size, using: &random)
                try source.store(random.bytes(Int(min(size - offset, 300_000))), at: offset)
            }
            let extra = UInt64.random(in: 0...2, using: &random) * 512
            let destination = MemoryDevice(size: size + extra)
            let dirt = random.bytes(Int(size + extra))
            try destination.store(dirt, at: 0)
            let progress = ProgressCounter()
            try CopyEngine.copy(from: source, to: destination, progress: progress)
            #expect(try destination.bytes(0, Int(size)) == source.bytes(0, Int(size)))
            #expect(try destination.bytes(size, Int(extra)) == Array(dirt[Int(size)...]))
            #expect(progress.done == progress.total)
        }
    }

    /// Much data with holes and zero runs, and ends that no page or cluster knows, into each kind of new image.
    @Test(arguments: [
        ("raw", "raw", CreateOptions()), ("qcow2", "qcow2", CreateOptions()),
        ("qcow2", "qcow2", CreateOptions(clusterSize: 512)), ("vhd", "vpc", CreateOptions()),
        ("vhd", "vpc", CreateOptions(vhdSubformat: .fixed)),
    ])
    func copiesPastThePageCache(_ name: String, _ qemuName: String, _ choices: CreateOptions) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("bypass")
        let source = MemoryDevice(size: 72 << 20)
        let data = random.bytes(1 << 20)
        for megabyte in 0..<72 where megabyte % 9 != 4 {
            let shift = megabyte % 3 == 0 ? 0 : UInt64.random(in: 0..<1024, using: &random) * 512
            try source.store(Array(data[..<(data.count - Int(shift))]), at: UInt64(megabyte) << 20 + shift)
        }
        let format = try #require(ImageFormat(parsing: name))
        let path = folder.file("image")
        let image = try DiskImage.create(path: path, format: format, size: source.size, options: choices)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        options.bypassCache = true
        try CopyEngine.copy(from: source, to: image, options: options)
        try image.close()
        let copy = try DiskImage.open(path: path, format: format, readOnly: true)
        #expect(try CompareEngine.firstDifference(source, copy) == nil)
        try copy.close()
        if format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", qemuName, path]) }
    }

    @Test func refusesASmallerDestinationAndStopsWhenAsked() throws {
        let source = MemoryDevice(size: 1 << 20)
        try source.store([1], at: 0)
        #expect(throws: BlockError.self) { try CopyEngine.copy(from: source, to: MemoryDevice(size: 512)) }
        let flag = CancellationFlag()
        flag.cancel()
        let failure = #expect(throws: BlockError.self) {
            try CopyEngine.copy(from: source, to: MemoryDevice(size: 1 << 20), cancellation: flag)
        }
        #expect(failure?.code == .cancelled)
    }

    @Test func anErrorOfTheDestinationIsTheCopysError() throws {
        var random = SeededRandom.printed()
        let source = MemoryDevice(size: 32 << 20)
        try source.store(random.bytes(32 << 20), at: 0)
        let failure = #expect(throws: BlockError.self) {
            try CopyEngine.copy(from: source, to: FailingDevice(MemoryDevice(size: 32 << 20), writes: 3))
        }
        #expect(failure?.code == .noSpace)
    }

    @Test("compare finds the first difference (case 6.9)")
    func compareFindsTheFirstDifference() throws {
        var random = SeededRandom.printed()
        for _ in 0..<20 {
            let size = UInt64.random(in: 1...5000, using: &random) * 512
            let a = MemoryDevice(size: size)
            let b = MemoryDevice(size: size + 4096)
            let data = random.bytes(Int(min(size, 400_000)))
            try a.store(data, at: size - UInt64(data.count))
            try b.store(data, at: size - UInt64(data.count))
            #expect(try CompareEngine.firstDifference(a, b) == nil)
            let at = UInt64.random(in: 0..<b.size, using: &random)
            let byte = try b.bytes(at, 1)[0]
            try b.store([byte &+ 1], at: at)
            #expect(try CompareEngine.firstDifference(a, b) == at)
            #expect(try CompareEngine.firstDifference(b, a) == at)
        }
    }
}
