import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// What the check finds, and puts right: cases 2.6, 2.9, 2.10, 2.11, 2.15 and 2.18 of the test vectors.
@Suite struct VHDCheckTests {
    private func check(_ store: StoreInMemory, _ repair: RepairChoice? = nil) throws -> CheckReport {
        try VHDImage.check(file: store, repair: repair, cancellation: CancellationFlag())
    }

    private func opened(_ store: StoreInMemory) throws -> any BlockDevice {
        try VHDImage.open(
            file: store, readOnly: store.isReadOnly, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
    }

    /// A differencing image of 16 blocks of 4 KiB: 0, 2 and 5 full, 3 in part.
    private func sample() throws -> StoreInMemory {
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        try VHDImage.make(file: store, size: 65536, blockSize: 4096, entries: 200, parent: parent)
        let device = try opened(store)
        for block in [0, 2, 5] { try device.store([UInt8](repeating: 7, count: 4096), block * 4096) }
        try device.store([1, 2, 3], 3 * 4096 + 1024)
        try device.close()
        return store
    }

    private func edit(_ store: StoreInMemory, _ place: UInt64, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try store.array(at: place, count: 512)
        change(&bytes)
        try store.store(bytes, at: place)
    }

    private func footer(_ store: StoreInMemory, tail: Bool, checksum: Bool = true, _ change: (inout [UInt8]) -> Void)
        throws
    {
        try edit(store, tail ? UInt64(store.bytes.count - 512) : 0) { bytes in
            change(&bytes)
            if checksum { bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes)) }
        }
    }

    enum Damage: String, CaseIterable, Sendable {
        case none, tailZeroed, tailBad, headBad, tailHidden, junkBehind, lostBlock, staleEntry, geometry, mapSum
        case mapTooFull, bothFooterSums, headerSum, badLocator
    }

    private func damage(_ store: StoreInMemory, _ kind: Damage) throws {
        let length = UInt64(store.bytes.count)
        switch kind {
        case .none: break
        case .tailZeroed: try store.store([UInt8](repeating: 0, count: 512), at: length - 512)
        case .tailBad: try footer(store, tail: true, checksum: false) { $0[100] = 1 }
        case .headBad: try footer(store, tail: false, checksum: false) { $0[100] = 1 }
        case .tailHidden: try footer(store, tail: true) { $0[85] = 1 }
        case .junkBehind: try store.store([UInt8](repeating: 0xAB, count: 5000), at: length)
        case .lostBlock:
            let tail = try store.array(at: length - 512, count: 512)
            try store.store([UInt8](repeating: 0xAB, count: 8192), at: length - 512)
            try store.store(tail, at: length - 512 + 8192)
        case .staleEntry: try edit(store, 1536) { $0.replaceBigEndian(at: 400, with: 99) }
        case .geometry:
            for tail in [false, true] {
                try footer(store, tail: tail) { $0.replaceBigEndian(at: 56, with: 0x0FFF_0411) }
            }
        case .mapSum:
            try edit(store, 2560) {
                $0[30] = 0
                $0.replaceBigEndian(at: 24, with: 77)
            }
        case .mapTooFull:
            try edit(store, 3072) { $0[0] |= 0x10 }
            try edit(store, 2560) { $0.replaceBigEndian(at: 24, with: ~(0b1011_0100 as UInt32)) }
        case .bothFooterSums:
            for tail in [false, true] { try footer(store, tail: tail, checksum: false) { $0[200] = 1 } }
        case .headerSum: try edit(store, 512) { $0[60] = 1 }
        case .badLocator:
            try edit(store, 1024) { $0.replaceBigEndian(at: 576 - 512 + 20, with: 0x7FFF_FFFF) }
            try edit(store, 512) { bytes in
                var header = bytes + ((try? store.array(at: 1024, count: 512)) ?? [])
                header.replaceBigEndian(at: 36, with: VHDFooter.checksum(header, field: 36))
                bytes = Array(header[..<512])
            }
        }
    }

    /// What is found at least, and which repair is the least that puts it right; nil: nothing to repair.
    @Test(
        "damage is found and put right (cases 2.9, 2.10, 2.11)",
        arguments: [
            (.none, .note, nil), (.tailZeroed, .note, .leaks), (.tailBad, .note, .leaks), (.headBad, .note, .leaks),
            (.tailHidden, .note, .leaks), (.junkBehind, .leak, .leaks), (.lostBlock, .leak, .leaks),
            (.staleEntry, .leak, .leaks), (.geometry, .note, .all), (.mapSum, .note, .leaks),
            (.mapTooFull, .corruption, .all), (.bothFooterSums, .corruption, .all), (.headerSum, .corruption, .all),
            (.badLocator, .corruption, .all),
        ] as [(Damage, CheckReport.Severity, RepairChoice?)])
    func damageIsFoundAndPutRight(kind: Damage, severity: CheckReport.Severity, least: RepairChoice?) throws {
        let intact = try sample()
        let expected = try opened(StoreInMemory(intact.bytes, readOnly: true)).bytes(0, 65536)
        let store = StoreInMemory(intact.bytes)
        try damage(store, kind)
        let damaged = store.bytes
        let needsAll = kind == .bothFooterSums || kind == .headerSum
        if needsAll {
            #expect(code { _ = try check(StoreInMemory(damaged, readOnly: true)) } != nil)
        } else {
            let found = try check(StoreInMemory(damaged, readOnly: true))
            #expect(found.isClean == (severity == .note), "\(found.findings)")
            #expect(found.findings.isEmpty == (kind == .none), "\(found.findings)")
            #expect(found.findings.contains { $0.severity == severity } || kind == .none, "\(found.findings)")
            #expect(found.totalClusters == 16 && found.allocatedClusters == 4)
        }
        guard let least else { return }
        if least == .all && !needsAll {
            let tried = try check(store, .leaks)
            #expect(tried.isClean == (severity == .note) && tried.corruptionsRepaired == 0)
        }
        let repaired = try check(store, least)
        #expect(repaired.isClean && repaired.findings.contains { $0.isRepaired }, "\(repaired.findings)")
        let after = try check(StoreInMemory(store.bytes, readOnly: true))
        #expect(after.isClean && after.findings.isEmpty, "\(after.findings)")
        #expect(try opened(store).bytes(0, 65536) == expected)
        let layout = try VHDLayout(file: store)
        #expect(layout.footersAgree && layout.notes.isEmpty)
        #expect(layout.fileLength == UInt64(intact.bytes.count) || kind == .badLocator)
    }

    /// Entries of the table that nobody may follow are named, each, and nothing is changed without a repair that may.
    @Test(
        "wrong entries are named (case 2.6)",
        arguments: [(0, "metadata"), (3, "metadata"), (100, "outside"), (0xFFFF_FFFE, "outside"), (-1, "each other")])
    func wrongEntriesAreNamed(entry: Int, word: String) throws {
        let store = try sample()
        let table = try store.array(at: 1536, count: 512)
        let other = BigEndianBytes(table).u32(0) + 1
        try edit(store, 1536) { $0.replaceBigEndian(at: 8, with: entry < 0 ? other : UInt32(entry)) }
        let before = store.bytes
        #expect(code { _ = try opened(store) } == .corrupt)
        for repair in [nil, .leaks, entry < 0 ? .all : nil] as [RepairChoice?] {
            let report = try check(store, repair)
            #expect(report.corruptions == 1 && report.findings.contains { $0.message.contains(word) })
            #expect(store.bytes == before)
        }
    }

    @Test func imagesOfThisProgramAndOfOthersAreClean() throws {
        let folder = try ScratchFolder("vhd")
        for subformat in CreateOptions.VHDSubformat.allCases {
            let ours = folder.file("ours-\(subformat)")
            let device = try DiskImage.create(
                path: ours, format: .vhd, size: 8 << 20, options: CreateOptions(vhdSubformat: subformat))
            try device.store([1, 2, 3], at: 3 << 20)
            try device.close()
            let theirs = folder.file("qemu-\(subformat)")
            try Tool.check("qemu-img", ["create", "-f", "vpc", "-o", "subformat=\(subformat)", theirs, "10M"])
            try Tool.check("qemu-io", ["-f", "vpc", "-c", "write -P 5 3M 64k", theirs])
            for path in [ours, theirs] {
                let report = try DiskImage.check(path: path, format: .vhd)
                #expect(report.isClean && report.findings.isEmpty, "\(path): \(report.findings)")
            }
        }
        #expect(code { _ = try DiskImage.check(path: "/dev/null", format: .vhd) } != nil)
    }

    @Test func aCheckCanBeCancelled() throws {
        let flag = CancellationFlag()
        flag.cancel()
        #expect(code { _ = try VHDImage.check(file: sample(), repair: nil, cancellation: flag) } == .cancelled)
    }

    @Test func damagedImagesNeverTrapTheCheck() throws {
        var random = SeededRandom.printed()
        let bytes = try sample().bytes
        let values: [UInt32] = [0, 1, 0x1FF, 0x200, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, .max]
        for _ in 0..<600 {
            var changed = bytes
            let field = Int.random(in: 0..<900, using: &random) * 4
            changed.replaceBigEndian(at: field, with: values.randomElement(using: &random) ?? 0)
            if Bool.random(using: &random) {
                for start in [0, changed.count - 512] {
                    let sum = VHDFooter.checksum(Array(changed[start..<start + 512]))
                    changed.replaceBigEndian(at: start + 64, with: sum)
                }
                changed.replaceBigEndian(at: 548, with: VHDFooter.checksum(Array(changed[512..<1536]), field: 36))
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                changed.removeLast(Int.random(in: 0...changed.count, using: &random))
            }
            _ = try? check(StoreInMemory(changed, readOnly: true))
            let store = StoreInMemory(changed)
            _ = try? check(store, Bool.random(using: &random) ? .all : .leaks)
            if let device = try? opened(store) {
                try? device.store([1], Int(device.size) / 2)
                try? device.close()
            }
        }
    }
}
