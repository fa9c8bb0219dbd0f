import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import StorageManagers
import TestSupport
import Testing

/// Snapshots, clones and reverts of the file manager, on a file system of whatever abilities. A file system that shares
/// blocks makes no chains: what is said of those holds where there are any.
@Suite struct SnapshotTests {
    private let manager = FileStorageManager()
    private static let disk = "0a1b2c3d-0000-4000-8000-0000000000ff"

    private func repository(_ folder: ScratchFolder) async throws -> StorageRepository {
        let sr = StorageRepository(
            uuid: "0a1b2c3d-0000-4000-8000-000000000001", deviceConfig: ["location": folder.path])
        try await manager.createRepository(sr)
        return sr
    }

    private func open(
        _ sr: StorageRepository, _ volume: String, writable: Bool, inEpoch: Bool = false
    ) async throws -> any BlockDevice {
        var id = VolumeID(location: volume)
        id.isInEpoch = inEpoch
        switch try await manager.attachVolume(sr, id, writable: writable) {
        case .image(let path, let format):
            return try DiskImage.open(path: path, format: format, readOnly: !writable)
        case .chain(let image, let parents):
            var policy = OpenPolicy.standalone
            policy.parents = .given(parents.map { ImageReference(path: $0.path, format: $0.format) })
            return try DiskImage.open(path: image.path, format: image.format, readOnly: !writable, policy: policy)
        case .nbd: throw StorageError(.general, "not here")
        }
    }

    private func write(
        _ byte: UInt8, at offset: UInt64, in volume: String, _ sr: StorageRepository, inEpoch: Bool = false
    ) async throws {
        let device = try await open(sr, volume, writable: true, inEpoch: inEpoch)
        let bytes = [UInt8](repeating: byte, count: 4096)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: offset) }
        try device.flush()
        try device.close()
    }

    private func byte(
        at offset: UInt64, of volume: String, _ sr: StorageRepository, inEpoch: Bool = false
    ) async throws -> UInt8 {
        let device = try await open(sr, volume, writable: inEpoch, inEpoch: inEpoch)
        var bytes = [UInt8](repeating: 0xEE, count: 512)
        // SAFETY: the array lives for the call.
        try unsafe bytes.withUnsafeMutableBytes { try unsafe device.read(into: $0, at: offset) }
        try device.close()
        #expect(Set(bytes).count == 1)
        return bytes[0]
    }

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch { return error.fault.number }
    }

    private func uuid(_ number: Int) -> String {
        "0a1b2c3d-0000-4000-9000-" + String(1_000_000_000_00 + number).suffix(12)
    }

    /// What is written in an epoch is there for its length, and never in the disk; no scan sees it, and it goes with the disk.
    @Test(arguments: ImageFormat.allCases)
    func anEpochBeginsWithTheDiskAndLeavesNothingInIt(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("epoch")
        let sr = try await repository(folder)
        var disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 8 << 20, format: format))
            .location
        let id = { VolumeID(location: disk) }
        try await write(1, at: 0, in: disk, sr)
        // A chain below, where the file system makes one.
        let new = NewVolume(uuid: uuid(1))
        disk = try await manager.snapshotVolume(sr, id(), as: new).origin.location
        #expect(await fault { () throws(StorageError) in _ = try await inEpoch(sr, disk) } == 46)
        try await manager.beginEpoch(sr, id())
        try await write(2, at: 4096, in: disk, sr, inEpoch: true)
        try await write(3, at: 0, in: disk, sr, inEpoch: true)
        #expect(try await byte(at: 0, of: disk, sr, inEpoch: true) == 3)
        #expect(try await byte(at: 4096, of: disk, sr, inEpoch: true) == 2)
        #expect(try await [byte(at: 0, of: disk, sr), byte(at: 4096, of: disk, sr)] == [1, 0])
        let scan = try await manager.scan(sr)
        #expect(scan.problems.isEmpty && scan.volumes.count { !$0.isHidden } == 2)
        // A new toolstack keeps it; the next boot does not.
        try await manager.attach(sr)
        #expect(try await byte(at: 0, of: disk, sr, inEpoch: true) == 3)
        try await manager.beginEpoch(sr, id())
        #expect(try await byte(at: 0, of: disk, sr, inEpoch: true) == 1)
        try await manager.endEpoch(sr, id())
        try await manager.endEpoch(sr, id())
        #expect(await fault { () throws(StorageError) in _ = try await inEpoch(sr, disk) } == 46)
        try await manager.beginEpoch(sr, id())
        try await manager.destroyVolume(sr, id())
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!left.contains { $0.hasPrefix(".gantry-epoch-") }, "\(left)")
    }

    private func inEpoch(_ sr: StorageRepository, _ volume: String) async throws(StorageError) -> VolumeAccess {
        var id = VolumeID(location: volume)
        id.isInEpoch = true
        return try await manager.attachVolume(sr, id, writable: true)
    }

    /// As under a paused data path: in place, whatever it stands on.
    @Test(arguments: ImageFormat.allCases)
    func anAttachedVolumeGrowsInPlace(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("grow")
        let sr = try await repository(folder)
        var disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 8 << 20, format: format))
            .location
        try await write(1, at: 0, in: disk, sr)
        for size: UInt64 in [16 << 20, 16 << 20, 24 << 20] {
            let grown = try await manager.growAttachedVolume(sr, VolumeID(location: disk), size: size)
            #expect(grown.virtualSize == size && grown.location == disk)
            #expect(try await byte(at: 0, of: disk, sr) == 1)
            #expect(try await byte(at: size - 512, of: disk, sr) == 0)
            disk = try await manager.snapshotVolume(
                sr, VolumeID(location: disk), as: NewVolume(uuid: UUID().uuidString.lowercased())
            ).origin.location
        }
        let location = disk
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.growAttachedVolume(sr, VolumeID(location: location), size: 8 << 20)
            } == 79)
        // Not behind somebody's back.
        let user = try await open(sr, disk, writable: true)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.growAttachedVolume(sr, VolumeID(location: location), size: 32 << 20)
            } == 24)
        try user.close()
    }

    @Test(arguments: ImageFormat.allCases)
    func aSnapshotKeepsWhatTheDiskHeld(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        var disk = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 8 << 20, format: format))
            .location
        try await write(1, at: 0, in: disk, sr)
        let first = try await manager.snapshotVolume(sr, VolumeID(location: disk), as: NewVolume(uuid: uuid(1)))
        disk = first.origin.location
        #expect(first.volume.virtualSize == 8 << 20 && first.origin.virtualSize == 8 << 20 && !first.volume.isHidden)
        try await write(2, at: 0, in: disk, sr)
        let second = try await manager.snapshotVolume(sr, VolumeID(location: disk), as: NewVolume(uuid: uuid(2)))
        try await write(3, at: 0, in: disk, sr)
        let clone = try await manager.cloneVolume(
            sr, VolumeID(location: first.volume.location), as: NewVolume(uuid: uuid(3)))
        try await write(4, at: 4096, in: clone.volume.location, sr)
        #expect(try await byte(at: 0, of: disk, sr) == 3)
        #expect(try await byte(at: 0, of: second.volume.location, sr) == 2)
        #expect(try await byte(at: 0, of: first.volume.location, sr) == 1)
        #expect(try await byte(at: 0, of: clone.volume.location, sr) == 1)
        #expect(try await byte(at: 4096, of: first.volume.location, sr) == 0)

        // What has grown and holds nothing of its own is snapshotted as it is; what others stand on stays.
        let grown = try await manager.cloneVolume(
            sr, VolumeID(location: first.volume.location), as: NewVolume(uuid: uuid(4)))
        _ = try await manager.resizeVolume(sr, VolumeID(location: grown.volume.location), size: 10 << 20)
        let larger = try await manager.snapshotVolume(
            sr, VolumeID(location: grown.volume.location), as: NewVolume(uuid: uuid(5)))
        #expect(larger.volume.virtualSize == 10 << 20)
        #expect(try await byte(at: 0, of: larger.volume.location, sr) == 1)
        #expect(try await byte(at: 9 << 20, of: larger.volume.location, sr) == 0)
        for node in try await manager.scan(sr).volumes where node.isHidden {
            #expect(
                await fault { () throws(StorageError) in
                    try await manager.destroyVolume(sr, VolumeID(location: node.location))
                } == 80)
        }
        try await manager.destroyVolume(sr, VolumeID(location: larger.volume.location))
        try await manager.destroyVolume(sr, VolumeID(location: larger.origin.location))

        // What is listed agrees; only the disks are shown as such.
        let found = try await manager.scan(sr)
        #expect(found.problems.isEmpty)
        let shown = found.volumes.filter { !$0.isHidden }.map(\.uuid)
        #expect(Set(shown) == [Self.disk, uuid(1), uuid(2), uuid(3)] && shown.count == 4)
        for volume in found.volumes {
            if let parent = volume.parentUUID {
                #expect(found.volumes.first { $0.uuid == parent }?.isHidden == true)
            }
        }

        // The disk grows on its parents, and goes back to what it was.
        #expect(
            try await manager.resizeVolume(sr, VolumeID(location: disk), size: 12 << 20).virtualSize == 12 << 20)
        #expect(try await byte(at: 0, of: disk, sr) == 3)
        #expect(try await byte(at: 11 << 20, of: disk, sr) == 0)
        let reverted = try await manager.revertVolume(
            sr, VolumeID(location: disk), to: VolumeID(location: first.volume.location))
        #expect(reverted.virtualSize == 8 << 20)
        #expect(try await byte(at: 0, of: reverted.location, sr) == 1)
        try await write(5, at: 0, in: reverted.location, sr)
        #expect(try await byte(at: 0, of: first.volume.location, sr) == 1)

        // With the last disk that stands on it, every base goes.
        for volume in [clone.volume, second.volume, first.volume, reverted] {
            try await manager.destroyVolume(sr, VolumeID(location: volume.location))
        }
        #expect(try await manager.scan(sr).volumes == [])
        try await manager.destroyRepository(sr)
        #expect(try folder.contents() == [])
    }

    @Test func aRawDiskIsFoundUnderItsOldNameAfterASnapshot() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 1 << 20, format: .raw))
        try await write(7, at: 0, in: made.location, sr)
        let derived = try await manager.snapshotVolume(
            sr, VolumeID(location: made.location), as: NewVolume(uuid: uuid(1)))
        // Whoever noted the old place, and was cut off before noting the new one.
        #expect(try await manager.stat(sr, VolumeID(location: made.location)) == derived.origin)
        #expect(try await byte(at: 0, of: made.location, sr) == 7)
        try await manager.destroyVolume(sr, VolumeID(location: made.location))
        #expect(try await byte(at: 0, of: derived.volume.location, sr) == 7)
        #expect(try await manager.scan(sr).volumes.filter { !$0.isHidden }.map(\.uuid) == [uuid(1)])
    }

    /// The states that a crash leaves, made by hand, and the same twice: nothing but the leftovers goes.
    @Test func whatACutOffSnapshotLeftIsRemovedAndNothingElse() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 1 << 20, format: .raw))
        try await write(7, at: 0, in: made.location, sr)
        let base = uuid(9) + ".base.raw"
        // After step 1: a second name.
        try FileManager.default.linkItem(atPath: folder.file(made.location), toPath: folder.file(base))
        try await manager.attach(sr)
        #expect(!FileManager.default.fileExists(atPath: folder.file(base)))
        #expect(try await byte(at: 0, of: made.location, sr) == 7)
        // After step 2: the disk is the image over the base, and its old name is left.
        try FileManager.default.linkItem(atPath: folder.file(made.location), toPath: folder.file(base))
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: base, format: .raw)
        try DiskImage.create(
            path: folder.file(Self.disk + ".qcow2"), format: .qcow2, size: 1 << 20, options: options
        ).close()
        #expect(try await manager.scan(sr).volumes.filter { !$0.isHidden }.map(\.location) == [Self.disk + ".qcow2"])
        try await write(8, at: 4096, in: made.location, sr)
        try await manager.attach(sr)
        #expect(!FileManager.default.fileExists(atPath: folder.file(made.location)))
        #expect(try await byte(at: 0, of: Self.disk + ".qcow2", sr) == 7)
        #expect(try await byte(at: 4096, of: Self.disk + ".qcow2", sr) == 8)
        // A base that nothing stands on goes, unless there is an image that cannot be read: that may stand on it.
        try Data("raw".utf8).write(to: URL(fileURLWithPath: folder.file(uuid(8) + ".base.raw")))
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: folder.file(uuid(7) + ".qcow2")))
        try await manager.attach(sr)
        #expect(FileManager.default.fileExists(atPath: folder.file(uuid(8) + ".base.raw")))
        try FileManager.default.removeItem(atPath: folder.file(uuid(7) + ".qcow2"))
        try await manager.attach(sr)
        #expect(!FileManager.default.fileExists(atPath: folder.file(uuid(8) + ".base.raw")))
        #expect(FileManager.default.fileExists(atPath: folder.file(base)))
        #expect(try await byte(at: 0, of: Self.disk + ".qcow2", sr) == 7)
    }

    @Test func twoImagesOfOneDiskAreNotGuessedAt() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 2 << 20, format: .qcow2))
        try DiskImage.create(path: folder.file(Self.disk + ".vhd"), format: .vhd, size: 2 << 20).close()
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.stat(sr, VolumeID(location: made.location))
            } == 46)
        #expect(Set(try await manager.scan(sr).problems.keys) == [made.location, Self.disk + ".vhd"])
    }

    @Test func aDiskInUseIsNotSnapshottedBehindItsUser() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 2 << 20, format: .qcow2))
        let device = try await open(sr, made.location, writable: true)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.snapshotVolume(
                    sr, VolumeID(location: made.location), as: NewVolume(uuid: uuid(1)))
            } == 24)
        try device.close()
        #expect(try await manager.scan(sr).volumes.map(\.location) == [made.location])
    }

    @Test(arguments: [ImageFormat.vhd])
    func aChainEndsAtThirtyImages(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 2 << 20, format: format))
        var number = 0
        var result = 0
        while result == 0, number < 40 {
            number += 1
            try await write(UInt8(number), at: 0, in: made.location, sr)
            result = await fault { () throws(StorageError) in
                _ = try await manager.snapshotVolume(
                    sr, VolumeID(location: made.location), as: NewVolume(uuid: uuid(number)))
            }
        }
        // No chain, and no end, where blocks are shared.
        let isChained = try await manager.scan(sr).volumes.contains { $0.isHidden }
        #expect(isChained ? result == 109 && number == 30 : result == 0)
        #expect(try await byte(at: 0, of: made.location, sr) == UInt8(number))
        #expect(try await byte(at: 0, of: "\(uuid(1)).\(format.rawValue)", sr) == 1)
    }

    /// 100 GiB of virtual disk cost nothing.
    @Test(arguments: ImageFormat.allCases)
    func aLargeDiskIsNotReadForASnapshot(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 100 << 30, format: format))
        try await write(1, at: 99 << 30, in: made.location, sr)
        let snapshot = try await manager.snapshotVolume(
            sr, VolumeID(location: made.location), as: NewVolume(uuid: uuid(1)))
        let clone = try await manager.cloneVolume(
            sr, VolumeID(location: snapshot.volume.location), as: NewVolume(uuid: uuid(2)))
        #expect(try await byte(at: 99 << 30, of: clone.volume.location, sr) == 1)
        #expect(clone.volume.physicalSize < 4 << 20)
    }

    /// Images that others made, without a mark: what one stands on is neither destroyed nor written to, and two images of
    /// one name are not judged by anything but a base of ours.
    @Test func whatAnUnmarkedImageStandsOnStays() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let parent = try await manager.createVolume(sr, NewVolume(uuid: uuid(1), size: 4 << 20, format: .qcow2))
        let child = "\(uuid(2)).qcow2"
        try Tool.check(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-b", folder.file(parent.location), "-F", "qcow2", folder.file(child)])
        let below = VolumeID(location: parent.location)
        #expect(await fault { () throws(StorageError) in try await manager.destroyVolume(sr, below) } == 80)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.attachVolume(sr, below, writable: true)
            } == 46)
        _ = try await manager.attachVolume(sr, below, writable: false)
        // A raw disk and an image over it, of one uuid: nobody's leftovers.
        let raw = try await manager.createVolume(sr, NewVolume(uuid: uuid(3), size: 4 << 20, format: .raw))
        let double = "\(uuid(3)).qcow2"
        try Tool.check(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-b", folder.file(raw.location), "-F", "raw", folder.file(double)])
        try await manager.attach(sr)
        for name in [parent.location, child, raw.location, double] {
            #expect(FileManager.default.fileExists(atPath: folder.file(name)), "\(name)")
        }
        try await manager.destroyVolume(sr, VolumeID(location: child))
        try await manager.destroyVolume(sr, below)
    }

    /// Disks that stand on common bases come and go at once; each that is left holds what it held.
    @Test func disksComeAndGoBesideSnapshots() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let disks = (0..<4).map { uuid(100 + $0) + ".qcow2" }
        for (number, disk) in disks.enumerated() {
            _ = try await manager.createVolume(
                sr, NewVolume(uuid: String(disk.dropLast(6)), size: 4 << 20, format: .qcow2))
            try await write(UInt8(number + 1), at: 0, in: disk, sr)
        }
        try await withThrowingTaskGroup { group in
            for (number, disk) in disks.enumerated() {
                group.addTask { [manager] in
                    for round in 0..<4 {
                        let snapshot = NewVolume(uuid: uuid(1000 + number * 10 + round))
                        let made = try await manager.snapshotVolume(sr, VolumeID(location: disk), as: snapshot)
                        try await write(UInt8(round), at: 8192, in: disk, sr)
                        try await manager.destroyVolume(sr, VolumeID(location: made.volume.location))
                    }
                }
            }
            try await group.waitForAll()
        }
        for (number, disk) in disks.enumerated() {
            #expect(try await byte(at: 0, of: disk, sr) == UInt8(number + 1))
            #expect(try await byte(at: 8192, of: disk, sr) == 3)
        }
    }

    /// Old names of a disk's image, which an operation that was cut off left, go with the disk and do not come back as one.
    @Test func allNamesOfADisksImageGoWithIt() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let raw = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 1 << 20, format: .raw)).location
        try await write(1, at: 0, in: raw, sr)
        let taken = try await manager.snapshotVolume(sr, VolumeID(location: raw), as: NewVolume(uuid: uuid(1)))
        if let base = taken.base {
            try FileManager.default.linkItem(atPath: folder.file(base.location), toPath: folder.file(raw))
            try await manager.destroyVolume(sr, VolumeID(location: taken.origin.location))
            #expect(try await manager.scan(sr).volumes.map(\.uuid).sorted() == [uuid(1), base.uuid].sorted())
        } else {
            try await manager.destroyVolume(sr, VolumeID(location: raw))
        }
        try await manager.destroyVolume(sr, VolumeID(location: taken.volume.location))
        #expect(try folder.contents() == [".gantry-sr"])

        let second = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 1 << 20, format: .raw))
            .location
        try FileManager.default.linkItem(
            atPath: folder.file(second), toPath: folder.file("\(uuid(2)).base.raw"))
        try await manager.destroyVolume(sr, VolumeID(location: second))
        #expect(try folder.contents() == [".gantry-sr"])
    }

    /// The disk is what it was when its snapshot cannot be made.
    @Test func aSnapshotThatFailsLeavesTheDiskAsItWas() async throws {
        let folder = try ScratchFolder("snap")
        let sr = try await repository(folder)
        let raw = try await manager.createVolume(sr, NewVolume(uuid: Self.disk, size: 1 << 20, format: .raw)).location
        try await write(7, at: 4096, in: raw, sr)
        // In the way of the snapshot's own image; the disk's overlay is made before it.
        let obstacle = folder.file(".gantry-new-\(uuid(1)).qcow2")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        let number = await fault { () throws(StorageError) in
            _ = try await manager.snapshotVolume(sr, VolumeID(location: raw), as: NewVolume(uuid: uuid(1)))
        }
        try FileManager.default.removeItem(atPath: obstacle)
        if number == 0 { return }
        #expect(number == 82)
        #expect(try folder.contents().sorted() == [".gantry-sr", raw])
        #expect(try await byte(at: 4096, of: raw, sr) == 7)
        let chain = try await manager.chain(sr, VolumeID(location: raw))
        #expect(chain.map(\.location) == [raw])
        let taken = try await manager.snapshotVolume(sr, VolumeID(location: raw), as: NewVolume(uuid: uuid(1)))
        let below = try await manager.chain(sr, VolumeID(location: taken.volume.location))
        #expect(below.map(\.location) == [taken.volume.location, taken.base?.location] && below[1].isHidden)
    }
}
