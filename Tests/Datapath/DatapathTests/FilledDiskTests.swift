import BlockIO
import Synchronization
import TestSupport
import Testing

@testable import Datapath

/// A disk that is filled from two sides at once: newer content stays, whenever older content comes.
@Suite struct FilledDiskTests {
    private static let size: UInt64 = 8 << 20

    private struct Sides {
        let disk = MemoryDevice(size: FilledDiskTests.size)
        let newer: FilledDisk
        let older: FilledDisk

        init() {
            let writes = NewerWrites()
            newer = FilledDisk(disk, writes, isNewer: true)
            older = FilledDisk(disk, writes, isNewer: false)
        }
    }

    private func fill(_ device: FilledDisk, _ byte: UInt8, _ offset: UInt64, _ length: Int) throws {
        let bytes = [UInt8](repeating: byte, count: length)
        try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: offset) }
    }

    private func content(_ device: any BlockDevice) throws -> [UInt8] {
        let buffer = AlignedBuffer(count: Int(Self.size))
        try unsafe device.read(into: buffer.bytes, at: 0)
        return unsafe Array(buffer.bytes)
    }

    /// In every order the disk is what it would be if all that is older had come first: writes, zeroes and discards of both sides.
    @Test func olderContentNeverTakesThePlaceOfNewer() throws {
        var random = SeededRandom.printed()
        for _ in 0..<8 {
            let sides = Sides()
            var expected = [UInt8](repeating: 0, count: Int(Self.size))
            var isNewer = [Bool](repeating: false, count: Int(Self.size / 512))
            for step in 0..<300 {
                let comesLate = random.next() % 2 == 0
                let sector = Int(random.next() % UInt64(isNewer.count - 300))
                let count = 1 + Int(random.next() % (step % 7 == 0 ? 300 : 9))
                let byte = UInt8(truncatingIfNeeded: 1 + random.next() % 255)
                let zeroes = random.next() % 4 == 0
                let side = comesLate ? sides.newer : sides.older
                let (offset, length) = (UInt64(sector) * 512, UInt64(count) * 512)
                if zeroes {
                    try side.writeZeroes(at: offset, length: length, mayUnmap: random.next() % 2 == 0)
                } else {
                    try fill(side, byte, offset, Int(length))
                }
                for place in sector..<sector + count where comesLate || !isNewer[place] {
                    if comesLate { isNewer[place] = true }
                    for index in place * 512..<place * 512 + 512 { expected[index] = zeroes ? 0 : byte }
                }
            }
            #expect(try content(sides.disk) == expected)
        }
    }

    /// Older content may begin and end anywhere; newer content comes in whole sectors, as parts of one could not be told apart.
    @Test func newerContentComesInWholeSectors() throws {
        let sides = Sides()
        try fill(sides.newer, 1, 1024, 512)
        try fill(sides.older, 2, 1000, 600)
        let found = try content(sides.disk)
        #expect(found[1000..<1024].allSatisfy { $0 == 2 } && found[1024..<1536].allSatisfy { $0 == 1 })
        #expect(found[1536..<1600].allSatisfy { $0 == 2 } && found[1600] == 0 && found[999] == 0)
        for (offset, length) in [(UInt64(1), 512), (0, 511)] {
            let error = #expect(throws: BlockError.self) { try fill(sides.newer, 1, offset, length) }
            #expect(error?.code == .unsupported)
        }
        for side in [sides.newer, sides.older] {
            let error = #expect(throws: BlockError.self) { try fill(side, 1, Self.size, 512) }
            #expect(error?.code == .outOfRange)
        }
        try sides.older.discard(at: 1024, length: 512)
        #expect(try content(sides.disk)[1024..<1536].allSatisfy { $0 == 1 })
    }

    /// Both sides at once, in the same places, from several threads: what is newer is there afterwards, whole.
    @Test func bothSidesWriteAtOnce() throws {
        let sides = Sides()
        let failures = Mutex(0)
        let work = (0..<4).map { number in
            WorkerThread("filler") {
                do {
                    for round in 0..<400 {
                        let sector = UInt64((round * 37 + number / 2 * 11) % 512)
                        if number % 2 == 0 {
                            try fill(sides.newer, 0xAA, sector * 4096, 4096)
                        } else {
                            try fill(sides.older, 0x55, sector * 4096, 4096 * 3)
                        }
                    }
                } catch { failures.withLock { $0 += 1 } }
            }
        }
        for thread in work { thread.join() }
        #expect(failures.withLock { $0 } == 0)
        let found = try content(sides.disk)
        for number in [0, 1] {
            for round in 0..<400 {
                let start = (round * 37 + number * 11) % 512 * 4096
                #expect(found[start..<start + 4096].allSatisfy { $0 == 0xAA })
            }
        }
    }
}
