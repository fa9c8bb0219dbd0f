import CoreTypes
import Foundation
import StorageInterface
import TestSupport
import Testing

@testable import StorageManagers

extension MountFolder {
    /// Unmounts all but those; what cannot be unmounted is named with the reason.
    func sweep(keeping kept: Set<String>) -> [String: String] {
        var problems: [String: String] = [:]
        for name in names where !kept.contains(name) {
            do throws(StorageError) { try unmount(name) } catch { problems[name] = error.message }
        }
        return problems
    }
}

/// Managers whose SRs are mounted: on loop devices, and with a program in place of mount.nfs.
@Suite(.serialized) struct MountedManagerTests {
    private let uuid = "0a1b2c3d-0000-4000-8000-0000000000a1"
    private let volume = "0a1b2c3d-0000-4000-8000-0000000000ff"

    private func fault(_ body: () async throws(StorageError) -> Void) async -> Int {
        do throws(StorageError) {
            try await body()
            return 0
        } catch {
            return error.fault.number
        }
    }

    @Test(arguments: ["ext", "xfs"])
    func aFileSystemIsMadeMountedAndWiped(_ type: String) async throws {
        let folder = try ScratchFolder("device")
        let device = try LoopDevice(in: folder, megabytes: 320)
        defer { device.remove() }
        let mounts = MountFolder(path: folder.file("mounts"))
        defer { _ = mounts.sweep(keeping: []) }
        let manager: any StorageManager =
            type == "ext" ? DeviceStorageManager.ext(mounts: mounts) : DeviceStorageManager.xfs(mounts: mounts)
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["device": device.path])
        let empty = try await manager.probe(sr.deviceConfig, smConfig: [:])
        #expect(empty.map(\.isComplete) == [true] && empty[0].uuid == nil)
        try await manager.createRepository(sr)
        let other = StorageRepository(uuid: volume, deviceConfig: sr.deviceConfig)
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(other) } == 42)
        #expect(await fault { () throws(StorageError) in try await manager.attach(other) } == 47)
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(other) } == 47)
        try await manager.attach(sr)
        try await manager.attach(sr)
        let point = folder.file("mounts/\(uuid)")
        let names = try FileManager.default.contentsOfDirectory(atPath: point).sorted()
        // XFS shares blocks, ext4 does not.
        #expect(try await manager.statements(sr) == ["raw-snapshot-format": type == "ext" ? "qcow2" : "raw"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: point).sorted() == names)
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(other) } == 16)
        for format in ImageFormat.allCases {
            let name = "\(volume.dropLast())\(format == .raw ? 1 : format == .vhd ? 2 : 3)"
            _ = try await manager.createVolume(sr, NewVolume(uuid: name, size: 4 << 20, format: format))
        }
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.map(\.format) == [.raw, .vhd, .qcow2] && scan.problems.isEmpty)
        #expect(try await manager.space(sr).total > 200 << 20)
        #expect(try await manager.probe(sr.deviceConfig, smConfig: [:]).map(\.uuid) == [uuid])
        #expect(try await manager.probeDocument(sr.deviceConfig, smConfig: [:]).contains(uuid))

        // While a file is open the device stays.
        let held = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.file("mounts/\(uuid)/.gantry-sr")))
        #expect(await fault { () throws(StorageError) in try await manager.detach(sr) } == 16)
        try held.close()
        try await manager.detach(sr)
        try await manager.detach(sr)
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(sr) } == 39)
        // What a killed toolstack left mounted is undone, and nothing in it is lost.
        try await manager.attach(sr)
        #expect(mounts.sweep(keeping: [uuid]) == [:])
        #expect(FileManager.default.fileExists(atPath: folder.file("mounts/\(uuid)/.gantry-sr")))
        #expect(mounts.sweep(keeping: []) == [:])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("mounts")) == [])
        try await manager.attach(sr)
        for volume in scan.volumes { try await manager.destroyVolume(sr, VolumeID(location: volume.location)) }
        try await manager.detach(sr)
        try await manager.destroyRepository(sr)
        try await manager.destroyRepository(sr)
        #expect(try Tool.run("blkid", ["-p", device.path]).status == 2)
    }

    /// On XFS no chain comes to be: snapshots and clones share the disk's blocks, whatever its format, and keep what it held.
    @Test func snapshotsShareBlocksWhereTheFileSystemCan() async throws {
        let folder = try ScratchFolder("reflink")
        let device = try LoopDevice(in: folder, megabytes: 320)
        defer { device.remove() }
        let mounts = MountFolder(path: folder.file("mounts"))
        defer { _ = mounts.sweep(keeping: []) }
        let manager = DeviceStorageManager.xfs(mounts: mounts)
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["device": device.path])
        try await manager.createRepository(sr)
        try await manager.attach(sr)
        let place = folder.file("mounts/\(uuid)/")
        func free() async throws -> UInt64 {
            try Tool.check("sync", ["-f", place])
            return try await manager.space(sr).free
        }
        func check(_ format: String, _ pattern: Int, _ name: String) throws {
            try Tool.check("qemu-io", ["-f", format, "-r", "-c", "read -P \(pattern) 0 16M", place + name])
        }
        for (number, format) in ImageFormat.allCases.enumerated() {
            let name = format == .vhd ? "vpc" : format.rawValue
            func new(_ last: Int) -> NewVolume {
                NewVolume(uuid: "\(volume.dropLast(2))\(number)\(last)", size: 32 << 20, format: format)
            }
            let disk = try await manager.createVolume(sr, new(0))
            try Tool.check("qemu-io", ["-f", name, "-c", "write -P 1 0 16M", place + disk.location])
            let before = try await free()
            let id = VolumeID(location: disk.location)
            let snapshot = try await manager.snapshotVolume(sr, id, as: new(1))
            let clone = try await manager.cloneVolume(sr, VolumeID(location: snapshot.volume.location), as: new(2))
            let after = try await free()
            #expect(before - min(before, after) < 1 << 20)
            #expect(snapshot.origin.location == disk.location && snapshot.base == nil && clone.base == nil)
            for image in [snapshot.volume.location, clone.volume.location] {
                #expect(try Tool.check("filefrag", ["-v", place + image]).contains("shared"))
            }
            try Tool.check("qemu-io", ["-f", name, "-c", "write -P 2 0 16M", place + disk.location])
            try Tool.check("qemu-io", ["-f", name, "-c", "write -P 3 0 16M", place + clone.volume.location])
            try check(name, 1, snapshot.volume.location)
            try check(name, 2, disk.location)
            _ = try await manager.revertVolume(sr, id, to: VolumeID(location: snapshot.volume.location))
            try check(name, 1, disk.location)
            try check(name, 3, clone.volume.location)
        }
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.count == 9 && scan.volumes.allSatisfy { !$0.isHidden && $0.parentUUID == nil })
        try await manager.detach(sr)
    }

    @Test func aDeviceThatHoldsSomethingIsLeftAlone() async throws {
        let folder = try ScratchFolder("device")
        let device = try LoopDevice(in: folder, megabytes: 64)
        defer { device.remove() }
        let manager = DeviceStorageManager.ext(mounts: MountFolder(path: folder.file("mounts")))
        var sr = StorageRepository(uuid: uuid, deviceConfig: ["device": device.path])
        try Tool.check("mkswap", [device.path])
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(sr) } == 42)
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(sr) } == 47)
        #expect(try Tool.check("blkid", ["-p", device.path]).contains("swap"))
        sr.smConfig = ["overwrite": "true"]
        try await manager.createRepository(sr)
        try await manager.destroyRepository(sr)
        for (path, number) in [("", 90), ("sda", 19), (folder.file("device"), 19), ("/dev/null", 19), ("/a,/b", 19)] {
            let bad = StorageRepository(uuid: uuid, deviceConfig: ["device": path])
            #expect(await fault { () throws(StorageError) in try await manager.createRepository(bad) } == number)
        }
    }

    /// `mount` is a program that mounts a folder of this host instead, and notes how it was called.
    @Test func anExportHoldsRepositoriesInFoldersOfTheirOwn() async throws {
        let folder = try ScratchFolder("nfs")
        let (export, program) = (folder.file("export"), folder.file("mount"))
        try FileManager.default.createDirectory(atPath: export, withIntermediateDirectories: false)
        let script = "#!/bin/sh\necho \"$@\" >>\(folder.path)/calls\nexec mount --bind \"${5#server:}\" \"$6\"\n"
        try Data(script.replacingOccurrences(of: "${5#", with: "${5#").utf8).write(to: URL(fileURLWithPath: program))
        try Tool.check("chmod", ["+x", program])
        let mounts = MountFolder(path: folder.file("mounts"))
        defer { _ = mounts.sweep(keeping: []) }
        let manager = NFSStorageManager(mounts: mounts, program: program)
        let config = ["server": "server", "serverpath": export, "nfsversion": "4.1", "options": "timeo=100"]
        let sr = StorageRepository(uuid: uuid, deviceConfig: config)
        try await manager.createRepository(sr)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [uuid])
        try await manager.attach(sr)
        let made = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 4 << 20, format: .qcow2))
        #expect(FileManager.default.fileExists(atPath: "\(export)/\(uuid)/\(made.location)"))
        #expect(try await manager.probe(config, smConfig: [:]).compactMap(\.uuid) == [uuid])
        try await manager.detach(sr)
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(sr) } == 39)
        try await manager.attach(sr)
        try await manager.destroyVolume(sr, VolumeID(location: made.location))
        try await manager.detach(sr)
        try await manager.destroyRepository(sr)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("mounts")) == [])
        let calls = try String(contentsOfFile: folder.file("calls"), encoding: .utf8)
        let options = "soft,timeo=133,retrans=3,acdirmin=0,acdirmax=0,vers=4.1,timeo=100,nosuid,nodev,noexec"
        #expect(calls.hasPrefix("-t nfs -o \(options) server:\(export) "))
    }

    @Test(arguments: [
        (["serverpath": "/a"], 102), (["server": "s"], 101), (["server": "-o", "serverpath": "/a"], 1),
        (["server": "s", "serverpath": "a"], 1), (["server": "s", "serverpath": "/a", "options": "a b"], 1),
        (["server": "s", "serverpath": "/a", "nfsversion": "2"], 1),
    ])
    func whatIsNoExportIsRefused(_ config: [String: String], _ number: Int) async throws {
        let manager = NFSStorageManager(mounts: MountFolder(path: "/nowhere"), program: "/bin/false")
        let sr = StorageRepository(uuid: uuid, deviceConfig: config)
        #expect(await fault { () throws(StorageError) in try await manager.attach(sr) } == number)
    }

    @Test func imagesOfCDsAreFoundAndLeftAlone() async throws {
        let folder = try ScratchFolder("iso")
        for name in ["a b.iso", "B.IMG", "notes.txt", "x`y.iso", ".hidden.iso"] {
            try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.iso"), withDestinationPath: "/etc/passwd")
        let manager = ISOStorageManager(mounts: MountFolder(path: folder.file("mounts")))
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["location": folder.path, "legacy_mode": "true"])
        try await manager.createRepository(sr)
        try await manager.attach(sr)
        let scan = try await manager.scan(sr)
        #expect(scan.volumes.map(\.location) == ["B.IMG", "a b.iso"])
        #expect(scan.volumes.allSatisfy { $0.isReadOnly && $0.virtualSize == 4096 && $0.nameLabel == $0.location })
        #expect(Set(scan.problems.keys) == ["x`y.iso", ".hidden.iso", "link.iso"])
        let id = VolumeID(location: "a b.iso")
        #expect(
            try await manager.attachVolume(sr, id, writable: false)
                == .image(path: folder.file("a b.iso"), format: .raw))
        #expect(
            await fault { () throws(StorageError) in _ = try await manager.attachVolume(sr, id, writable: true) } == 38)
        for name in ["link.iso", "../a b.iso", "notes.txt", "gone.iso"] {
            #expect(
                await fault { () throws(StorageError) in
                    _ = try await manager.attachVolume(sr, VolumeID(location: name), writable: false)
                } == 144)
        }
        let before = try folder.contents()
        #expect(await fault { () throws(StorageError) in try await manager.destroyVolume(sr, id) } == 38)
        try await manager.detach(sr)
        try await manager.destroyRepository(sr)
        #expect(try folder.contents() == before)
        let gone = StorageRepository(uuid: uuid, deviceConfig: ["location": folder.file("gone")])
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(gone) } == 221)
        let none = StorageRepository(uuid: uuid, deviceConfig: [:])
        #expect(await fault { () throws(StorageError) in try await manager.createRepository(none) } == 220)
    }

    @Test func pretendedDisksReadAsZeroes() async throws {
        let folder = try ScratchFolder("dummy")
        let manager = DummyStorageManager(folder: folder.path)
        // They forget: nothing moves there.
        #expect(manager.info.features["VDI_MIRROR"] == nil && manager.info.features["VDI_CREATE"] != nil)
        let sr = StorageRepository(uuid: uuid, deviceConfig: [:])
        let made = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 1 << 20, format: .raw))
        let id = VolumeID(location: made.location)
        guard case .image(let path, .raw) = try await manager.attachVolume(sr, id, writable: true) else {
            Issue.record("no raw image")
            return
        }
        #expect(FileManager.default.contents(atPath: path) == Data(count: 1 << 20))
        #expect(try await manager.scan(sr).volumes == [made])
        #expect(await fault { () throws(StorageError) in try await manager.destroyRepository(sr) } == 39)
        try await manager.destroyVolume(sr, id)
        try await manager.destroyRepository(sr)
        #expect(try folder.contents() == [])
    }

    /// Thick raw disks are refused before anything is made; sizes are the configured ones.
    @Test func promisesAreKeptToTheSpaceThatThereIs() async throws {
        let folder = try ScratchFolder("thick")
        let manager = FileStorageManager()
        let sr = StorageRepository(uuid: uuid, deviceConfig: ["location": folder.path, "allocation": "thick"])
        try await manager.createRepository(sr)
        let room = try await manager.space(sr).free
        let large = NewVolume(uuid: volume, size: (room + (1 << 30)) & ~511, format: .raw)
        #expect(await fault { () throws(StorageError) in _ = try await manager.createVolume(sr, large) } == 44)
        #expect(try folder.contents() == [".gantry-sr"])
        let made = try await manager.createVolume(sr, NewVolume(uuid: volume, size: 1 << 20, format: .raw))
        #expect(made.physicalSize >= 1 << 20)
        let grown = try await manager.resizeVolume(sr, VolumeID(location: made.location), size: 2 << 20)
        #expect(grown.virtualSize == 2 << 20 && grown.physicalSize >= 2 << 20)
        let wide = ["qcow2-size-limit": "32TiB"]
        #expect(throws: StorageError.self) { try manager.roundedSize(17 << 40, format: .qcow2) }
        #expect(try manager.roundedSize(17 << 40, format: .qcow2, configuration: wide) == 17 << 40)
        #expect(throws: StorageError.self) { try manager.roundedSize(33 << 40, format: .qcow2, configuration: wide) }
        let bad = StorageRepository(uuid: uuid, deviceConfig: ["location": folder.path, "qcow2-size-limit": "many"])
        #expect(await fault { () throws(StorageError) in try await manager.attach(bad) } == 1)
    }
}
