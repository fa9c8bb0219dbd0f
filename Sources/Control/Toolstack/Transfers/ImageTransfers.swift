import APITypes
import CLinux
import CoreTypes
import DatapathControl
import Foundation
import PoolDatabase
import StorageInterface
import StorageMotion
import Synchronization

/// The content of VDIs as HTTP bodies: a gantry-datapath process of its own reads or writes the image, this one only
/// moves bytes through a pipe. The VDI is held for the time.
struct ImageTransfers: DiskTransfers {
    let context: StorageContext
    let admission: OperationAdmission
    /// Path of gantry-datapath.
    let program: String
    /// A folder for the processes' error reports.
    let folder: String

    func beginImport(_ request: DiskTransferRequest, context call: CallContext) async throws -> any DiskImportSink {
        let format = try Self.format(request.format)
        if request.vdi == nil, let sr = request.sr {
            return try await importIntoRepository(sr, format: format, length: request.length, call: call)
        }
        let vdi = try find(request.vdi)
        return try await sink(vdi, format: format, isFramed: request.isFramed, call: call)
    }

    private func sink(
        _ vdi: Ref<VDI>, format: ImageFormat, isFramed: Bool, call: CallContext
    ) async throws -> any DiskImportSink {
        let admitted = try await admission.begin([.overwrite(vdi)], task: call.task)
        do {
            return try await sink(vdi, admitted, format: format, isFramed: isFramed)
        } catch {
            await admission.end(admitted)
            throw error
        }
    }

    /// The caller is admitted, and still is when this throws.
    private func sink(
        _ vdi: Ref<VDI>, _ admitted: OperationAdmission.Admitted, format: ImageFormat, isFramed: Bool = false,
        isNew: Bool = false
    ) async throws -> any DiskImportSink {
        // As it is now that nobody changes it: a snapshot would have given it another parent.
        let row = try context.row(vdi)
        let image = try await context.beginUse(of: row, readOnly: false)
        let process = try await start(
            ["import"] + image.arguments + ["--as", format.rawValue] + (isFramed ? ["--frames"] : []), on: row,
            writesInput: true)
        return ImportSink(
            transfers: self, vdi: vdi, hold: TransferHold(admitted), process: process, isNew: isNew,
            endsItself: format != .raw || isFramed,
            // A disk that is somebody's export may be cut off, too.
            endsByFrame: isFramed && image.format != ImageSpecification.nbd)
    }

    /// A new VDI of the stream's length; raw only, as the length must be known. Source: XenAPI import_raw_vdi.
    private func importIntoRepository(
        _ text: String, format: ImageFormat, length: Int64?, call: CallContext
    ) async throws -> any DiskImportSink {
        let sr = try findRepository(text)
        guard format == .raw, let length, length >= 0 else {
            throw APIError("VDI_MISSING", sr.opaque, "an import into an SR needs format=raw and a Content-Length")
        }
        let attached = try context.attached(sr)
        let vdi = Fresh.ref(VDI.self)
        let configuration = attached.repository.deviceConfig
        let promised = context.promised(attached.manager).supportedImageFormats
        let chosen: FormatDecision.Outcome
        do {
            chosen = try FormatDecision.decide(
                choice: "", size: UInt64(length), source: nil, manager: attached.manager, configuration: configuration,
                promised: promised)
        } catch {
            throw ErrorMapping.api(error, vdi: vdi, srUUID: attached.uuid, supported: promised.map(\.rawValue))
        }
        let key = call.task.isNull ? Fresh.ref(XenTask.self).opaque : call.task.opaque
        let made = try await disks.makeVolume(
            in: attached,
            NewVolume(
                uuid: Fresh.uuid(), size: chosen.size, format: chosen.format, nameLabel: "Imported VDI"),
            task: call.task
        ) { volume, tx in
            let made: Ref<VDI>
            if attached.manager.info.writesRows {
                made = try DriverRows.find(volume, of: sr, in: tx)
            } else {
                made = vdi
                tx.insert(VDI.self, ref: vdi) { row in
                    VDIRow.fill(&row, volume, sr: sr)
                    row[VDI.nameLabel] = "Imported VDI"
                }
            }
            // Nobody ever sees it without: it is not for others before its content is there.
            let claim = OperationClaim.overwrite(made)
            try claim.check(tx)
            try OperationAdmission.enter(OperationAdmission.Admitted(entries: claim.entries(tx), key: key), in: tx)
            UnfinishedImports.note(made, in: tx)
            context.disksBeingImported.insert(made.opaque)
            return made
        }
        let admitted = OperationAdmission.Admitted(
            entries: context.database.read { OperationClaim.overwrite(made).entries($0) }, key: key)
        do {
            return try await sink(made, admitted, format: .raw, isNew: true)
        } catch {
            await UnfinishedImports.discard(made, disks)
            await admission.end(admitted)
            context.disksBeingImported.remove(made.opaque)
            throw error
        }
    }

    private var disks: DiskMessages { DiskMessages(context: context, admission: admission) }

    func beginExport(_ request: DiskTransferRequest, context call: CallContext) async throws -> any DiskExportSource {
        let format = try Self.format(request.format)
        let vdi = try find(request.vdi)
        let base = request.base?.isEmpty == false ? try find(request.base) : nil
        // Nothing in a raw image says where it is the same as the base.
        if base != nil && format == .raw { throw APIError("NOT_IMPLEMENTED", "export_raw_vdi of raw with base") }
        let limit: UInt64 = 2040 << 30
        if format == .vhd, try context.row(vdi)[VDI.virtualSize] > Int64(limit) {
            throw APIError("VDI_TOO_LARGE", vdi.opaque, String(limit))
        }
        let read = [vdi] + (base.map { $0 == vdi ? [] : [$0] } ?? [])
        let admitted = try await admission.begin(read.map { .vdi($0, .copy) }, task: call.task)
        do {
            let row = try context.row(vdi)
            let below = try await beginUse(ofBase: base)
            let process: TransferProcess
            do {
                let image = try await context.beginUse(of: row, readOnly: true)
                process = try await start(
                    ["export"] + image.arguments + ["--as", format.rawValue] + below, on: row, writesInput: false)
            } catch {
                await endUse(ofBase: base)
                throw error
            }
            return ExportSource(
                transfers: self, vdi: vdi, base: base, hold: TransferHold(admitted), process: process, format: format,
                fileName: "\(row[VDI.uuid]).\(format.rawValue)",
                expected: format == .raw ? row[VDI.virtualSize] : row[VDI.physicalUtilisation], progress: call.progress)
        } catch {
            await admission.end(admitted)
            throw error
        }
    }

    /// What the process is told of the base; nothing without one.
    private func beginUse(ofBase base: Ref<VDI>?) async throws -> [String] {
        guard let base else { return [] }
        let image = try await context.beginUse(of: try context.row(base), readOnly: true)
        do {
            return ["--base", String(decoding: try JSONEncoder().encode(image), as: UTF8.self)]
        } catch {
            await endUse(ofBase: base)
            throw error
        }
    }

    private func endUse(ofBase base: Ref<VDI>?) async {
        guard let base, let row = context.database.read({ $0.row(base) }) else { return }
        await context.endUse(of: row, readOnly: true)
    }

    /// The use of the image ends when the process cannot be started.
    private func start(_ arguments: [String], on row: Row, writesInput: Bool) async throws -> TransferProcess {
        do {
            return try TransferProcess.start(
                [program] + arguments, as: context.disks.host.users.lend(), folder: folder, writesInput: writesInput)
        } catch {
            await context.endUse(of: row, readOnly: !writesInput)
            throw error
        }
    }

    private static func format(_ text: String) throws -> ImageFormat {
        if text.isEmpty { return .raw }
        guard let format = ImageFormat(parsing: text) else {
            throw APIError.internalError("unknown image format \(text); expected raw, vhd or qcow2")
        }
        return format
    }

    private func find(_ text: String?) throws -> Ref<VDI> {
        guard let text, !text.isEmpty else { throw APIError("VDI_MISSING", "", "") }
        let found = context.database.read { $0.row(Ref<VDI>(text)) ?? $0.find(VDI.self, uuid: text) }
        guard let found else { throw APIError.handleInvalid("VDI", text) }
        return found.typedRef(VDI.self)
    }

    private func findRepository(_ text: String) throws -> Ref<SR> {
        let found = context.database.read { $0.row(Ref<SR>(text)) ?? $0.find(SR.self, uuid: text) }
        guard let found else { throw APIError.handleInvalid("SR", text) }
        return found.typedRef(SR.self)
    }

    /// Lets the VDI go and brings its row up to date; what it is held for is over. Only the first call does anything.
    /// `discarding`: the VDI goes altogether, before anybody else can have it.
    func finished(
        _ vdi: Ref<VDI>, base: Ref<VDI>? = nil, _ hold: TransferHold, readOnly: Bool, discarding: Bool = false
    ) async {
        guard let admitted = hold.release() else { return }
        await endUse(ofBase: base)
        if let row = context.database.read({ $0.row(vdi) }) { await context.endUse(of: row, readOnly: readOnly) }
        if discarding { await UnfinishedImports.discard(vdi, disks) }
        await admission.end(admitted)
        context.disksBeingImported.remove(vdi.opaque)
        guard let row = context.database.read({ $0.row(vdi) }), let attached = try? context.attached(row[VDI.sr]) else {
            return
        }
        if let volume = try? await attached.manager.stat(attached.repository, StorageContext.volume(row)) {
            try? await context.database.transaction { tx in
                try tx.set(vdi, VDI.physicalUtilisation, Int64(clamping: volume.physicalSize))
            }
        }
        await context.refreshSpace(attached)
    }

    func mapped(_ error: any Error, vdi: Ref<VDI>) -> any Error {
        guard let failure = error as? DatapathClient.Failure else { return error }
        let sr = context.database.read { $0.row(vdi)?[VDI.sr] } ?? .null
        return ErrorMapping.api(failure, sr: sr, vdi: vdi)
    }
}

/// The VDI's operation during a transfer, to be ended once, whoever is first.
final class TransferHold: Sendable {
    private let admitted: OperationAdmission.Admitted
    private let isReleased = Atomic<Bool>(false)

    init(_ admitted: OperationAdmission.Admitted) { self.admitted = admitted }

    /// What is to be ended; nil for all but the first caller.
    func release() -> OperationAdmission.Admitted? {
        isReleased.exchange(true, ordering: .acquiringAndReleasing) ? nil : admitted
    }
}

private struct ImportSink: DiskImportSink {
    let transfers: ImageTransfers
    let vdi: Ref<VDI>
    let hold: TransferHold
    let process: TransferProcess
    /// The VDI was made for this import and goes when it fails.
    let isNew: Bool
    let endsItself: Bool
    /// A stream that is cut off is one without a last frame.
    let endsByFrame: Bool

    func write(_ chunk: [UInt8]) async throws {
        do {
            try await process.write(chunk)
        } catch {
            throw transfers.mapped(error, vdi: vdi)
        }
    }

    func finish() async throws -> APIValue {
        do {
            try await process.finish()
        } catch {
            let isCutOff = endsByFrame && (error as? DatapathClient.Failure)?.code == "disconnected"
            let reported = isCutOff ? APIError("IMPORT_ERROR_PREMATURE_EOF") : transfers.mapped(error, vdi: vdi)
            await release(succeeded: false)
            throw reported
        }
        if isNew {
            // All of it is there: whoever comes now keeps it.
            do {
                try await transfers.context.database.transaction { tx in UnfinishedImports.end(vdi, in: tx) }
            } catch {
                await release(succeeded: false)
                throw error
            }
        }
        await release(succeeded: true)
        return .ref(vdi.opaque)
    }

    func abort() async {
        await process.abort()
        await release(succeeded: false)
    }

    private func release(succeeded: Bool) async {
        await transfers.finished(vdi, hold, readOnly: false, discarding: isNew && !succeeded)
    }
}

private struct ExportSource: DiskExportSource {
    let transfers: ImageTransfers
    let vdi: Ref<VDI>
    let base: Ref<VDI>?
    let hold: TransferHold
    let process: TransferProcess
    let format: ImageFormat
    let fileName: String
    let expected: Int64
    let progress: any TaskProgress

    var contentType: String {
        switch format {
        case .raw: "application/octet-stream"
        case .vhd: "application/vhd"
        case .qcow2: "application/x-qemu-disk"
        }
    }

    func next() async throws -> [UInt8]? {
        let bytes = await process.read(limit: 1 << 20)
        if !bytes.isEmpty {
            progress.report(min(0.99, Double(process.moved) / Double(max(expected, 1))))
            return bytes
        }
        do {
            try await process.finish()
        } catch {
            throw transfers.mapped(error, vdi: vdi)
        }
        return nil
    }

    func close() async {
        await process.abort()
        await transfers.finished(vdi, base: base, hold, readOnly: true)
    }
}
