import APITypes
import CoreTypes
import DatapathControl
import PoolDatabase
import StorageInterface
import StorageMotion

/// VDI.pool_migrate. The reference needs a VM and moves it to itself; here the disk's data path is mirrored and pivots in
/// place, so disks of running and halted VMs and of none move alike, without memory for a second VM.
struct MigrationMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.pool_migrate", cancellable: true) { call, arguments in
            .ref(
                try await migrate(
                    arguments.get(0), to: arguments.get(1), options: arguments.get(2), call: call
                ).opaque)
        }
    }

    private func migrate(
        _ vdi: Ref<VDI>, to sr: Ref<SR>, options: [String: String], call: CallContext
    ) async throws -> Ref<VDI> {
        // The disk as it is once nobody else changes it.
        try await admission.run([.vdi(vdi, .mirror), .sr(sr, .vdiMirror)], task: call.task) {
            try await move(vdi, to: sr, options: options, progress: call.progress)
        }
    }

    private func move(
        _ vdi: Ref<VDI>, to sr: Ref<SR>, options: [String: String], progress: any TaskProgress
    ) async throws -> Ref<VDI> {
        let row = try context.row(vdi)
        let destination = try context.attached(sr)
        let source = try context.attached(row[VDI.sr])
        try ChangeLogs.requireMovable(row, from: source, to: destination)
        let sourceFormat = context.format(of: row)
        let outcome: FormatDecision.Outcome
        do {
            outcome = try FormatDecision.decide(
                choice: options["dest-img-format"] ?? "", size: UInt64(clamping: row[VDI.virtualSize]),
                source: sourceFormat, manager: destination.manager,
                configuration: destination.repository.deviceConfig)
        } catch {
            throw ErrorMapping.api(
                error, vdi: vdi, srUUID: destination.uuid,
                supported: destination.manager.info.supportedImageFormats.map(\.rawValue))
        }
        // Ours, and optional: the reference knows no such option and ignores it.
        let limit = ByteCount(parsing: options["bytes-per-second"] ?? "0")
        guard let limit else { throw APIError("INVALID_VALUE", "bytes-per-second", options["bytes-per-second"] ?? "") }
        let chosen = !(options["dest-img-format"] ?? "").isEmpty
        if sr == row[VDI.sr], !chosen || outcome.format == sourceFormat { return vdi }

        let settings = try MirrorWishes.settings(options)
        var motion = DiskMotion(
            id: Fresh.uuid(), sourceUUID: row[VDI.uuid], sourceRef: vdi.opaque, sourceSR: row[VDI.sr].opaque,
            sourceLocation: row[VDI.location], destinationUUID: Fresh.uuid(),
            destinationRef: Fresh.ref(VDI.self).opaque, destinationSR: sr.opaque,
            format: outcome.format?.rawValue ?? "", size: outcome.size, bytesPerSecond: limit.bytes)
        motion.settings = settings == MirrorSettings() ? nil : settings
        motion.isVerified = try MirrorWishes.wantsVerification(options) ? true : nil
        try await checkSpace(row, source: source, destination: destination)
        return Ref(try await MotionDriver(context: context).run(motion, progress: progress).destinationRef)
    }

    /// What the copy takes at least must fit what the destination has free: SR_FULL [requested, maximum] otherwise. A disk
    /// takes as much as the largest image of its chain; how much the others add is seen only when it is read.
    private func checkSpace(_ row: Row, source: AttachedRepository, destination: AttachedRepository) async throws {
        do {
            let chain = try await source.manager.chain(source.repository, StorageContext.volume(row))
            let needed = min(chain.map(\.physicalSize).max() ?? 0, UInt64(clamping: row[VDI.virtualSize]))
            let space = try await destination.manager.space(destination.repository)
            // A driver that does not say how large its storage is promises nothing.
            if space.total == 0, destination.manager.info.writesRows { return }
            if needed > space.free { throw APIError("SR_FULL", String(needed), String(space.free)) }
        } catch let error as StorageError {
            throw ErrorMapping.api(error, sr: destination.ref)
        }
    }
}
