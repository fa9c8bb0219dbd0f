import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import Synchronization
import TestSupport
import Testing

@testable import StorageManagers

/// The space reclaimer's steps on real images.
@Suite struct ReclaimTests {
    private static let size = 4 << 20

    /// A repository, its disks and what each of them must hold.
    private final class Folder {
        let folder: ScratchFolder
        let manager = FileStorageManager()
        let sr: StorageRepository
        var models: [String: [UInt8]] = [:]
        private var made = 0

        init(inMemory: Bool) async throws {
            folder = try ScratchFolder("reclaim", inMemory: inMemory)
            sr = StorageRepository(
                uuid: "0a1b2c3d-0000-4000-8000-000000000001", deviceConfig: ["location": folder.path])
            try await manager.createRepository(sr)
        }

        func uuid() -> String {
            made += 1
            return "0a1b2c3d-0000-4000-9000-" + String(100_000_000_000 + made)
        }

        /// By the disk's uuid, which stays: the driver finds the image.
        func location(_ uuid: String) async throws -> String {
            for format in ImageFormat.allCases {
                let name = "\(uuid).\(format.rawValue)"
                if FileManager.default.fileExists(atPath: folder.file(name)) {
                    return try await manager.stat(sr, VolumeID(location: name)).location
                }
            }
            throw StorageError(.volumeMissing, uuid)
        }

        func make(_ format: ImageFormat) async throws -> String {
            let uuid = uuid()
            _ = try await manager.createVolume(sr, NewVolume(uuid: uuid, size: UInt64(size), format: format))
            models[uuid] = [UInt8](repeating: 0, count: size)
            return uuid
        }

        func open(_ uuid: String, writable: Bool) async throws -> any BlockIO.BlockDevice {
            switch try await manager.attachVolume(sr, VolumeID(location: try await location(uuid)), writable: writable)
            {
            case .image(let path, let format):
                return try DiskImage.open(path: path, format: format, readOnly: !writable)
            case .chain(let image, let parents):
                var policy = OpenPolicy.standalone
                policy.parents = .given(parents.map { ImageReference(path: $0.path, format: $0.format) })
                return try DiskImage.open(path: image.path, format: image.format, readOnly: !writable, policy: policy)
            case .nbd: throw StorageError(.general, "not here")
            }
        }

        /// Random data and zeroes at random places.
        func write(_ uuid: String, pieces: Int, _ random: inout SeededRandom) async throws {
            let device = try await open(uuid, writable: true)
            var model = models[uuid] ?? []
            for _ in 0..<pieces {
                let offset = Int.random(in: 0..<model.count / 512, using: &random) * 512
                let count = min(Int.random(in: 1...160, using: &random) * 512, model.count - offset)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    try device.writeZeroes(at: UInt64(offset), length: UInt64(count), mayUnmap: true)
                    model.replaceSubrange(offset..<offset + count, with: repeatElement(0, count: count))
                } else {
                    let bytes = random.bytes(count)
                    // SAFETY: the array lives for the call.
                    try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: UInt64(offset)) }
                    model.replaceSubrange(offset..<offset + count, with: bytes)
                }
            }
            models[uuid] = model
            try device.flush()
            try device.close()
        }

        func derive(_ uuid: String, clone: Bool = false) async throws -> String {
            let volume = VolumeID(location: try await location(uuid))
            let new = NewVolume(uuid: self.uuid())
            _ = try await clone ? manager.cloneVolume(sr, volume, as: new) : manager.snapshotVolume(sr, volume, as: new)
            models[new.uuid] = models[uuid]
            return new.uuid
        }

        func destroy(_ uuid: String) async throws {
            try await manager.destroyVolume(sr, VolumeID(location: try await location(uuid)))
            models[uuid] = nil
        }

        /// Everything shows what it must, and other programs find nothing wrong.
        func verify(_ what: String, judging: Bool = false) async throws {
            for (uuid, model) in models {
                let device = try await open(uuid, writable: false)
                var bytes = [UInt8](repeating: 1, count: model.count)
                #expect(device.size == UInt64(model.count), "\(what)")
                // SAFETY: the array lives for the call.
                try unsafe bytes.withUnsafeMutableBytes { try unsafe device.read(into: $0, at: 0) }
                #expect(bytes == model, "\(uuid) \(what)")
                try device.close()
            }
            guard judging else { return }
            for name in try folder.contents() where name.hasSuffix(".qcow2") {
                let check = try Tool.run("qemu-img", ["check", "-f", "qcow2", folder.file(name)])
                #expect(check.status == 0, "\(check.output)\(check.errors)")
            }
        }

        /// Whether there are chains at all: file systems that share blocks make none.
        func isChained() async throws -> Bool { try await manager.surveyChains(sr).nodes.contains { $0.isBase } }

        /// Steps until there is nothing to do; returns them.
        @discardableResult
        func reclaim(_ policy: ReclaimPlan.Policy = .init()) async throws(StorageError) -> [ReclaimStep] {
            var steps: [ReclaimStep] = []
            while let step = ReclaimPlan(try await manager.surveyChains(sr), policy: policy).next() {
                _ = try await manager.reclaim(step, in: sr, pace: ReclaimPace())
                steps.append(step)
                guard steps.count < 100 else { throw StorageError(.general, "\(step) again and again") }
            }
            return steps
        }

        var images: [String] { get throws { try folder.contents().filter { !$0.hasPrefix(".") } } }
    }

    /// Small enough for a test that makes disks be frozen.
    private static let eager = {
        var policy = ReclaimPlan.Policy()
        policy.mostFolded = 512 << 10
        return policy
    }()

    /// A disk with a history: images below it that only one other stands on, and one that two do.
    private func history(
        _ format: ImageFormat, _ random: inout SeededRandom, inMemory: Bool = true
    ) async throws -> (Folder, String, String) {
        let folder = try await Folder(inMemory: inMemory)
        let disk = try await folder.make(format)
        var snapshots: [String] = []
        for pieces in [15, 5, 5, 5] {
            try await folder.write(disk, pieces: pieces, &random)
            snapshots.append(try await folder.derive(disk))
        }
        try await folder.write(disk, pieces: 30, &random)
        let clone = try await folder.derive(snapshots[2], clone: true)
        try await folder.write(clone, pieces: 5, &random)
        for index in [0, 1, 3] { try await folder.destroy(snapshots[index]) }
        return (folder, disk, clone)
    }

    @Test(arguments: ImageFormat.allCases)
    func chainsBecomeAsShortAsTheyCanBe(_ format: ImageFormat) async throws {
        var random = SeededRandom.printed("reclaim \(format)")
        let (folder, disk, clone) = try await history(format, &random, inMemory: false)
        let isChained = try await folder.isChained()
        try await folder.verify("before")
        try await folder.reclaim(Self.eager)
        try await folder.verify("after", judging: true)
        // The disk, the clone, the snapshot, and the one base that they share.
        if isChained { #expect(try folder.images.count == 4) }
        #expect(try await folder.reclaim() == [])
        // With the last but one the base is the disk's again, in the format that the disk was made in.
        for uuid in folder.models.keys where uuid != disk { try await folder.destroy(uuid) }
        _ = clone
        let steps = try await folder.reclaim(Self.eager)
        try await folder.verify("at last", judging: true)
        if isChained {
            #expect(steps.contains { if case .fold = $0 { true } else { false } })
            #expect(steps.contains { if case .freeze = $0 { true } else { false } })
            #expect(try folder.images == ["\(disk).\(format.rawValue)"])
        }
        try await folder.destroy(disk)
        try await folder.manager.destroyRepository(folder.sr)
        #expect(try folder.folder.contents() == [])
    }

    /// Cut off at each point of each step, and at the same once more: every disk is whole at that moment and after the SR was
    /// attached again, the work goes on, and nothing is left.
    @Test(arguments: [
        (ImageFormat.raw, ["linked", "unlinked"]), (.vhd, ["adopted", "absorbed"]),
        (.qcow2, ["part", "merged", "whole", "removed"]),
    ])
    func whatIsCutOffIsTakenUp(_ format: ImageFormat, at points: [String]) async throws {
        for point in points {
            var random = SeededRandom.printed("reclaim \(format), cut off at \(point)")
            let (folder, disk, _) = try await history(format, &random)
            let isChained = try await folder.isChained()
            let path = folder.folder.path
            defer { ReclaimPoint.cuts.withLock { $0[path] = nil } }
            var cuts = 0
            for round in 0..<2 {
                // At last the disk is alone, and becomes one image.
                if round == 1 { for uuid in folder.models.keys where uuid != disk { try await folder.destroy(uuid) } }
                ReclaimPoint.cuts.withLock { $0[path] = point }
                do throws(StorageError) {
                    _ = try await folder.reclaim(Self.eager)
                } catch {
                    #expect(error.message.contains("cut off at \(point)"), "\(error)")
                    cuts += 1
                }
                ReclaimPoint.cuts.withLock { $0[path] = nil }
                try await folder.verify("cut off at \(point)")
                if round == 1 { try await folder.manager.attach(folder.sr) }
                try await folder.write(disk, pieces: 5, &random)
                try await folder.reclaim(Self.eager)
                try await folder.verify("taken up after \(point)", judging: round == 1)
            }
            if isChained { #expect(cuts > 0, "\(point) was never reached") }
            let survey = try await folder.manager.surveyChains(folder.sr)
            #expect(survey.merges.isEmpty && !survey.isUntidy)
            #expect(!isChained || survey.nodes.count == 1, "after \(point)")
            try await folder.destroy(disk)
            try await folder.manager.destroyRepository(folder.sr)
            #expect(try folder.folder.contents() == [])
        }
    }

    /// A merge goes on where it was stopped, unless something was written into the merged image since.
    @Test func aMergeThatWasStoppedGoesOnAndTwoReclaimersDoNotMeet() async throws {
        var random = SeededRandom.printed()
        let (folder, _, _) = try await history(.qcow2, &random)
        guard try await folder.isChained() else { return }
        guard let step = ReclaimPlan(try await folder.manager.surveyChains(folder.sr)).next(),
            case .merge(let child, let parent) = step
        else {
            Issue.record("no merge to do")
            return
        }
        let pace = ReclaimPace()
        pace.cancellation.cancel()
        await #expect(throws: StorageError.self) {
            _ = try await folder.manager.reclaim(step, in: folder.sr, pace: pace)
        }
        #expect(
            try await folder.manager.surveyChains(folder.sr).merges
                == [BegunMerge(child: child, parent: parent, isWhole: false)])
        try await folder.verify("stopped")
        let lock = unsafe open(folder.folder.file(".gantry-sr-reclaim"), O_RDWR | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        await #expect(throws: StorageError.self) {
            _ = try await folder.manager.reclaim(step, in: folder.sr, pace: ReclaimPace())
        }
        close(lock)
        try await folder.reclaim()
        try await folder.verify("after")
    }

    /// A disk that has grown grows what it goes into, and snapshots without a disk lose their needless base, too.
    @Test(arguments: ImageFormat.allCases)
    func grownDisksAndLonelySnapshotsAreFolded(_ format: ImageFormat) async throws {
        var random = SeededRandom.printed("grown \(format)")
        let folder = try await Folder(inMemory: true)
        let disk = try await folder.make(format)
        try await folder.write(disk, pieces: 20, &random)
        let first = try await folder.derive(disk)
        _ = try await folder.manager.resizeVolume(
            folder.sr, VolumeID(location: try await folder.location(disk)), size: UInt64(Self.size + (2 << 20)))
        folder.models[disk]? += [UInt8](repeating: 0, count: 2 << 20)
        try await folder.write(disk, pieces: 20, &random)
        let second = try await folder.derive(disk)
        try await folder.write(disk, pieces: 5, &random)
        try await folder.destroy(first)
        let isChained = try await folder.isChained()
        let steps = try await folder.reclaim()
        if isChained { #expect(steps.contains { if case .grow = $0 { true } else { false } }) }
        try await folder.verify("grown", judging: true)
        try await folder.destroy(disk)
        try await folder.reclaim()
        try await folder.verify("lonely", judging: true)
        if isChained { #expect(try folder.images == ["\(second).\(format.rawValue)"]) }
    }

    /// Chains made by others: a parent that is a disk of its own is not written to, and nothing is done while an image cannot
    /// be read, which may stand on any.
    @Test func whatIsNotOursToJudgeStays() async throws {
        var random = SeededRandom.printed()
        let (folder, disk, _) = try await history(.qcow2, &random)
        guard try await folder.isChained() else { return }
        let damaged = folder.uuid() + ".qcow2"
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: folder.folder.file(damaged)))
        #expect(try await folder.reclaim() == [])
        try FileManager.default.removeItem(atPath: folder.folder.file(damaged))
        let own = try await folder.make(.qcow2)
        try await folder.write(own, pieces: 5, &random)
        let child = folder.uuid()
        try Tool.check(
            "qemu-img",
            [
                "create", "-q", "-f", "qcow2", "-b", folder.folder.file(own + ".qcow2"), "-F", "qcow2",
                folder.folder.file(child + ".qcow2"),
            ])
        folder.models[child] = folder.models[own]
        let steps = try await folder.reclaim()
        #expect(!steps.isEmpty && !steps.contains { $0.top == child + ".qcow2" })
        try await folder.verify("after")
        #expect(try folder.images.contains(own + ".qcow2"))
        // A disk that somebody has open is left as it is.
        try await folder.destroy(child)
        for uuid in folder.models.keys where uuid != disk && uuid != own { try await folder.destroy(uuid) }
        let device = try await folder.open(disk, writable: true)
        await #expect(throws: StorageError.self) { try await folder.reclaim(Self.eager) }
        try device.close()
        try await folder.reclaim(Self.eager)
        try await folder.verify("closed")
    }

    /// What a merge may take for itself is free beside the reserve, before it begins and while it goes on.
    @Test func mergesLeaveRoomForGuests() async throws {
        let room = ReclaimRoom()
        #expect(room.reserve(of: 10 << 40) == 1 << 30 && room.reserve(of: 5000) == 100)
        let space = { (free: UInt64) in RepositorySpace(total: 5000, free: free, used: 5000 - free) }
        try room.require(50, of: space(151))
        for (growth, free) in [(UInt64(50), UInt64(150)), (.max, 5000)] {
            #expect(throws: StorageError.self) { try room.require(growth, of: space(free)) }
        }

        var random = SeededRandom.printed()
        let (folder, disk, _) = try await history(.qcow2, &random)
        guard try await folder.isChained() else { return }
        var repository = try folder.manager.open(folder.sr)
        let total = try repository.space().total
        (repository.room.most, repository.room.part) = (total, 1)
        let step = try #require(ReclaimPlan(try await folder.manager.surveyChains(folder.sr)).next())
        guard case .merge = step else {
            Issue.record("no merge to do, but \(step)")
            return
        }
        for step in [step, .freeze(leaf: try await folder.location(disk))] {
            let images = try folder.images
            do throws(StorageError) {
                _ = try repository.reclaim(step, ReclaimPace())
                Issue.record("\(step) found room")
            } catch {
                #expect(error.fault == .noSpace, "\(error)")
            }
            #expect(try folder.images == images)
        }
        #expect(try await folder.manager.surveyChains(folder.sr).merges.isEmpty)
        try await folder.reclaim()
        try await folder.verify("with room")
    }

    /// A marked parent, as Xen's storage managers leave it, becomes its child's disk: also when that is cut off once the mark
    /// is gone.
    @Test func aParentThatLostItsMarkIsFoldedAllTheSame() async throws {
        var random = SeededRandom.printed()
        let folder = try await Folder(inMemory: true)
        let (parent, child) = (try await folder.make(.vhd), folder.uuid())
        try await folder.write(parent, pieces: 5, &random)
        let names = (parent: parent + ".vhd", child: child + ".vhd")
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: names.parent, format: .vhd)
        var policy = OpenPolicy.standalone
        policy.parents = .given([ImageReference(path: folder.folder.file(names.parent), format: .vhd)])
        try DiskImage.create(
            path: folder.folder.file(names.child), format: .vhd, size: UInt64(Self.size), options: options,
            policy: policy
        ).close()
        folder.models[child] = folder.models.removeValue(forKey: parent)
        try DiskImage.setHidden(path: folder.folder.file(names.parent), true)
        try await folder.write(child, pieces: 5, &random)
        ReclaimPoint.cuts.withLock { $0[folder.folder.path] = "absorbed" }
        await #expect(throws: StorageError.self) { try await folder.reclaim() }
        ReclaimPoint.cuts.withLock { $0[folder.folder.path] = nil }
        #expect(try DiskImage.info(path: folder.folder.file(names.parent), format: .vhd).isHidden == false)
        try await folder.manager.attach(folder.sr)
        try await folder.verify("cut off")
        #expect(try await folder.reclaim() == [.fold(leaf: names.child, parent: names.parent)])
        #expect(try folder.images == [names.child])
        #expect(!(try folder.folder.contents().contains(MergeNotes.name)))
        try await folder.verify("folded")
    }

    /// What a guest wrote to a disk that is reset goes with the disk at the latest when the SR is attached or destroyed.
    @Test func whatIsLeftOfEpochsGoes() async throws {
        let folder = try await Folder(inMemory: true)
        let disk = try await folder.make(.qcow2)
        try await folder.manager.beginEpoch(folder.sr, VolumeID(location: disk + ".qcow2"))
        let (own, lost) = (".gantry-epoch-\(disk).qcow2", ".gantry-epoch-\(folder.uuid()).qcow2")
        try FileManager.default.copyItem(atPath: folder.folder.file(own), toPath: folder.folder.file(lost))
        let open = try ImageFile(path: folder.folder.file(lost), access: .readOnly)
        try await folder.manager.attach(folder.sr)
        #expect(try folder.folder.contents().contains(lost))
        open.close()
        try await folder.manager.attach(folder.sr)
        #expect(try folder.folder.contents().filter { $0.hasPrefix(".gantry-epoch-") } == [own])
        try FileManager.default.removeItem(atPath: folder.folder.file(disk + ".qcow2"))
        try await folder.manager.destroyRepository(folder.sr)
        #expect(try folder.folder.contents() == [])
    }
}
