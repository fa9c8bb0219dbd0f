import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Crashes at recorded moments: every write and barrier of a session is known, and of what followed the last barrier
/// any part may be lost. Whatever is left must open, hold what was flushed, and have leaked clusters at worst.
@Suite struct QCOW2CrashTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var refcountOrder: Int
        var size: Int
        var steps: Int
        var cuts: Int
        /// Refcounts are written when the image is closed (4.18).
        var isLazy = false
        var isExtended = false
        /// Most data are compressed.
        var compresses = false
        var testDescription: String {
            "2^\(clusterBits), refcounts 2^\(refcountOrder) bits\(isLazy ? ", lazy" : "")"
                + (isExtended ? ", subclusters" : "") + (compresses ? ", compressed" : "")
        }
    }

    /// Sectors hold one number, repeated; 0 where nothing was written.
    private struct Session {
        struct Step {
            var firstEvent: Int
            var sectors: Range<Int>
            /// What the step may leave in its sectors.
            var number: UInt64
        }
        var steps: [Step] = []
        /// For each flush: the event after it, the steps before it, and the sectors' numbers then.
        var flushes: [(event: Int, steps: Int, numbers: [UInt64])] = []
    }

    @Test(arguments: [
        Shape(clusterBits: 9, refcountOrder: 6, size: 7 << 20, steps: 250, cuts: 150),
        Shape(clusterBits: 12, refcountOrder: 4, size: 2 << 20, steps: 150, cuts: 120),
        Shape(clusterBits: 16, refcountOrder: 4, size: 3 << 20, steps: 150, cuts: 120),
        Shape(clusterBits: 9, refcountOrder: 6, size: 2 << 20, steps: 100, cuts: 80, isLazy: true),
        Shape(clusterBits: 12, refcountOrder: 4, size: 2 << 20, steps: 120, cuts: 80, isLazy: true),
        Shape(clusterBits: 14, refcountOrder: 4, size: 2 << 20, steps: 120, cuts: 80, isExtended: true),
        Shape(clusterBits: 12, refcountOrder: 2, size: 2 << 20, steps: 120, cuts: 80, compresses: true),
        Shape(
            clusterBits: 16, refcountOrder: 4, size: 2 << 20, steps: 120, cuts: 80, isExtended: true, compresses: true),
    ])
    func leavesLeaksAtWorst(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        let store = StoreInMemory()
        var options = CreateOptions(clusterSize: 1 << UInt64(shape.clusterBits))
        options.refcountBits = 1 << shape.refcountOrder
        options.lazyRefcounts = shape.isLazy
        options.extendedL2 = shape.isExtended
        try QCOW2Image.create(storage: store, size: UInt64(shape.size), options: options)
        let start = store.bytes
        store.recording = true
        let session = try record(shape, store, &random)
        let events = store.events
        var barriers = events.indices.filter { if case .sync = events[$0] { true } else { false } }
        // Header switches are rare and the most delicate.
        for (index, event) in events.enumerated() {
            guard case .write(let offset, _) = event, offset < 512 else { continue }
            if let next = barriers.first(where: { $0 > index }) { barriers += repeatElement(next, count: 15) }
        }
        let folder = try ScratchFolder("qcow2-crash")
        for number in 0..<shape.cuts {
            // Just before a barrier most is at stake, so two of three crashes happen there.
            let cut =
                number % 3 == 0
                ? Int.random(in: 0...events.count, using: &random) : barriers.randomElement(using: &random) ?? 0
            let content = StoreInMemory.crashed(start, events[..<cut], &random)
            let crashed = StoreInMemory(content)
            do {
                let image = try QCOW2Image.open(storage: crashed, readOnly: false)
                try verify(image, session, cut)
                if number % 4 == 1 {
                    try crashed.save(folder.file("a.qcow2"))
                    try qemuCheck(folder.file("a.qcow2"), allowing: [0, 3])
                    // The image is good for further work, and no leak turns into damage.
                    try image.store([UInt8](repeating: 0x5A, count: 100_000), 1000)
                    try image.discard(at: 0, length: UInt64(shape.size / 2))
                    try image.close()
                    try crashed.save(folder.file("b.qcow2"))
                    try qemuCheck(folder.file("b.qcow2"), allowing: [0, 3])
                }
            } catch {
                Issue.record("crash before event \(cut) of \(events.count): \(error)")
                return
            }
        }
    }

    private func record(
        _ shape: Shape, _ store: StoreInMemory, _ random: inout SeededRandom
    ) throws -> Session {
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        var session = Session()
        var numbers = [UInt64](repeating: 0, count: shape.size / 512)
        for number in 1...shape.steps {
            let first = Int.random(in: 0..<numbers.count, using: &random)
            var sectors = first..<min(numbers.count, first + Int.random(in: 1...250, using: &random))
            let kind = Int.random(in: 0..<10, using: &random)
            let isCompressed = shape.compresses && kind < 4
            if isCompressed {
                let unit = 1 << (shape.clusterBits - 9)
                sectors = sectors.lowerBound / unit * unit..<(sectors.upperBound + unit - 1) / unit * unit
            }
            let offset = UInt64(sectors.lowerBound) * 512
            let length = UInt64(sectors.count) * 512
            var value: UInt64 = 0
            if kind < 5 { value = UInt64(number) }
            session.steps.append(.init(firstEvent: store.eventCount, sectors: sectors, number: value))
            switch kind {
            case 0..<5:
                let words = [UInt64](repeating: value, count: sectors.count * 64)
                try unsafe words.withUnsafeBytes { bytes in
                    if isCompressed { return try unsafe image.writeCompressed(bytes, at: offset) }
                    try unsafe image.write(bytes, at: offset)
                }
            case 5: try image.writeZeroes(at: offset, length: length, mayUnmap: false)
            case 6: try image.writeZeroes(at: offset, length: length, mayUnmap: true)
            case 7: try image.discard(at: offset, length: length)
            default: session.steps.removeLast()
            }
            if kind == 7 {
                let now = try image.bytes(Int(offset), Int(length))
                unsafe now.withUnsafeBytes {
                    for (index, sector) in sectors.enumerated() {
                        numbers[sector] = unsafe $0.loadUnaligned(fromByteOffset: index * 512, as: UInt64.self)
                    }
                }
            } else if kind < 7 {
                for sector in sectors { numbers[sector] = value }
            } else if Bool.random(using: &random) {
                try image.flush()
                session.flushes.append((store.eventCount, session.steps.count, numbers))
            }
        }
        try image.close()
        session.flushes.append((store.eventCount, session.steps.count, numbers))
        return session
    }

    private func verify(_ image: QCOW2Image, _ session: Session, _ cut: Int) throws {
        let flushed = session.flushes.last { $0.event <= cut }
        let base = flushed?.numbers ?? [UInt64](repeating: 0, count: Int(image.size) / 512)
        let later = session.steps[(flushed?.steps ?? 0)...].filter { $0.firstEvent < cut }
        let bytes = try image.bytes(0, Int(image.size))
        unsafe bytes.withUnsafeBytes { all in
            for sector in base.indices {
                let found = unsafe all.load(fromByteOffset: sector * 512, as: UInt64.self)
                let last = unsafe all.load(fromByteOffset: sector * 512 + 504, as: UInt64.self)
                let isKnown =
                    found == base[sector]
                    || later.contains {
                        $0.sectors.contains(sector) && $0.number == found
                    }
                if !isKnown || last != found {
                    Issue.record("sector \(sector) holds \(found)…\(last), not \(base[sector]); crash before \(cut)")
                    return
                }
            }
        }
    }

    @Test(arguments: [9, 16])
    func aFullFileSystemLeavesAConsistentImageThatGoesOn(_ clusterBits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits)")
        let folder = try ScratchFolder("qcow2-full")
        for round in 0..<12 {
            let store = StoreInMemory()
            try QCOW2Image.create(
                storage: store, size: 4 << 20, clusterBits: clusterBits, refcountOrder: clusterBits == 9 ? 6 : 4)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            let model = GrowingBytes()
            model.resize(4 << 20)
            var failures = 0
            for step in 0..<40 {
                if step == 10 { store.writesLeft = round * 3 }
                if step == 30 { store.writesLeft = nil }
                let start = Int.random(in: 0..<4_000_000, using: &random)
                let range = start..<min(model.count, start + Int.random(in: 1...150_000, using: &random))
                do {
                    switch step % 5 {
                    case 4: try image.flush()
                    case 3: try image.writeZeroes(at: UInt64(start), length: UInt64(range.count), mayUnmap: true)
                    default: try image.store([UInt8](repeating: UInt8(step + 1), count: range.count), start)
                    }
                } catch let error as BlockError {
                    #expect(error.code == .noSpace)
                    failures += 1
                }
                model.write(try image.bytes(start, range.count), at: start)
            }
            #expect(failures > 0 || round > 2)
            try image.close()
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            let isEqual = try again.bytes(0, model.count) == model.array
            #expect(isEqual)
            try store.save(folder.file("a.qcow2"))
            try qemuCheck(folder.file("a.qcow2"))
        }
    }

    @Test func aFailedBarrierIsNeverForgotten() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 4 << 20, clusterBits: 16)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([1, 2, 3], 0)
        store.syncsLeft = 1
        #expect(throws: BlockError.self) { try image.flush() }
        #expect(throws: BlockError.self) { try image.flush() }
        #expect(try image.bytes(0, 3) == [1, 2, 3])
    }
}
