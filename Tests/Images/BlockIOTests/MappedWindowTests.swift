import BlockIO
import Glibc
import TestSupport
import Testing

@Suite struct MappedWindowTests {
    /// The runs of a part of a mapped file, as (is zero, bytes); nil when they vanished.
    private func runs(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, granule: UInt64 = 4096
    ) throws -> [(isZero: Bool, count: Int)]? {
        var all: [(isZero: Bool, count: Int)] = []
        let areThere = try unsafe forEachRun(of: bytes, at: offset, granule: granule, areMapped: true) {
            (run, isZero, _) throws(BlockError) in
            all.append((isZero, run.count))
        }
        return areThere ? all : nil
    }

    private struct NotMapped: Error {}

    private func map(_ window: MappedWindow, _ file: ImageFile, _ count: Int) throws -> UnsafeRawBufferPointer {
        guard let bytes = unsafe window.bytes(of: file, at: 0, count: count) else { throw NotMapped() }
        return unsafe bytes
    }

    @Test func aWindowShowsWhatReadingReads() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("window")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        let size = 3_000_001
        try file.write(bytes: random.bytes(size), at: 0)
        let window = MappedWindow(largest: 1 << 20)
        for _ in 0..<200 {
            let offset = Int.random(in: 0..<size, using: &random)
            let count = Int.random(in: 1...600_000, using: &random)
            // Nobody changes the file, so it may be looked at.
            let shown = unsafe window.bytes(of: file, at: UInt64(offset), count: count).map { unsafe Array($0) }
            if offset + count > size {
                #expect(shown == nil, "past the end of the file")
            } else {
                let isSame = try shown == file.bytes(at: UInt64(offset), count: count)
                #expect(isSame)
            }
        }
        let isTooMuch = unsafe window.bytes(of: file, at: 0, count: 2 << 20) == nil
        #expect(isTooMuch)
        #expect(!window.isCutShort)
        window.release()
        let other = try ImageFile(path: folder.file("b"), access: .create)
        try other.write(bytes: [7, 8], at: 0)
        let moved = unsafe window.bytes(of: other, at: 1, count: 1).map { unsafe Array($0) }
        #expect(moved == [8])
    }

    @Test func runsAreThoseOfTheGranules() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("runs")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        var content = [UInt8](repeating: 0, count: 300_000)
        for _ in 0..<12 { content[Int.random(in: 0..<content.count, using: &random)] = 1 }
        try file.write(bytes: content, at: 0)
        let window = MappedWindow(largest: 1 << 20)
        for granule in [512, 4096, 65536] as [UInt64] {
            let offset = UInt64.random(in: 0...1000, using: &random) * 512
            let bytes = try unsafe map(window, file, content.count)
            let found = try #require(try unsafe runs(bytes, at: offset, granule: granule))
            // Piece by piece, as plainly as can be.
            var wanted: [(isZero: Bool, count: Int)] = []
            var position = 0
            while position < content.count {
                let end = min(content.count, position + Int(granule - (offset + UInt64(position)) % granule))
                let isZero = content[position..<end].allSatisfy { $0 == 0 }
                if let last = wanted.last, last.isZero == isZero {
                    wanted[wanted.count - 1].count += end - position
                } else {
                    wanted.append((isZero, end - position))
                }
                position = end
            }
            #expect(found.map(\.isZero) == wanted.map(\.isZero))
            #expect(found.map(\.count) == wanted.map(\.count))
        }
    }

    /// On a disk and in memory: the signal of a page that is gone ends the look, and nothing else.
    @Test(arguments: ["/dev/shm", nil])
    func bytesThatVanishEndTheLook(_ place: String?) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vanish")
        let path = place.map { "\($0)/gantry-window-\(UInt64.random(in: 0...UInt64.max))" } ?? folder.file("a")
        let file = try ImageFile(path: path, access: .create)
        defer { _ = unsafe unlink(path) }
        let window = MappedWindow(largest: 4 << 20)
        for _ in 0..<20 {
            try file.write(bytes: random.bytes(1 << 20), at: 0)
            let bytes = try unsafe map(window, file, 1 << 20)
            let before = try unsafe runs(bytes, at: 0)?.count
            #expect(before == 1)
            try file.truncate(to: UInt64.random(in: 0..<200, using: &random) * 4096)
            let areGone = try unsafe runs(bytes, at: 0) == nil
            #expect(areGone)
            #expect(window.isCutShort)
            window.release()
        }
    }

    @Test func theKernelAnswersWhereVanishedBytesAreWritten() throws {
        let folder = try ScratchFolder("fault")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        let target = try ImageFile(path: folder.file("b"), access: .create)
        try file.write(bytes: [UInt8](repeating: 1, count: 65536), at: 0)
        let window = MappedWindow(largest: 65536)
        let bytes = try unsafe map(window, file, 65536)
        try file.truncate(to: 0)
        var number: Int32 = 0
        do throws(BlockError) { try unsafe target.write(bytes, at: 0) } catch { number = error.systemError }
        #expect(number == EFAULT)
    }

    /// A fault that is nobody's business here ends the process, as it would have without us.
    @Test func anotherBusErrorIsNotSwallowed() async throws {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            let folder = try ScratchFolder("foreign")
            let file = try ImageFile(path: folder.file("a"), access: .create)
            try file.write(bytes: [1], at: 0)
            let window = MappedWindow(largest: 4096)
            let isMapped = unsafe window.bytes(of: file, at: 0, count: 1) != nil
            try #require(isMapped)
            let descriptor = unsafe open(folder.file("a"), O_RDWR)
            let mapped = unsafe mmap(nil, 4096, PROT_READ, MAP_SHARED, descriptor, 0)
            try file.truncate(to: 0)
            // SAFETY: the fault is what is wanted.
            let byte = unsafe mapped?.load(as: UInt8.self)
            Issue.record("read \(String(describing: byte))")
        }
    }

    @Test func aBusErrorGoesToTheHandlerThatWasThere() async throws {
        await #expect(processExitsWith: .exitCode(41)) {
            signal(SIGBUS) { _ in _exit(41) }
            let folder = try ScratchFolder("chained")
            let file = try ImageFile(path: folder.file("a"), access: .create)
            try file.write(bytes: [1], at: 0)
            let window = MappedWindow(largest: 4096)
            let isMapped = unsafe window.bytes(of: file, at: 0, count: 1) != nil
            try #require(isMapped)
            raise(SIGBUS)
        }
    }
}
