import APITypes
import XenAPIClient

/// What a case works with: disks and VMs that are made, filled, compared, and removed when it is over. Calls of one case follow
/// one another.
actor DiskBench {
    nonisolated let session: XenAPISession
    nonisolated let settings: BenchSettings
    /// That of another pool.
    nonisolated let other: DiskBench?
    private var made: [Ref<VDI>] = []
    private var machines: [Ref<VM>] = []

    init(_ session: XenAPISession, _ settings: BenchSettings, other: DiskBench? = nil) {
        self.session = session
        self.other = other
        self.settings = settings
    }

    /// What `VDI.create` is asked for.
    nonisolated func wish(at place: Place) -> VDICreation {
        VDICreation(
            nameLabel: RunMark.name, nameDescription: "A disk of the self-test quicktest.",
            sr: Ref(place.repository.ref), virtualSize: Int64(settings.diskSize), type: .user,
            otherConfig: [RunMark.key: settings.mark.run],
            smConfig: place.format.map { ["image-format": $0] } ?? [:])
    }

    /// Makes a disk.
    func makeDisk(at place: Place) async throws -> Ref<VDI> {
        let disk = try await session.vdi.create(wish(at: place))
        made.append(disk)
        return disk
    }

    /// Takes a disk that a call made in charge, and marks it where the endpoint did not copy the mark.
    func adopt(_ disk: Ref<VDI>) async throws -> Ref<VDI> {
        made.append(disk)
        let record = try await session.vdi.getRecord(disk)
        if record.otherConfig[RunMark.key] != settings.mark.run {
            try await session.vdi.remove(from: \.otherConfig, of: disk, key: RunMark.key)
            try await session.vdi.add(to: \.otherConfig, of: disk, key: RunMark.key, value: settings.mark.run)
        }
        if record.nameLabel != RunMark.name { try await session.vdi.setNameLabel(disk, value: RunMark.name) }
        return disk
    }

    /// Makes a halted VM without devices, which is never started.
    func makeMachine() async throws -> Ref<VM> {
        let memory: Int64 = 128 << 20
        let machine = try await session.vm.create(
            VMCreation(
                nameLabel: RunMark.name, nameDescription: "A VM of the self-test quicktest.", userVersion: 1,
                affinity: .null, memoryStaticMax: memory, memoryDynamicMax: memory, memoryDynamicMin: memory,
                memoryStaticMin: memory, vcpusMax: 1, vcpusAtStartup: 1, actionsAfterShutdown: .destroy,
                actionsAfterReboot: .restart, actionsAfterCrash: .destroy, pvBootloader: "", pvKernel: "",
                pvRamdisk: "", pvArgs: "", pvBootloaderArgs: "", pvLegacyArgs: "", hvmBootPolicy: "BIOS order",
                pciBus: "", otherConfig: [RunMark.key: settings.mark.run], recommendations: ""))
        machines.append(machine)
        return machine
    }

    /// Takes a VM that came from another pool in charge, and its disks, which have their marks from there where the endpoints copy
    /// them. Returns its first drive's disk.
    func adopt(_ machine: Ref<VM>) async throws -> Ref<VDI> {
        machines.append(machine)
        let drives = try await session.vm.get(\.vbds, of: machine)
        guard let drive = drives.first else { throw Mismatch("the VM has no drive at the other pool") }
        return try await adopt(try await session.vbd.get(\.vdi, of: drive))
    }

    /// A pattern as long as a new disk; another one for each `number`.
    nonisolated func pattern(_ number: UInt64) -> ContentPattern {
        ContentPattern(seed: settings.seed &+ number, size: settings.diskSize)
    }

    /// Writes the pattern through `/import_raw_vdi`, and zeroes behind it.
    nonisolated func write(_ pattern: ContentPattern, to disk: Ref<VDI>) async throws {
        let file = try settings.folder.write(pattern, size: try await size(of: disk))
        defer { settings.folder.remove(file) }
        try await session.importDisk(from: file, format: .raw, into: disk)
    }

    /// Reads all of the disk through `/export_raw_vdi` and compares it.
    nonisolated func expect(_ pattern: ContentPattern, on disk: Ref<VDI>, _ which: String) async throws {
        let size = try await size(of: disk)
        var comparison = ContentComparison(pattern)
        do {
            for try await piece in session.contents(of: disk) { try comparison.take(piece) }
            try comparison.finish(size: size)
        } catch let error as Mismatch {
            throw Mismatch("\(which): \(error.description)")
        }
    }

    /// Bytes.
    nonisolated func size(of disk: Ref<VDI>) async throws -> UInt64 {
        let size = try await session.vdi.get(\.virtualSize, of: disk)
        guard let bytes = UInt64(exactly: size) else { throw Mismatch("a disk has a virtual_size of \(size)") }
        return bytes
    }

    /// Removes the disk now, and makes sure that it is gone.
    nonisolated func destroy(_ disk: Ref<VDI>) async throws {
        try await session.vdi.destroy(disk)
        do {
            _ = try await session.vdi.getRecord(disk)
        } catch let failure as XenAPIFailure where failure.code == "HANDLE_INVALID" {
            return
        }
        throw Mismatch("a disk is still there after VDI.destroy")
    }

    /// Removes what the case made: VMs, then disks, the latest first. Returns why something stays.
    func clear() async -> [String] {
        var reasons: [String] = []
        for machine in machines.reversed() {
            if let reason = await Removal.destroy(machine, session) { reasons.append(reason) }
        }
        machines = []
        for disk in made.reversed() {
            if let reason = await Removal.destroy(disk, session) { reasons.append(reason) }
        }
        made = []
        if let other { reasons += await other.clear() }
        return reasons
    }
}

/// What all cases of a run share.
struct BenchSettings: Sendable {
    let mark: RunMark
    /// Bytes of a new disk.
    let diskSize: UInt64
    let seed: UInt64
    let folder: ImageFolder
}

extension Mismatch {
    /// Throws unless `condition` holds.
    static func unless(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        if !condition { throw Mismatch(text()) }
    }
}
