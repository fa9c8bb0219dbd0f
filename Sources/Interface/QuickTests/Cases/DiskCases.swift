import APITypes
import Foundation
import XenAPIClient

/// What is done with one disk, for each repository and format.
enum DiskCases {
    static func all(at place: Place) -> [QuickCase] {
        [
            make("VDI.create", place, []) { try await create($0, place) },
            make("VDI.resize", place, ["VDI_RESIZE"]) { try await resize($0, place) },
            make("VDI.snapshot", place, ["VDI_SNAPSHOT"]) { try await snapshot($0, place) },
            make("VDI.clone", place, ["VDI_CLONE"]) { try await clone($0, place) },
            make("VDI.copy", place, []) { try await copy($0, place) },
            make("VDI.list_changed_blocks", place, ["VDI_CONFIG_CBT", "VDI_SNAPSHOT"]) {
                try await changedBlocks($0, place)
            },
        ]
    }

    private static func make(
        _ name: String, _ place: Place, _ features: [String],
        _ body: @escaping @Sendable (DiskBench) async throws -> Void
    ) -> QuickCase {
        let needs = features.map { Need(thing: .feature($0), repository: place.repository) }
        return QuickCase(name: "\(name) [\(place)]", needs: needs, body: body)
    }

    /// The record says what was asked for, and the disk is empty.
    private static func create(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        let record = try await bench.session.vdi.getRecord(disk)
        let wanted = Int64(bench.settings.diskSize)
        try Mismatch.unless(
            record.virtualSize >= wanted, "the disk has \(record.virtualSize) bytes instead of \(wanted)")
        try Mismatch.unless(record.sr.opaque == place.repository.ref, "the disk is in \(record.sr.opaque)")
        try Mismatch.unless(record.managed && !record.missing, "the disk is not managed, or missing")
        try Mismatch.unless(!record.isASnapshot, "the new disk is a snapshot")
        try checkFormat(record, place)
        let listed = try await bench.session.sr.get(\.vdis, of: record.sr)
        try Mismatch.unless(listed.contains(disk), "SR.VDIs does not have the disk")
        try await bench.expect(ContentPattern(seed: 0, size: 0), on: disk, "the new disk")
        try await bench.destroy(disk)
    }

    /// The endpoint may keep the format of an image to itself; what it says must be true.
    static func checkFormat(_ record: VDIRecord, _ place: Place) throws {
        guard let wanted = place.format, let said = record.smConfig["image-format"] else { return }
        try Mismatch.unless(said.lowercased() == wanted, "sm_config:image-format is \(said) instead of \(wanted)")
    }

    /// The content stays, and what is new is empty.
    private static func resize(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        let pattern = bench.pattern(1)
        try await bench.write(pattern, to: disk)
        let larger = try await bench.size(of: disk) + (4 << 20)
        try await bench.session.vdi.resize(disk, size: Int64(larger))
        let size = try await bench.size(of: disk)
        try Mismatch.unless(size >= larger, "the disk has \(size) bytes instead of \(larger)")
        try await bench.expect(pattern, on: disk, "the larger disk")
    }

    /// What is written later does not show in the snapshot.
    private static func snapshot(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let snapshot = try await bench.adopt(try await bench.session.vdi.snapshot(disk))
        try await bench.write(bench.pattern(2), to: disk)
        try await bench.expect(bench.pattern(1), on: snapshot, "the snapshot")
        try await bench.expect(bench.pattern(2), on: disk, "the disk")
        let record = try await bench.session.vdi.getRecord(snapshot)
        try Mismatch.unless(record.isASnapshot, "the snapshot's is_a_snapshot is false")
        try Mismatch.unless(record.snapshotOf == disk, "the snapshot's snapshot_of is \(record.snapshotOf.opaque)")
        let listed = try await bench.session.vdi.get(\.snapshots, of: disk)
        try Mismatch.unless(listed.contains(snapshot), "the disk's snapshots do not have it")
        try await bench.destroy(snapshot)
        try await bench.expect(bench.pattern(2), on: disk, "the disk after its snapshot went")
    }

    /// Each of the two can be written without the other.
    private static func clone(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let clone = try await bench.adopt(try await bench.session.vdi.clone(disk))
        let isSnapshot = try await bench.session.vdi.get(\.isASnapshot, of: clone)
        try Mismatch.unless(!isSnapshot, "the clone is a snapshot")
        try await bench.expect(bench.pattern(1), on: clone, "the clone")
        try await bench.write(bench.pattern(2), to: clone)
        try await bench.expect(bench.pattern(1), on: disk, "the disk")
        try await bench.destroy(disk)
        try await bench.expect(bench.pattern(2), on: clone, "the clone after its disk went")
    }

    private static func copy(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let copy = try await bench.adopt(
            try await bench.session.vdi.copy(disk, sr: Ref(place.repository.ref)))
        try await bench.destroy(disk)
        try await bench.expect(bench.pattern(1), on: copy, "the copy after its disk went")
    }

    /// Every block that differs between two snapshots is told, also without the data of the first.
    private static func changedBlocks(_ bench: DiskBench, _ place: Place) async throws {
        let vdi = bench.session.vdi
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        try await vdi.enableCBT(disk)
        let isOn = try await vdi.get(\.cbtEnabled, of: disk)
        try Mismatch.unless(isOn, "cbt_enabled is false after VDI.enable_cbt")
        let first = try await bench.adopt(try await vdi.snapshot(disk))
        try await bench.write(bench.pattern(2), to: disk)
        let second = try await bench.adopt(try await vdi.snapshot(disk))
        try await expectChanges(bench, first, second)
        try await vdi.dataDestroy(first)
        let type = try await vdi.get(\.type, of: first)
        try Mismatch.unless(type == .cbtMetadata, "the type after VDI.data_destroy is \(type)")
        try await expectChanges(bench, first, second)
        try await vdi.disableCBT(disk)
        try await bench.expect(bench.pattern(2), on: disk, "the disk")
    }

    private static func expectChanges(_ bench: DiskBench, _ first: Ref<VDI>, _ second: Ref<VDI>) async throws {
        let text = try await bench.session.vdi.listChangedBlocks(first, vdiTo: second)
        guard let bitmap = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else {
            throw Mismatch("VDI.list_changed_blocks does not answer in base64")
        }
        let size = try await bench.size(of: second)
        if let block = ChangedBlocks(bitmap: Array(bitmap)).firstMissing(bench.pattern(1), bench.pattern(2)) {
            throw Mismatch("block \(block) of 64 KiB has changed and VDI.list_changed_blocks does not tell")
        }
        let blocks = (size + 65535) / 65536
        try Mismatch.unless(
            UInt64(bitmap.count) >= (blocks + 7) / 8, "\(bitmap.count) bytes for \(blocks) blocks of 64 KiB")
    }
}

/// The answer of `VDI.list_changed_blocks`: a bit for each 64 KiB, the first in the highest bit of the first byte.
struct ChangedBlocks: Hashable, Sendable {
    let bitmap: [UInt8]

    func contains(_ block: Int) -> Bool {
        block / 8 < bitmap.count && bitmap[block / 8] & (0x80 >> UInt8(block % 8)) != 0
    }

    /// The first block that differs between two contents and is not in the bitmap.
    func firstMissing(_ before: ContentPattern, _ after: ContentPattern) -> Int? {
        (0..<max(before.blocks, after.blocks)).first { block in
            let differs = before.bytes(ofBlock: block) != after.bytes(ofBlock: block)
            return differs && !contains(block)
        }
    }
}
