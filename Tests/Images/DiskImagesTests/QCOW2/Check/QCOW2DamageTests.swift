import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Images damaged on purpose: our verdict must be that of qemu-img, what we repair must satisfy it, and the other way
/// round.
@Suite struct QCOW2DamageTests {
    struct Damage: CustomTestStringConvertible, Sendable {
        var name: String
        var sample = QemuSample.plain
        /// Where we see more than qemu-img does.
        var isStricter = false
        /// Where qemu-img gives up.
        var isTooMuchForQemu = false
        /// Where qemu-img leaves what we repair.
        var qemuRepairs = true
        var make: @Sendable (ImageUnderKnife) throws -> Void
        var testDescription: String { name }
    }

    static let damages: [Damage] = [
        Damage(name: "leaked cluster") { image in
            try image.store.truncate(to: image.cluster * 200)
            try image.setCount(image.cluster * 150, 1)
        },
        Damage(name: "leaked reference") { image in
            try image.setCount(image.word(image.data()) & QCOW2Entry.offsetMask, 2)
        },
        Damage(name: "count too low") { image in
            try image.setCount(image.word(image.data()) & QCOW2Entry.offsetMask, 0)
        },
        Damage(name: "count of the header is 0 (3.12)") { try $0.setCount(0, 0) },
        Damage(name: "count of the L2 table is 2") { try $0.setCount($0.l2(0), 2) },
        Damage(name: "copied bit missing (3.16)") { image in
            let at = try image.data()
            try image.set(at, image.word(at) & ~QCOW2Entry.copied)
        },
        Damage(name: "copied bit of a shared cluster (3.16)", sample: .rich) { image in
            let at = try image.entry { $0 >> 62 == 0 && $0 & QCOW2Entry.offsetMask != 0 && $0 & 1 == 0 }
            try image.set(at, image.word(at) | QCOW2Entry.copied)
        },
        Damage(name: "copied bit of an L1 entry (3.16)") { image in
            try image.set(image.l1Place(0), image.word(image.l1Place(0)) & ~QCOW2Entry.copied)
        },
        Damage(name: "two L2 entries for one cluster (3.15)") { image in
            let at = try image.data()
            try image.set(image.l2(0) + image.cluster - 8, image.word(at))
        },
        Damage(name: "two L1 entries for one table (3.15)") { image in
            try image.set(image.l1Place(2), image.word(image.l1Place(0)))
        },
        Damage(name: "entry past the end of the file (3.19)", qemuRepairs: false) { image in
            try image.set(image.data(), 1 << 40 | QCOW2Entry.copied)
        },
        Damage(name: "table past the end of the file (3.19)", qemuRepairs: false) { image in
            try image.set(image.l1Place(1), 1 << 40 | QCOW2Entry.copied)
        },
        Damage(name: "unaligned L1 entry (3.18)", qemuRepairs: false) { image in
            try image.set(image.l1Place(0), image.word(image.l1Place(0)) + 512)
        },
        Damage(name: "reserved bits in an L1 entry (3.18)", qemuRepairs: false) { image in
            try image.set(image.l1Place(0), image.word(image.l1Place(0)) | 1)
        },
        Damage(name: "unaligned L2 entry (3.18)", qemuRepairs: false) { image in
            let at = try image.data()
            try image.set(at, image.word(at) + 512)
        },
        Damage(name: "unaligned preallocated zero cluster (3.18)") { image in
            let at = try image.data()
            try image.set(at, image.word(at) + 512 + 1)
        },
        Damage(name: "reserved bits in an L2 entry (3.18)", qemuRepairs: false) { image in
            let at = try image.data()
            try image.set(at, image.word(at) | 1 << 60)
        },
        Damage(name: "reserved bits in a refcount table entry (3.18)", qemuRepairs: false) { image in
            try image.set(image.header.refcountTableOffset, image.block() | 8)
        },
        Damage(name: "unaligned refcount block (3.12)", isTooMuchForQemu: true) { image in
            try image.set(image.header.refcountTableOffset, image.block() + 512)
        },
        Damage(name: "refcount block outside the file (3.12)", qemuRepairs: false) { image in
            try image.set(image.header.refcountTableOffset, 1 << 40)
        },
        Damage(name: "refcount block that is the L1 table (3.12)") { image in
            try image.set(image.header.refcountTableOffset, image.header.l1Offset)
        },
        Damage(name: "refcount table all zero (3.14)") { try $0.set($0.header.refcountTableOffset, 0) },
        Damage(name: "refcount blocks of noise (3.14)") { image in
            var random = SeededRandom(seed: 7)
            try image.store.store(random.bytes(Int(image.cluster)), at: image.block())
        },
        Damage(name: "entry that points to the header", isStricter: true, qemuRepairs: false) { image in
            // Counted twice, as after a repair by qemu-img.
            try image.set(image.data(), 0 | QCOW2Entry.copied)
        },
        Damage(name: "entry that points to the L1 table (3.17)", qemuRepairs: false) { image in
            try image.set(image.data(), image.header.l1Offset | QCOW2Entry.copied)
        },
        Damage(name: "entry that points to its own table (3.17)", qemuRepairs: false) { image in
            try image.set(image.data(), image.l2(0) | QCOW2Entry.copied)
        },
        Damage(name: "entry that points to a refcount block (3.17)", qemuRepairs: false) { image in
            try image.set(image.data(), image.block() | QCOW2Entry.copied)
        },
        Damage(name: "compressed cluster past the end (4.7)", sample: .rich, qemuRepairs: false) { image in
            try image.set(image.data(), QCOW2Entry.compressed | 1 << 40)
        },
        Damage(name: "count of a compressed cluster (4.10)", sample: .rich) { image in
            let table = try image.l2(0)
            for number in 0..<UInt64(512) {
                let entry = try image.word(table + number * 8)
                if entry & QCOW2Entry.compressed == 0 { continue }
                return try image.setCount((entry & 0xFFFF_FFFF) & ~(image.cluster - 1), 1)
            }
        },
        Damage(name: "count of a snapshot's table", sample: .rich) { image in
            let l1 = try image.word(image.header.snapshotsOffset)
            try image.setCount(image.word(l1) & QCOW2Entry.offsetMask, 0)
        },
        Damage(name: "snapshot with an unaligned L1 table (3.7)", sample: .rich, qemuRepairs: false) { image in
            try image.set(image.header.snapshotsOffset, image.word(image.header.snapshotsOffset) + 512)
        },
        Damage(name: "count of a bitmap's cluster (4.16)", sample: .rich) { image in
            let directory = try #require(image.header.extensions.bitmapDirectory)
            try image.setCount(image.word(directory.offset), 0)
        },
        Damage(name: "bitmaps that are not valid any more leak (4.16)", sample: .rich) { image in
            try image.set(88, 0)
        },
        Damage(name: "both bits of a subcluster (4.13)", sample: .subclusters, qemuRepairs: false) { image in
            let at = try image.data() + 8
            try image.set(at, image.word(at) | 0xF_0000_000F)
        },
        Damage(name: "allocated subclusters without a cluster (4.13)", sample: .subclusters, qemuRepairs: false) {
            image in
            try image.set(image.l2(0) + image.cluster - 8, 1)
        },
        Damage(name: "compressed cluster with subcluster bits (4.13)", sample: .subclusters, qemuRepairs: false) {
            image in
            let at = try image.data()
            try image.set(at, QCOW2Entry.compressed | image.word(at) & QCOW2Entry.offsetMask)
        },
        Damage(name: "compressed cluster with an external data file (4.17)", sample: .dataFile, qemuRepairs: false) {
            image in
            try image.set(image.data(), QCOW2Entry.compressed | 1 << 16)
        },
        Damage(name: "copied bit with an external data file (4.17)", sample: .dataFile) { image in
            let at = try image.data() + 8
            try image.set(at, image.word(at) & ~QCOW2Entry.copied)
        },
        Damage(name: "zero flag in version 2 (3.20)", sample: .version2, isStricter: true, qemuRepairs: false) {
            image in
            let at = try image.entry { $0 >> 62 == 0 && $0 & QCOW2Entry.offsetMask != 0 }
            try image.set(at, image.word(at) | 1)
        },
        Damage(name: "copied bit without a cluster", isStricter: true, qemuRepairs: false) { image in
            try image.set(image.l2(0) + image.cluster - 8, QCOW2Entry.copied)
        },
    ]

    private func damaged(_ damage: Damage, _ folder: ScratchFolder) throws -> ImageUnderKnife {
        let image = try ImageUnderKnife(damage.sample.make(folder))
        try damage.make(image)
        return image
    }

    @Test(
        "the verdict is QEMU's and the repair satisfies it (cases 3.12, 3.14, 3.15, 3.16, 3.18, 3.19, 3.20)",
        arguments: damages)
    func theVerdictIsQemusAndTheRepairSatisfiesIt(_ damage: Damage) throws {
        let folder = try ScratchFolder("damage")
        let image = try damaged(damage, folder)
        let theirs = try image.qemu(folder)
        let report = try image.check()
        if damage.isStricter {
            #expect(theirs.status != 2 && report.corruptions > 0, "\(theirs.output)\(report.findings)")
        } else {
            let comment = Comment(rawValue: "\(theirs.output)\(theirs.errors)\(report.findings)")
            let status: Int32 = damage.isTooMuchForQemu ? 1 : ImageUnderKnife.status(report)
            #expect(status == theirs.status, comment)
            #expect(!report.isClean)
        }
        let isHopeless = damage.name.contains("unaligned L1 table")
        let copy = try ImageUnderKnife(image.store.bytes)
        let repaired = try image.check(.all)
        if isHopeless {
            #expect(repaired.corruptions > 0)
            #expect(image.store.bytes[79] & 2 != 0, "marked as corrupt")
        } else {
            let isClean = repaired.isClean
            #expect(isClean, "\(repaired.findings.prefix(5))")
            #expect(repaired.corruptionsRepaired == report.corruptions && repaired.leaksRepaired == report.leaks)
            #expect(repaired.findings.contains { $0.isRepaired })
            #expect(image.store.bytes[79] & 3 == 0)
            let verdict = try image.qemu(folder)
            #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
        }
        // Giving back leaks alone is safe, and says what it does not do.
        let leaks = try copy.check(.leaks)
        #expect(leaks.corruptions == 0 || leaks.corruptions == report.corruptions)
        #expect(report.corruptions > 0 || leaks.isClean)
    }

    @Test(arguments: damages.filter { $0.qemuRepairs && !$0.isTooMuchForQemu })
    func whatQemuRepairsIsCleanForUs(_ damage: Damage) throws {
        let folder = try ScratchFolder("damage-qemu")
        let image = try damaged(damage, folder)
        let outcome = try image.qemu(folder, ["-r", "all"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let report = try DiskImage.check(path: folder.file("knife.qcow2"), format: .qcow2)
        let isClean = report.isClean
        #expect(isClean, "\(report.findings.prefix(5))")
    }
}
