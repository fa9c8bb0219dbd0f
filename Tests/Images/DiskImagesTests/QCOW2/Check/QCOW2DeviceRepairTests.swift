import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Repairs of images on block devices, which do not become longer.
@Suite struct QCOW2DeviceRepairTests {
    struct Damage: CustomTestStringConvertible, Sendable {
        let name: String
        let make: @Sendable (ImageUnderKnife) throws -> Void
        var testDescription: String { name }
    }

    private static let damages = [
        Damage(name: "no refcounts") { image in
            let length = Int(image.header.refcountTableClusters) * Int(image.cluster)
            try image.store.store([UInt8](repeating: 0, count: length), at: image.header.refcountTableOffset)
        },
        Damage(name: "a refcount block that is none") { image in
            try image.set(image.header.refcountTableOffset, image.block() + 8)
        },
        Damage(name: "a snapshot that ends past the end") { image in
            let records = try QCOW2SnapshotRecords(
                storage: image.store, offset: image.header.snapshotsOffset, count: 1, fileSize: image.store.size())
            try image.store.store([0xFF, 0xFF, 0xFF, 0xFF], at: image.header.snapshotsOffset + records.length + 36)
        },
    ]

    /// The image at the beginning of a device, with `room` bytes of something else behind.
    private func onDevice(_ bytes: [UInt8], room: Int) throws -> ImageUnderKnife {
        let image = try ImageUnderKnife(bytes)
        let whole = (bytes.count + Int(image.cluster) - 1) / Int(image.cluster) * Int(image.cluster)
        let device = try ImageUnderKnife(bytes + [UInt8](repeating: 0xDD, count: whole - bytes.count + room))
        device.store.isBlockDevice = true
        return device
    }

    private func content(_ store: StoreInMemory) throws -> [UInt8] {
        let image = try QCOW2Image.open(storage: store, readOnly: true)
        defer { try? image.close() }
        return try image.bytes(0, Int(image.size))
    }

    @Test("what is written anew on a device lies inside of it (case 3.14)", arguments: damages)
    func whatIsWrittenAnewOnADeviceLiesInside(_ damage: Damage) throws {
        let folder = try ScratchFolder("device-repair")
        let bytes = try QemuSample.rich.make(folder)
        let image = try onDevice(bytes, room: 2 << 20)
        let shown = try content(image.store)
        try damage.make(image)
        let repaired = try image.check(.all)
        #expect(repaired.isClean && repaired.corruptionsRepaired > 0, "\(repaired.findings.prefix(5))")
        #expect(try content(image.store) == shown)
        // It can be written, and what is written lies inside, too.
        let open = try QCOW2Image.open(storage: image.store, readOnly: false)
        try open.store([UInt8](repeating: 5, count: 300_000), 0)
        try open.close()
        #expect(try image.check().isClean)
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    /// An image with two snapshots that ends where a device does, and has nothing free inside.
    private func fullDevice() throws -> ImageUnderKnife {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 4 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 7, count: 2 << 20), 0)
        for name in ["a", "b"] { _ = try image.createSnapshot(name: name) }
        try image.close()
        for number in 0..<40 {
            let checker = try QCOW2Checker(storage: store, cancellation: CancellationFlag())
            try checker.run()
            let end = Int(try #require(checker.highestCluster) + 1) * 4096
            let device = StoreInMemory(Array((store.bytes + [UInt8](repeating: 0, count: 4096)).prefix(end)))
            device.isBlockDevice = true
            let looked = try QCOW2Checker(storage: device, cancellation: CancellationFlag())
            try looked.run()
            if looked.gaps.isEmpty {
                let knife = try ImageUnderKnife(device.bytes)
                knife.store.isBlockDevice = true
                return knife
            }
            // The snapshots keep what is there, so another cluster is taken.
            let more = try QCOW2Image.open(storage: store, readOnly: false)
            try more.store([UInt8](repeating: 9, count: 4096), number << 12)
            try more.close()
        }
        throw Tool.Failure(description: "the image is never full")
    }

    @Test("without room nothing is written, and the error says where there is some (case 3.14)", arguments: damages)
    func withoutRoomNothingIsWritten(_ damage: Damage) throws {
        let full = try fullDevice()
        try damage.make(full)
        let before = full.store.bytes
        let error = #expect(throws: BlockError.self) { try full.check(.all) }
        #expect(error?.code == .noSpace && error?.message.contains("larger device") == true, "\(error as Any)")
        #expect(full.store.bytes == before)
    }

    @Test("what counts the tables that move has room beforehand, too (case 3.14)")
    func whatCountsTheTablesThatMoveHasRoomToo() throws {
        let image = try onDevice(QemuSample.rich.make(ScratchFolder("device-moved")), room: 2 << 20)
        let plan = try QCOW2Checker(storage: image.store, cancellation: CancellationFlag())
        try plan.run()
        let start = try #require(plan.highestCluster) + 1
        func hasRoom(_ clusters: UInt64, _ moved: Set<Int>) throws -> Bool {
            let checker = try QCOW2Checker(storage: image.store, cancellation: CancellationFlag())
            let free = QCOW2FreeRuns(tail: ClusterRun(start: start, count: clusters))
            do throws(BlockError) {
                _ = try QCOW2RefcountRebuild(checker, plan: plan, free: free, moved: moved)
                return true
            } catch {
                #expect(error.code == .noSpace)
                return false
            }
        }
        let enough = try #require((1...32 as ClosedRange<UInt64>).first { try hasRoom($0, []) })
        let moved = Int(plan.geometry.blockIndex(cluster: start)) + 5
        #expect(try !hasRoom(enough, [moved]) && hasRoom(enough + 1, [moved]))
    }

    /// A device that was in use for long has its last cluster at its end, whatever is free.
    @Test("what is free in between is used where the end is taken (case 3.14)")
    func whatIsFreeInBetweenIsUsed() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 4 << 20, clusterBits: 9)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 7, count: 2 << 20), 0)
        for index in 0..<60 as Range<UInt64> { try image.discard(at: index * 12288, length: 1536) }
        try image.close()
        let shown = try content(store)
        let report = try ImageUnderKnife(store.bytes).check()
        let device = try ImageUnderKnife(Array(store.bytes.prefix(Int(report.imageEnd))))
        device.store.isBlockDevice = true
        let length = device.store.bytes.count
        try Self.damages[0].make(device)
        let repaired = try device.check(.all)
        #expect(repaired.isClean && repaired.corruptionsRepaired > 0, "\(repaired.findings.prefix(5))")
        #expect(try content(device.store) == shown && device.store.bytes.count == length)
        let folder = try ScratchFolder("device-gaps")
        let verdict = try device.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    /// What a power cut leaves of lazy refcounts: clusters of which no block knows.
    @Test("an image with lazy refcounts is opened again on a device (cases 3.22, 4.18)", arguments: [9, 12])
    func anImageWithLazyRefcountsIsOpenedAgainOnADevice(_ clusterBits: Int) throws {
        let store = StoreInMemory([UInt8](repeating: 0xDD, count: 24 << 20))
        store.isBlockDevice = true
        var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
        options.lazyRefcounts = true
        try QCOW2Image.create(storage: store, size: 16 << 20, options: options)
        let first = try QCOW2Image.open(storage: store, readOnly: false)
        try first.store([UInt8](repeating: 7, count: 9 << 20), 0)
        try first.flush()
        // It dies: what the last barrier covers is there.
        let left = StoreInMemory(store.bytes)
        left.isBlockDevice = true
        try first.close()
        #expect(left.bytes[79] == 1, "dirty")
        let again = try QCOW2Image.open(storage: left, readOnly: false)
        try again.store([UInt8](repeating: 8, count: 1 << 20), 10 << 20)
        let isThere = try again.bytes(0, 9 << 20).allSatisfy { $0 == 7 }
        #expect(isThere)
        try again.close()
        #expect(try ImageUnderKnife(left.bytes).check().isClean)
    }
}
