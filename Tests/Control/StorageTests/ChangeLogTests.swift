import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import StorageManagers
import TestSupport
import Testing

/// The file manager's logs of changed blocks through snapshots, reverts, growth, ends, and steps that were cut off.
@Suite struct ChangeLogTests {
    private let manager = FileStorageManager()
    private static let size: UInt64 = 4 << 20
    private static let disk = "0a1b2c3d-0000-4000-8000-0000000000ff"

    private func repository(_ folder: ScratchFolder) async throws -> StorageRepository {
        let sr = StorageRepository(
            uuid: "0a1b2c3d-0000-4000-8000-000000000001", deviceConfig: ["location": folder.path])
        try await manager.createRepository(sr)
        return sr
    }

    private func uuid(_ number: Int) -> String {
        "0a1b2c3d-0000-4000-9000-" + String(1_000_000_000_000 + number).suffix(12)
    }

    private func open(_ sr: StorageRepository, _ volume: Volume, writable: Bool) async throws -> any BlockDevice {
        let id = VolumeID(location: volume.location)
        let image: VolumeImage
        var policy = OpenPolicy.standalone
        switch try await manager.attachVolume(sr, id, writable: writable) {
        case .image(let path, let format): image = VolumeImage(path: path, format: format)
        case .chain(let top, let parents):
            image = top
            policy.parents = .given(parents.map { ImageReference(path: $0.path, format: $0.format) })
        case .nbd: throw StorageError(.general, "not here")
        }
        let device = try DiskImage.open(path: image.path, format: image.format, readOnly: !writable, policy: policy)
        guard writable, let log = try await manager.changeLog(sr, id) else { return device }
        return TrackedDevice(device, tracking: try ChangeTracking(path: log, size: device.size))
    }

    private func write(_ byte: UInt8, block: UInt64, in volume: Volume, _ sr: StorageRepository) async throws {
        let device = try await open(sr, volume, writable: true)
        let bytes = [UInt8](repeating: byte, count: 512)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: block * ChangeLog.block) }
        try device.close()
    }

    /// The first byte of each block.
    private func content(_ volume: Volume, _ sr: StorageRepository) async throws -> [UInt8] {
        let device = try await open(sr, volume, writable: false)
        defer { try? device.close() }
        var content: [UInt8] = []
        for block in 0..<device.size / ChangeLog.block {
            var bytes = [UInt8](repeating: 0, count: 512)
            // SAFETY: the array lives for the call.
            try unsafe bytes.withUnsafeMutableBytes { try unsafe device.read(into: $0, at: block * ChangeLog.block) }
            content.append(bytes[0])
        }
        return content
    }

    private func marks(_ volume: Volume, _ sr: StorageRepository) async throws -> Set<Int>? {
        guard let log = try await manager.changes(sr, VolumeID(location: volume.location), bitmap: true) else {
            return nil
        }
        return Set((0..<log.bitmap.count * 8).filter { log.bitmap[$0 / 8] >> UInt8($0 % 8) & 1 == 1 })
    }

    private func parent(_ volume: Volume, _ sr: StorageRepository) async throws -> String? {
        try await manager.changes(sr, VolumeID(location: volume.location), bitmap: false)?.parent
    }

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch { return error.fault.number }
    }

    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func aTrackedDiskLives(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("cbt")
        let sr = try await repository(folder)
        var disk = try await manager.createVolume(
            sr, NewVolume(uuid: Self.disk, size: Self.size, format: format))
        #expect(disk.isTracked == false)
        try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
        try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
        try await write(1, block: 1, in: disk, sr)
        #expect(try await marks(disk, sr) == [1])
        let first = try await manager.snapshotVolume(
            sr, VolumeID(location: disk.location), as: NewVolume(uuid: uuid(1)))
        disk = first.origin
        #expect(first.volume.isTracked == true && disk.isTracked == true)
        #expect(try await marks(first.volume, sr) == [1])
        #expect(try await marks(disk, sr) == [])
        #expect(try await parent(disk, sr) == uuid(1))
        try await write(2, block: 2, in: disk, sr)
        let second = try await manager.snapshotVolume(
            sr, VolumeID(location: disk.location), as: NewVolume(uuid: uuid(2)))
        disk = second.origin
        try await write(3, block: 3, in: disk, sr)
        #expect(try await marks(second.volume, sr) == [2])
        #expect(try await parent(second.volume, sr) == uuid(1))
        // A clone is a disk of its own.
        let clone = try await manager.cloneVolume(
            sr, VolumeID(location: second.volume.location), as: NewVolume(uuid: uuid(3)))
        #expect(clone.volume.isTracked == false)
        #expect(try await marks(clone.volume, sr) == nil)
        // The child is there for others who read the logs.
        #expect(try ChangeLogFile.readHeader(path: folder.file(uuid(1) + ".cbtlog")).child?.text == uuid(2))
        disk = try await manager.resizeVolume(sr, VolumeID(location: disk.location), size: 2 * Self.size)
        #expect(try await manager.changes(sr, VolumeID(location: disk.location), bitmap: false)?.size == 2 * Self.size)
        #expect(try await marks(disk, sr) == [3])
        // Back to the first: what differs from it is nothing.
        let oldest = try await manager.stat(sr, VolumeID(location: first.volume.location))
        do {
            disk = try await manager.revertVolume(
                sr, VolumeID(location: disk.location), to: VolumeID(location: oldest.location))
            #expect(try await marks(disk, sr) == [])
            #expect(try await parent(disk, sr) == uuid(1))
            #expect(try await content(disk, sr) == content(oldest, sr))
        } catch let error as StorageError where error.fault == .unimplemented {
            // A raw snapshot and a disk that has become qcow2. The log is as it was.
            #expect(try await marks(disk, sr) == [3])
        }
        // The data go, the log stays, a scan finds it, and it is no image.
        let left = try await manager.destroyVolumeData(sr, VolumeID(location: second.volume.location))
        #expect(left.location == uuid(2) + ".cbtlog" && left.isChangeLog && left.virtualSize == Self.size)
        #expect(try await marks(left, sr) == [2])
        let scan = try await manager.scan(sr)
        #expect(scan.problems == [:])
        #expect(scan.volumes.filter(\.isChangeLog) == [left])
        #expect(try await manager.present(sr, locations: [left.location]) == [left.location])
        #expect(try await manager.stat(sr, VolumeID(location: left.location)) == left)
        #expect(try await manager.chain(sr, VolumeID(location: left.location)) == [left])
        #expect(
            await fault { () async throws(StorageError) in
                _ = try await manager.attachVolume(sr, VolumeID(location: left.location), writable: false)
            } == 144)
        #expect(try await manager.destroyVolumeData(sr, VolumeID(location: left.location)) == left)
        try await manager.destroyVolume(sr, VolumeID(location: left.location))
        try await manager.disableChangeTracking(sr, VolumeID(location: disk.location))
        #expect(try await manager.stat(sr, VolumeID(location: disk.location)).isTracked == false)
        #expect(
            await fault { () async throws(StorageError) in
                _ = try await manager.destroyVolumeData(sr, VolumeID(location: clone.volume.location))
            } == 459)
        try await manager.destroyVolume(sr, VolumeID(location: first.volume.location))
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            #expect(!name.hasSuffix(".cbtlog"), "\(name)")
        }
    }

    /// Whatever is done in whatever order: the marks on the way from a snapshot to what came of it cover all that differs.
    @Test func marksCoverWhatDiffersInAnyHistory() async throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("cbt")
        let sr = try await repository(folder)
        var disk = try await manager.createVolume(
            sr, NewVolume(uuid: Self.disk, size: Self.size, format: .qcow2))
        try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
        var snapshots: [Volume] = []
        var contents: [String: [UInt8]] = [:]
        for step in 0..<30 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                try await write(
                    UInt8.random(in: 1...255, using: &random),
                    block: UInt64.random(in: 0..<disk.virtualSize / ChangeLog.block, using: &random), in: disk, sr)
            case 3:
                let made = try await manager.snapshotVolume(
                    sr, VolumeID(location: disk.location), as: NewVolume(uuid: uuid(step)))
                disk = made.origin
                snapshots.append(made.volume)
                contents[made.volume.uuid] = try await content(made.volume, sr)
            case 4:
                guard let chosen = snapshots.randomElement(using: &random), !chosen.isChangeLog else { continue }
                disk = try await manager.revertVolume(
                    sr, VolumeID(location: disk.location), to: VolumeID(location: chosen.location))
            default:
                if Bool.random(using: &random) {
                    disk = try await manager.resizeVolume(
                        sr, VolumeID(location: disk.location), size: disk.virtualSize + 65536 * 3)
                } else if let index = snapshots.indices.randomElement(using: &random) {
                    snapshots[index] = try await manager.destroyVolumeData(
                        sr, VolumeID(location: snapshots[index].location))
                }
            }
            contents[disk.uuid] = try await content(disk, sr)
            for volume in snapshots + [disk] {
                var (marked, next): (Set<Int>, Volume?) = ([], volume)
                while let current = next {
                    guard let own = try await marks(current, sr) else { throw StorageError(.general, "no log") }
                    marked.formUnion(own)
                    let below = try await parent(current, sr)
                    next = snapshots.first { $0.uuid == below }
                    guard let earlier = next.flatMap({ contents[$0.uuid] }), let later = contents[volume.uuid] else {
                        continue
                    }
                    for block in later.indices where later[block] != (block < earlier.count ? earlier[block] : 0) {
                        #expect(marked.contains(block), "step \(step), block \(block)")
                    }
                }
            }
        }
    }

    /// A snapshot that was cut off at any step leaves a disk whose log covers what it is relative to.
    @Test func aSnapshotThatIsCutOffIsFinishedOrUndone() async throws {
        for hasImage in [false, true] {
            let folder = try ScratchFolder("cbt")
            let sr = try await repository(folder)
            let disk = try await manager.createVolume(
                sr, NewVolume(uuid: Self.disk, size: Self.size, format: .qcow2))
            try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
            try await write(1, block: 1, in: disk, sr)
            let (own, other) = (folder.file(Self.disk + ".cbtlog"), folder.file(uuid(1) + ".cbtlog"))
            // As after its steps 1 and 2, and 3.
            try ChangeLogFile.create(
                path: folder.file(".gantry-log-" + Self.disk), ChangeLog(size: Self.size, parent: DiskID(uuid(1))))
            try FileManager.default.linkItem(atPath: own, toPath: other)
            if hasImage {
                try FileManager.default.copyItem(
                    atPath: folder.file(Self.disk + ".qcow2"), toPath: folder.file(uuid(1) + ".qcow2"))
            }
            #expect(try await manager.scan(sr).volumes.filter(\.isChangeLog) == [])
            // The disk is in use again before anybody looks.
            try await write(2, block: 2, in: disk, sr)
            try await manager.attach(sr)
            #expect(!FileManager.default.fileExists(atPath: folder.file(".gantry-log-" + Self.disk)))
            #expect(try await marks(disk, sr)?.isSuperset(of: [2]) == true)
            #expect(FileManager.default.fileExists(atPath: other) == hasImage)
            #expect(try await parent(disk, sr) == (hasImage ? uuid(1) : nil))
        }
    }

    /// One log that is damaged, or cannot be finished, keeps nobody from the SR.
    @Test func aDamagedLogOfASnapshotThatWasCutOffEndsTrackingOnly() async throws {
        let folder = try ScratchFolder("cbt")
        let sr = try await repository(folder)
        let disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: Self.size, format: .qcow2))
        let (own, other) = (folder.file(Self.disk + ".cbtlog"), folder.file(uuid(1) + ".cbtlog"))
        let note = folder.file(".gantry-log-" + Self.disk)
        try ChangeLogFile.create(path: note, ChangeLog(size: Self.size, parent: DiskID(uuid(1))))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: own))
        try FileManager.default.linkItem(atPath: own, toPath: other)
        try FileManager.default.copyItem(
            atPath: folder.file(Self.disk + ".qcow2"), toPath: folder.file(uuid(1) + ".qcow2"))
        #expect(try await manager.scan(sr).problems.keys.sorted() == [".gantry-log-" + Self.disk])
        try await manager.attach(sr)
        for path in [own, other, note] { #expect(!FileManager.default.fileExists(atPath: path), "\(path)") }
        let scan = try await manager.scan(sr)
        #expect(scan.problems.isEmpty)
        #expect(!scan.volumes.contains { $0.isTracked == true })
        #expect(try await manager.stat(sr, VolumeID(location: disk.location)).isTracked == false)
    }

    /// A revert may fail after the disk has got what the snapshot holds: the marks that were made for it stay.
    @Test func aRevertThatFailsLeavesAllBlocksMarked() async throws {
        let folder = try ScratchFolder("cbt")
        let sr = try await repository(folder)
        let disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: Self.size, format: .qcow2))
        try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
        let made = try await manager.snapshotVolume(
            sr, VolumeID(location: disk.location), as: NewVolume(uuid: uuid(1)))
        try await write(1, block: 1, in: disk, sr)
        #expect(try await marks(disk, sr) == [1])
        let reader = try await open(sr, disk, writable: false)
        #expect(
            await fault { () async throws(StorageError) in
                _ = try await manager.revertVolume(
                    sr, VolumeID(location: disk.location), to: VolumeID(location: made.volume.location))
            } != 0)
        try reader.close()
        #expect(try await marks(disk, sr)?.count == Int(Self.size / ChangeLog.block))
    }

    @Test func aDamagedLogEndsTrackingAndNotTheDisk() async throws {
        let folder = try ScratchFolder("cbt")
        let sr = try await repository(folder)
        let disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: Self.size, format: .vhd))
        try await manager.enableChangeTracking(sr, VolumeID(location: disk.location))
        let log = folder.file(Self.disk + ".cbtlog")
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: log))
        #expect(
            await fault { () async throws(StorageError) in
                _ = try await manager.changes(sr, VolumeID(location: disk.location), bitmap: true)
            } == 459)
        #expect(try await manager.changeLog(sr, VolumeID(location: disk.location)) == nil)
        #expect(!FileManager.default.fileExists(atPath: log))
        #expect(try await manager.stat(sr, VolumeID(location: disk.location)).isTracked == false)
        // A damaged log of a snapshot without data is named, and no volume.
        try Data([1]).write(to: URL(fileURLWithPath: folder.file(uuid(9) + ".cbtlog")))
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.map(\.uuid) == [Self.disk])
        #expect(scan.problems.keys.sorted() == [uuid(9) + ".cbtlog"])
    }
}
