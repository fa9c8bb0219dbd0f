import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import TestSupport
import Testing

@testable import StorageManagers

/// Images of other programs that are marked as hidden: bases while something stands on them, disks otherwise.
@Suite struct MarkedImageTests {
    private static let uuid = "0a1b2c3d-0000-4000-8000-0000000000c1"
    private static let child = "0a1b2c3d-0000-4000-8000-0000000000c2"

    /// As other drivers do it: a byte of the footer, or a header extension.
    private func mark(_ path: String, _ format: ImageFormat) throws {
        if format == .vhd { return try DiskImage.setHidden(path: path, true) }
        let file = try ImageFile(path: path, access: .readWrite)
        defer { file.close() }
        let header = try file.bytes(at: 0, count: 4096)
        func number(_ offset: Int) -> Int { header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        var end = number(100)
        while number(end) != 0 { end += 8 + (number(end + 4) + 7) & ~7 }
        try file.write(
            bytes: [0x76, 0x61, 0x74, 0x65, 0, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8),
            at: UInt64(end))
        try file.sync()
    }

    @Test(arguments: [ImageFormat.vhd, .qcow2]) func aMarkHidesOnlyWhatOthersStandOn(_ format: ImageFormat) async throws
    {
        let folder = try ScratchFolder("marked", inMemory: true)
        let manager = FileStorageManager()
        let sr = StorageRepository(
            uuid: "0a1b2c3d-0000-4000-8000-000000000001", deviceConfig: ["location": folder.path])
        try await manager.createRepository(sr)
        let made = try await manager.createVolume(sr, NewVolume(uuid: Self.uuid, size: 4 << 20, format: format))
        let (id, path) = (VolumeID(location: made.location), folder.file(made.location))
        let (name, above) = (made.location, "\(Self.child).\(format.rawValue)")
        try mark(path, format)
        #expect(try DiskImage.info(path: path, format: format).isHidden)

        // Nothing stands on it: it is shown, can be used, and no merge takes it for a base.
        #expect(try await manager.scan(sr).volumes.map(\.isHidden) == [false])
        #expect(try await manager.stat(sr, id).isHidden == false)
        _ = try await manager.attachVolume(sr, id, writable: true)
        #expect(try await manager.surveyChains(sr).nodes.map(\.volume.isHidden) == [false])
        // Not while an image cannot be read, which may stand on it.
        let broken = folder.file("0a1b2c3d-0000-4000-8000-0000000000c3.vhd")
        try Data(repeating: 1, count: 4096).write(to: URL(fileURLWithPath: broken))
        #expect(try await manager.scan(sr).volumes.map(\.isHidden) == [true])
        await #expect(throws: StorageError.self) { _ = try await manager.attachVolume(sr, id, writable: true) }
        try FileManager.default.removeItem(atPath: broken)

        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: name, format: format)
        var policy = OpenPolicy.standalone
        policy.parents = .given([ImageReference(path: path, format: format)])
        try DiskImage.create(
            path: folder.file(above), format: format, size: 4 << 20, options: options, policy: policy
        ).close()
        #expect(try await manager.scan(sr).volumes.map { $0.isHidden ? $0.location : "" } == [name, ""])
        #expect(try await manager.stat(sr, id).isHidden)
        await #expect(throws: StorageError.self) { _ = try await manager.attachVolume(sr, id, writable: true) }
        // The last that stands on it takes it along; alone it is destroyed like any disk.
        try await manager.destroyVolume(sr, VolumeID(location: above))
        #expect(try await manager.scan(sr).volumes == [])
        let again = try await manager.createVolume(sr, NewVolume(uuid: Self.uuid, size: 4 << 20, format: format))
        try mark(folder.file(again.location), format)
        try await manager.destroyVolume(sr, id)
        try await manager.destroyRepository(sr)
    }
}
