import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@Suite struct FileStorageManagerTests {
    private let manager = FileStorageManager()
    private let uuid = "0a1b2c3d-0000-4000-8000-000000000001"
    private let volume = "0a1b2c3d-0000-4000-8000-0000000000ff"

    private func repository(_ path: String, uuid: String? = nil) -> StorageRepository {
        StorageRepository(uuid: uuid ?? self.uuid, deviceConfig: ["location": path])
    }

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch {
            return error.fault.number
        }
    }

    @Test(arguments: ImageFormat.allCases)
    func aVolumeIsMadeFoundGrownAndDestroyed(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        let made = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 4 << 20, format: format))
        #expect(made.virtualSize == 4 << 20 && made.format == format && made.location == "\(volume).\(format.rawValue)")
        #expect(try await manager.scan(sr).volumes == [made])
        #expect(
            try await manager.resizeVolume(sr, VolumeID(location: made.location), size: 8 << 20)
                .virtualSize == 8 << 20)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 4 << 20, format: format))
            } == 43)
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(sr) } == 39)
        let asked = [made.location, "../\(made.location)", "f\(made.location.dropFirst())", "", "/etc/passwd"]
        #expect(try await manager.present(sr, locations: asked) == [made.location])
        try await manager.destroyVolume(sr, VolumeID(location: made.location))
        try await manager.destroyVolume(sr, VolumeID(location: made.location))
        try await manager.destroyRepository(sr)
        #expect(try folder.contents() == [])
    }

    @Test func aFolderBelongsToOneRepository() async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        let other = repository(folder.path, uuid: "0a1b2c3d-0000-4000-8000-000000000002")
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(other) } == 42)
        #expect(await fault { () throws(StorageError) in try await manager.attach(other) } == 47)
        try await manager.attach(sr)
    }

    @Test func placesThatCannotBeARepositoryAreRefused() async throws {
        let folder = try ScratchFolder("sr")
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder.file("something")))
        #expect(
            await fault { () throws(StorageError) in try await manager.createRepository(repository(folder.path)) } == 42
        )
        #expect(
            await fault { () throws(StorageError) in try await manager.createRepository(repository("relative")) } == 1)
        #expect(
            await fault { () throws(StorageError) in try await manager.createRepository(repository(folder.file("a/b")))
            } == 61)
        let missing = StorageRepository(uuid: uuid, deviceConfig: [:])
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(missing) } == 94)
        #expect(
            await fault { () throws(StorageError) in try await manager.attach(repository(folder.file("gone"))) } == 47)
    }

    @Test(arguments: [
        "../x.raw", "/etc/passwd", "x.raw", ".raw", "", "0A1B2C3D-0000-4000-8000-0000000000FF.raw",
        "0a1b2c3d-0000-4000-8000-0000000000ff.vmdk", "0a1b2c3d-0000-4000-8000-0000000000ff.raw/../../x",
    ])
    func aLocationNeverLeavesTheFolder(_ location: String) async {
        let sr = repository("/srv/sr")
        await #expect(throws: StorageError.self) {
            try await manager.attachVolume(sr, VolumeID(location: location), writable: false)
        }
    }

    /// Whoever has an image open keeps it: it is neither removed nor replaced nor grown under them.
    @Test(arguments: ImageFormat.allCases)
    func anOpenVolumeIsLeftAlone(_ format: ImageFormat) async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        let made = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 4 << 20, format: format))
        let image = try DiskImage.open(path: folder.file(made.location), format: format, readOnly: false)
        #expect(
            await fault { () throws(StorageError) in
                try await manager.destroyVolume(sr, VolumeID(location: made.location))
            }
                == 24)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.resizeVolume(sr, VolumeID(location: made.location), size: 8 << 20)
            } == 24)
        #expect(try await manager.stat(sr, VolumeID(location: made.location)) == made)
        #expect(try folder.contents().sorted() == [".gantry-sr", made.location])
        try image.close()
        try await manager.destroyVolume(sr, VolumeID(location: made.location))
        #expect(try folder.contents() == [".gantry-sr"])
    }

    /// Headers may claim any size.
    @Test func claimedSizesAreListedAsTheyAre() async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        let claimed = UInt64(Int64.max) & ~511
        for number in 1...3 {
            let file = folder.file("0a1b2c3d-0000-4000-8000-00000000000\(number).qcow2")
            try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", file, "1M"])
            var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            // Offset 24: the size of the disk, big-endian.
            for index in 0..<8 { bytes[24 + index] = UInt8(truncatingIfNeeded: claimed >> UInt64(56 - 8 * index)) }
            try bytes.write(to: URL(fileURLWithPath: file))
        }
        #expect(try await manager.scan(sr).volumes.map(\.virtualSize) == [claimed, claimed, claimed])
    }

    /// Files that are no images are named, not served; what an interrupted creation left is removed at the next attach.
    @Test func scanLeavesOutWhatIsNoImage() async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        try Data("garbage".utf8).write(to: URL(fileURLWithPath: folder.file("\(volume).qcow2")))
        try Data("notes".utf8).write(to: URL(fileURLWithPath: folder.file("README")))
        try Data("half".utf8).write(to: URL(fileURLWithPath: folder.file(".gantry-new-\(volume).vhd")))
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.isEmpty)
        #expect(Set(scan.problems.keys) == ["\(volume).qcow2", "README"])
        try await manager.attach(sr)
        #expect(try folder.contents() == [".gantry-sr", "\(volume).qcow2", "README"].sorted())
    }

    /// Whoever writes to the folder leads nobody to files elsewhere.
    @Test func linksAreNotFollowed() async throws {
        let folder = try ScratchFolder("sr")
        let sr = repository(folder.path)
        try await manager.createRepository(sr)
        let elsewhere = try ScratchFolder("elsewhere")
        let secret = elsewhere.file("secret")
        try "secret".write(toFile: secret, atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("\(volume).raw"), withDestinationPath: secret)
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.isEmpty && scan.problems.count == 1)
        #expect(
            await fault { () throws(StorageError) in
                _ = try await manager.attachVolume(sr, VolumeID(location: "\(volume).raw"), writable: true)
            } == 46)
        try FileManager.default.removeItem(atPath: folder.file(".gantry-sr"))
        try FileManager.default.createSymbolicLink(atPath: folder.file(".gantry-sr"), withDestinationPath: "/dev/zero")
        #expect(await fault { () throws(StorageError) in try await manager.attach(sr) } == 47)
    }
}
