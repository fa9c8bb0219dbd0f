import CoreTypes
import Foundation
import StorageInterface
import TestSupport
import Testing

@testable import StorageManagers

/// What is mounted, or was, is not what the PBD says; what is on a device was not made to its end.
@Suite(.serialized) struct MountFaultTests {
    private let uuid = "0a1b2c3d-0000-4000-8000-0000000000b1"
    private let volume = "0a1b2c3d-0000-4000-8000-0000000000fe"

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch { return error.fault.number }
    }

    @Test func aMountIsAdoptedOnlyWhenItIsWhatThePBDSays() async throws {
        let folder = try ScratchFolder("adopt")
        let point = folder.file("mounts/" + uuid)
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        defer { _ = try? Tool.run("umount", ["-R", point]) }
        let mounts = MountFolder(path: folder.file("mounts"))
        let config = ["server": "server", "serverpath": "/export"]
        let sr = StorageRepository(uuid: uuid, deviceConfig: config)
        let manager = NFSStorageManager(mounts: mounts, program: "/bin/false", fileSystems: ["tmpfs"])
        try Tool.check("mount", ["-t", "tmpfs", "server:/elsewhere", point])
        #expect(await fault { () throws(StorageError) in try await manager.attach(sr) } == 73)
        #expect(try FileManager.default.contentsOfDirectory(atPath: point) == [])
        try Tool.check("umount", [point])
        try Tool.check("mount", ["-t", "tmpfs", "server:/export/" + uuid, point])
        // The kernel's client makes other mounts than tmpfs.
        let real = NFSStorageManager(mounts: mounts, program: "/bin/false")
        #expect(await fault { () throws(StorageError) in try await real.attach(sr) } == 73)
        try await manager.attach(sr)
        try await manager.attach(sr)
        let new = NewVolume(uuid: volume, size: 1 << 20, format: .qcow2)
        let made = try await manager.createVolume(sr, new)
        // Another process has not attached it.
        let other = NFSStorageManager(
            mounts: MountFolder(path: folder.file("mounts")), program: "/bin/false", fileSystems: ["tmpfs"])
        let id = VolumeID(location: made.location)
        #expect(await fault { () throws(StorageError) in try await other.destroyVolume(sr, id) } == 47)

        // The mount vanishes: nothing is looked for, and nothing put, in the folder below.
        try Tool.check("umount", [point])
        #expect(await fault { () throws(StorageError) in _ = try await manager.createVolume(sr, new) } == 47)
        #expect(await fault { () throws(StorageError) in _ = try await manager.scan(sr) } == 47)
        #expect(await fault { () throws(StorageError) in try await manager.destroyVolume(sr, id) } == 47)
        #expect(await fault { () throws(StorageError) in _ = try await manager.present(sr, locations: []) } == 47)
        #expect(
            await fault { () throws(StorageError) in _ = try await manager.attachVolume(sr, id, writable: true) } == 47)
        #expect(try FileManager.default.contentsOfDirectory(atPath: point) == [])
        try await manager.detach(sr)
    }

    @Test func aFolderOfCDsThatIsNotMountedAnyMoreIsNotEmpty() async throws {
        let folder = try ScratchFolder("iso")
        let point = folder.file("mounts/" + uuid)
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        defer { _ = try? Tool.run("umount", ["-R", point]) }
        let mounts = MountFolder(path: folder.file("mounts"))
        let manager = ISOStorageManager(mounts: mounts, program: "/bin/false", fileSystems: ["tmpfs"])
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["location": "server:/isos"])
        try Tool.check("mount", ["-t", "tmpfs", "server:/other", point])
        #expect(await fault { () throws(StorageError) in try await manager.attach(sr) } == 73)
        try Tool.check("umount", [point])
        try Tool.check("mount", ["-t", "tmpfs", "server:/isos", point])
        try Data(count: 2048).write(to: URL(fileURLWithPath: point + "/a.iso"))
        try await manager.attach(sr)
        #expect(try await manager.scan(sr).volumes.map(\.location) == ["a.iso"])
        try Tool.check("umount", [point])
        #expect(await fault { () throws(StorageError) in _ = try await manager.scan(sr) } == 47)
        try await manager.detach(sr)
    }

    /// The folder of a file SR may be a mount that others made.
    @Test func aFolderThatDoesNotSayWhoseItIsGetsNoImage() async throws {
        let folder = try ScratchFolder("file")
        let manager = FileStorageManager()
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["location": folder.path])
        try await manager.createRepository(sr)
        try FileManager.default.removeItem(atPath: folder.file(".gantry-sr"))
        let new = NewVolume(uuid: volume, size: 1 << 20, format: .raw)
        #expect(await fault { () throws(StorageError) in _ = try await manager.createVolume(sr, new) } == 47)
        #expect(await fault { () throws(StorageError) in _ = try await manager.scan(sr) } == 47)
        #expect(try folder.contents() == [])
    }

    private func repository(
        _ device: LoopDevice, _ folder: ScratchFolder, mkfs: String
    ) throws -> DeviceRepository {
        let program = folder.file("mkfs")
        try Data("#!/bin/sh\n\(mkfs)\n".utf8).write(to: URL(fileURLWithPath: program))
        try Tool.check("chmod", ["+x", program])
        let system = DeviceFileSystem(type: "ext4", program: program) { uuid, _, device in [uuid, device] }
        return try DeviceRepository(
            StorageRepository(uuid: uuid, deviceConfig: ["device": device.path]), system,
            MountFolder(path: folder.file("mounts")))
    }

    /// Whatever a mkfs that fails, or is killed, leaves on a device that was empty: the next one finds it empty.
    @Test(arguments: ["/sbin/mkfs.ext4 -q -U $1 $2; exit 1", "/sbin/mkswap $2; kill -9 $$"])
    func aFileSystemThatWasNotMadeIsTakenAway(_ mkfs: String) throws {
        let folder = try ScratchFolder("half")
        let device = try LoopDevice(in: folder, megabytes: 16)
        defer { device.remove() }
        for _ in 0..<2 {
            let error = #expect(throws: StorageError.self) {
                try repository(device, folder, mkfs: mkfs).create()
            }
            #expect(error?.fault == .repositoryCreation && error?.leavesSomething == false)
            #expect(device.isBlank)
        }
    }

    /// The toolstack died meanwhile: half a file system that cannot be mounted is this SR's by its uuid, and no other's.
    @Test func whatIsLeftOfACreationGoesAndNothingElse() async throws {
        let folder = try ScratchFolder("half")
        let device = try LoopDevice(in: folder, megabytes: 16)
        defer { device.remove() }
        let manager = DeviceStorageManager.ext(mounts: MountFolder(path: folder.file("mounts")))
        let config = ["device": device.path]
        try Tool.check("mkfs.ext4", ["-q", "-U", uuid, device.path])
        try Tool.check("dd", ["if=/dev/zero", "of=" + device.path, "bs=1k", "seek=2", "count=64", "status=none"])
        #expect(
            await fault { () throws(StorageError) in
                try await manager.attach(StorageRepository(uuid: uuid, deviceConfig: config))
            } == 73)
        try await manager.undoCreation(StorageRepository(uuid: volume, deviceConfig: config))
        #expect(!device.isBlank)
        try await manager.undoCreation(StorageRepository(uuid: uuid, deviceConfig: config))
        #expect(device.isBlank)
        try await manager.undoCreation(StorageRepository(uuid: uuid, deviceConfig: config))
    }

    /// It was made to its end after the record that a database holds, and is in use since.
    @Test func aFileSystemThatHoldsADiskIsNotTakenForHalfMade() async throws {
        let folder = try ScratchFolder("whole")
        let device = try LoopDevice(in: folder, megabytes: 16)
        defer { device.remove() }
        let mounts = MountFolder(path: folder.file("mounts"))
        defer { _ = mounts.sweep(keeping: []) }
        let manager = DeviceStorageManager.ext(mounts: mounts)
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["device": device.path])
        try await manager.createRepository(sr)
        try await manager.attach(sr)
        let file = folder.file("mounts/\(uuid)/\(volume).raw")
        try Data("a disk".utf8).write(to: URL(fileURLWithPath: file))
        // Mounted, and not.
        #expect(await fault { () throws(StorageError) in try await manager.undoCreation(sr) } == 39)
        #expect(FileManager.default.fileExists(atPath: file))
        try await manager.detach(sr)
        #expect(await fault { () throws(StorageError) in try await manager.undoCreation(sr) } == 39)
        try await manager.attach(sr)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("a disk".utf8))
        try FileManager.default.removeItem(atPath: file)
        try await manager.undoCreation(sr)
        #expect(device.isBlank)
    }

    /// On a server, and in a folder of this host.
    @Test func halfMadeFoldersGo() async throws {
        let folder = try ScratchFolder("nfs")
        let (export, program) = (folder.file("export"), folder.file("mount"))
        try FileManager.default.createDirectory(atPath: export, withIntermediateDirectories: false)
        try Data("#!/bin/sh\nexec mount --bind \"${5#server:}\" \"$6\"\n".utf8).write(to: URL(fileURLWithPath: program))
        try Tool.check("chmod", ["+x", program])
        let manager = NFSStorageManager(mounts: MountFolder(path: folder.file("mounts")), program: program)
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["server": "server", "serverpath": export])
        let made = export + "/" + uuid
        try FileManager.default.createDirectory(atPath: made, withIntermediateDirectories: false)
        try Data("half".utf8).write(to: URL(fileURLWithPath: made + "/.gantry-new-marker"))
        try await manager.undoCreation(sr)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [])
        // The same left of a destruction, and of a creation that was whole.
        try await manager.createRepository(sr)
        try Data("half".utf8).write(to: URL(fileURLWithPath: made + "/.gantry-new-x"))
        try await manager.destroyRepository(sr)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [])
        try await manager.createRepository(sr)
        try await manager.undoCreation(StorageRepository(uuid: volume, deviceConfig: sr.deviceConfig))
        #expect(try FileManager.default.contentsOfDirectory(atPath: made) == [".gantry-sr"])
        try await manager.undoCreation(sr)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("mounts")) == [])

        let files = FileStorageManager()
        let plain = StorageRepository(uuid: uuid, deviceConfig: ["location": export])
        try await files.createRepository(plain)
        // What the SR there is making is its own.
        try Data("half".utf8).write(to: URL(fileURLWithPath: export + "/.gantry-new-x"))
        try await files.undoCreation(StorageRepository(uuid: volume, deviceConfig: plain.deviceConfig))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: export).sorted() == [".gantry-new-x", ".gantry-sr"])
        try await files.undoCreation(plain)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [])
    }
}
